// What the mount knows of each znode, one entry per path, in two parts that are true for different
// lengths of time:
//
//   part       | says                             | true until a watch fires at the path
//   -----------|----------------------------------|----------------------------------------------
//   the node   | absent; or its Stat, and perhaps | the one of exists or getData: created, changed
//              | its data                         | or deleted
//   children   | the names of its children        | the one of getChildren2: children changed, or
//              |                                  | deleted
//
// The Stat of a node is kept true only as far as that watch covers it: czxid, mzxid, ctime, mtime,
// version, ephemeralOwner and dataLength. The fields of children (cversion, numChildren, pzxid) may
// lag unless the children are known too, and the one of the ACL (aversion) always may.
//
// Which knowledge is still true is Coherence's to say; this is the table alone. It holds at most
// limits::cached_znodes_max entries and about limits::cached_bytes_max bytes; what was used least
// recently goes first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "replication/model/bytes.hpp"
#include "replication/model/limits.hpp"
#include "replication/model/stat.hpp"

namespace zabfs::fusefs::cache {

using Names = std::shared_ptr<const std::vector<std::string>>;

enum class Presence { unknown, absent, present };

struct Known {
  Presence presence{};
  replication::Stat stat{};                  // if present
  std::optional<replication::Data> value{};  // null, or bytes; nothing if it was not fetched
  Names children{};                          // null if they are not known
  bool is_new_write{};                       // of the mount itself, and nobody has looked it up
};

class NodeCache {
 public:
  struct Bounds {
    std::size_t entries{replication::limits::cached_znodes_max};
    std::size_t bytes{replication::limits::cached_bytes_max};
  };

  NodeCache() = default;
  explicit NodeCache(Bounds bounds) : bounds_(bounds) {}

  // What is known of `path`, which counts as used; nullptr for nothing. Valid until the next
  // change.
  const Known* find(std::string_view path);

  // What is known of `path` is what the mount has just written; true once after that.
  void mark_new_write(std::string_view path);
  bool take_new_write(std::string_view path);
  // The same, without using it.
  const Known* peek(std::string_view path) const;

  void learn_absent(const std::string& path);
  void learn_stat(const std::string& path, const replication::Stat& stat);
  void learn_value(const std::string& path, replication::Data value, const replication::Stat& stat);
  // The Stat that came with the children tells more of a node that is known already.
  void learn_children(const std::string& path, std::vector<std::string> names,
                      const replication::Stat& stat);

  void forget_node(std::string_view path);
  void forget_children(std::string_view path);
  void forget_all();

  // The paths that were dropped to make room since the last call.
  std::vector<std::string> take_dropped() { return std::exchange(dropped_, {}); }

  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string path{};
    Known known{};
    std::size_t bytes{};
  };
  using Entries = std::list<Entry>;  // the most recently used first

  Entry* at(std::string_view path);
  Known& entry_for(const std::string& path);
  // The front entry has changed: counts its bytes anew and makes room.
  void settle_front();
  void erase_if_empty(Entry& entry);
  void erase(Entries::iterator entry);
  void count_anew(Entry& entry);

  Bounds bounds_{};
  Entries entries_{};
  std::unordered_map<std::string_view, Entries::iterator> by_path_{};  // the path is the entry's
  std::size_t bytes_{};
  std::vector<std::string> dropped_{};
};

}  // namespace zabfs::fusefs::cache
