// Which connections wait for which paths. One-shot, in memory, never replicated.
//
// Two tables, as clients know them: `data` is armed by getData and exists, `child` by getChildren.
//
//   event             takes from
//   created           data
//   data_changed      data
//   deleted           data and child; one notice even to a connection in both
//   children_changed  child
//
// Setting a watch twice is setting it once. A path need not exist. About 16 bytes per watch, plus
// about 130 and its text per distinct path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "replication/model/ids.hpp"
#include "replication/tree/event.hpp"
#include "replication/tree/node.hpp"
#include "replication/tree/slot_index.hpp"

namespace zabfs::replication::tree {

enum class WatchKind : std::uint8_t { data = 1, child = 2 };

class WatchTable {
 public:
  // False, and nothing changed, if the connection has limits::watches_per_connection_max others.
  bool add(WatchKind kind, ConnectionId connection, std::string_view path);

  // Overwrites `fired` with the connections to notify, ascending. Their watches are gone.
  void fire(const Event& event, std::vector<ConnectionId>& fired);

  // Forgets everything the connection waits for.
  void remove_connection(ConnectionId connection);

  // Watches: a connection counts twice for a path it watches in both tables.
  std::size_t size() const { return size_; }
  std::size_t size_of(ConnectionId connection) const;

  // Distinct paths, and connections, with at least one watch.
  std::size_t path_count() const { return index_.size(); }
  std::size_t connection_count() const { return connections_.size(); }

 private:
  // A connection and the tables it waits in, in one word.
  class Watcher {
   public:
    Watcher(ConnectionId connection, std::uint64_t kinds) : bits_(connection.value << 2 | kinds) {}

    ConnectionId connection() const { return {bits_ >> 2}; }
    std::uint64_t kinds() const { return bits_ & 3; }

   private:
    std::uint64_t bits_;
  };
  struct WatchedPath {
    std::string path{};
    std::vector<Watcher> watchers{};  // sorted by connection
    Slot next_in_index{no_slot};
  };
  // `paths` may hold one twice, or one that has fired since: it is swept when it has grown to twice
  // what is live.
  struct WatchingConnection {
    std::size_t live{};
    std::vector<Slot> paths{};
  };
  using Watchers = std::vector<Watcher>;

  // Below this many a connection's list is not worth sweeping.
  static constexpr std::size_t stale_paths_tolerated = 16;

  // What the index asks.
  struct Entries {
    std::deque<WatchedPath>& paths;
    Slot& next_in_index(Slot slot) const { return paths[slot].next_in_index; }
    std::uint64_t hash_of(Slot slot) const;
  };

  Slot find(std::string_view path);
  Slot add_path(std::string_view path);
  void drop_if_unwatched(Slot slot);
  Watchers::iterator place_of(ConnectionId connection, Slot slot);
  bool is_watching(ConnectionId connection, Slot slot);
  void sweep(ConnectionId connection, WatchingConnection& watching);
  void forget(ConnectionId connection, std::size_t watches);

  std::deque<WatchedPath> paths_{};
  std::vector<Slot> free_{};
  SlotIndex index_{};
  std::unordered_map<ConnectionId, WatchingConnection> connections_{};
  std::size_t size_{};
};

}  // namespace zabfs::replication::tree
