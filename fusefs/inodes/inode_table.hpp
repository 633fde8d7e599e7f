// Which inode number stands for which view of which znode, and how long.
//
// A number is a hash of path, view (with its parameter, where it has one), kind and the transaction
// that created the znode, so it is the same whenever and wherever the znode is looked up; a
// collision among the inodes of this mount is resolved by taking the next free one. It fits into 53
// bits: programs that keep it in a double see it whole. A znode that is removed and created again,
// or that turns from a file into a directory, gets a new inode. The old one keeps its number for
// whoever still holds it, and is never answered to a lookup again ("detached").
//
// An inode lives as long as the kernel holds lookups of it or a handle is open on it. References to
// an Inode stay valid that long, across every other change of the table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "fusefs/inodes/node.hpp"
#include "fusefs/inodes/rights.hpp"
#include "fusefs/naming/name.hpp"

namespace zabfs::fusefs::inodes {

using InodeNumber = std::uint64_t;

// As the kernel names it.
inline constexpr InodeNumber root_number = 1;

// The rights to a znode, as its ACL told them.
struct KnownRights {
  Rights rights{};
  std::int64_t czxid{};        // of the znode
  std::int32_t aversion{};     // of its ACL
  std::uint64_t generation{};  // of the mount's identities; 0 is never that of any

  bool is_of(const replication::Stat& stat) const {
    return czxid == stat.czxid && aversion == stat.aversion;
  }
};

struct Inode {
  InodeNumber number{};
  std::int64_t generation{};  // the transaction that created the znode
  std::string path{};         // of the znode
  naming::View view{};
  std::int64_t parameter{};  // of the view: the version of @v=, the zxid of @next=
  Kind kind{};
  Node node{};  // as last seen
  KnownRights rights{};
  std::uint64_t lookups{};   // that the kernel has not forgotten
  std::uint64_t handles{};   // open on it
  std::uint64_t writers{};   // of them, that can change what the kernel takes for its size
  std::uint64_t listings{};  // that were taken back from the kernel: tells them apart
  bool is_writable{};        // though the view is not
  bool is_detached{};        // its path and view lead to another inode, or to none
  bool is_removed{};         // through this mount: what is written to it goes nowhere

  // Since InodeTable::take_changes.
  enum class Change : std::uint8_t { none, lookups, everything };
  Change change{};
};

class InodeTable {
 public:
  InodeTable();

  // The inode of a number, or nullptr.
  Inode* find(InodeNumber number);

  // The inode that a lookup of `view` of `path` answers at present, or nullptr.
  Inode* find(std::string_view path, naming::View view, std::int64_t parameter = 0);
  const Inode* find(std::string_view path, naming::View view) const;

  // The inode for `view` of `path`, whose znode is `node`. Counts one lookup.
  Inode& look_up(const std::string& path, naming::View view, const Node& node,
                 std::int64_t parameter = 0);
  void forget(InodeNumber number, std::uint64_t lookups);

  // An inode of what was once at `path`, that no lookup answers. Counts one lookup.
  Inode& make_ghost(const std::string& path, Kind kind, const Node& node);

  // Counts a handle that is open on the inode.
  void open(Inode& inode) { ++inode.handles; }
  void close(InodeNumber number);

  // The znode at `path` is gone, through this mount.
  void remove(std::string_view path);

  // The znode at `from` is now at `to` as `node`, through this mount. Its inodes follow, so that
  // open handles do; those that `to` had are removed.
  void move(std::string_view from, const std::string& to, const Node& node);

  std::size_t size() const { return inodes_.size(); }

  // For a successor of this process. From keep_changes() on, the numbers of the inodes that have
  // changed are kept until they are taken; those that find() does not know are gone. What is known
  // of a znode beyond its identity counts as no change.
  void keep_changes() { keeps_changes_ = true; }
  bool has_changes() const { return !changed_.empty(); }
  std::vector<InodeNumber> take_changes() { return std::exchange(changed_, {}); }

  // An inode as a predecessor had it; a number that is there already is left alone.
  void restore(Inode inode);

 private:
  // The path lies in the Inode itself.
  struct Name {
    std::string_view path{};
    naming::View view{};
    std::int64_t parameter{};
    bool operator==(const Name&) const = default;
  };
  struct NameHash {
    std::size_t operator()(const Name& name) const noexcept;
  };

  InodeNumber free_number(const Name& name, Kind kind, std::int64_t czxid) const;
  void detach(Inode& inode);
  void erase_if_unused(Inode& inode);
  void note(Inode& inode, Inode::Change change);

  std::unordered_map<InodeNumber, Inode> inodes_{};
  std::unordered_map<Name, Inode*, NameHash> names_{};  // of those not detached
  bool keeps_changes_{};
  std::vector<InodeNumber> changed_{};
};

}  // namespace zabfs::fusefs::inodes
