// Which connections wait for which paths. In memory, never replicated.
//
//   kind        set by             event                                  is gone afterwards
//   ----------  -----------------  -------------------------------------  ------------------
//   data        getData, exists    created, deleted, data_changed         yes
//   child       getChildren        deleted, children_changed              yes
//   persistent  addWatch           all four                               no
//   recursive   addWatch           created, deleted, data_changed of the  no
//                                  path and of everything below it
//
// The kinds of one connection on one path live side by side (ZooKeeper 3.9; before, the last one
// set replaced the others). Setting a watch twice is setting it once. However many watches of a
// connection an event concerns, the connection is told once. A path need not exist, nor be one.
//
// An event costs one look-up, and one per segment of its path while there is any recursive watch.
// A connection that leaves with many watches is forgotten in slices, one per turn; it is never told
// of anything more, and counts only where that is said.
//
// About 30 bytes per watch, plus about 130 and its text per distinct path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "replication/model/ids.hpp"
#include "replication/model/limits.hpp"
#include "replication/tree/event.hpp"
#include "replication/tree/node.hpp"
#include "replication/tree/slot_index.hpp"

namespace zabfs::replication::tree {

enum class WatchKind : std::uint8_t { data = 1, child = 2, persistent = 4, recursive = 8 };

// Several of them, one bit each.
using WatchKinds = std::uint8_t;
inline constexpr WatchKinds every_watch_kind = 15;
constexpr WatchKinds kinds_of(WatchKind kind) { return static_cast<WatchKinds>(kind); }

class WatchTable {
 public:
  // False, and nothing changed, if the connection has limits::watches_per_connection_max others.
  bool add(WatchKind kind, ConnectionId connection, std::string_view path);

  // Takes the watches of these kinds away. False if there was none.
  bool remove(WatchKinds kinds, ConnectionId connection, std::string_view path);

  // True if there is a watch of at least one of these kinds.
  bool contains(WatchKinds kinds, ConnectionId connection, std::string_view path);

  // Overwrites `fired` with the connections to notify, ascending. Their one-shot watches are gone.
  void fire(const Event& event, std::vector<ConnectionId>& fired);

  // Forgets everything the connection waits for.
  void remove_connection(ConnectionId connection);

  // Call it at the end of every turn: goes on with what the last ones left of connections that are
  // gone, limits::watches_forgotten_per_turn watches at most.
  void on_turn_end();

  // Watches: a connection counts once for each kind it watches a path with.
  std::size_t size() const { return size_; }
  std::size_t size_of(ConnectionId connection) const;

  // Distinct paths with at least one watch, those of connections not yet forgotten included.
  std::size_t path_count() const { return index_.size(); }

  // Connections with at least one watch.
  std::size_t connection_count() const { return connections_.size(); }

  // Calls `visit(path, connection, kinds)` for every watch, path by path; a connection whose watch
  // is recursive too is visited twice for a path. Takes as long as there are watches.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const WatchedPath& path : paths_) {
      for (const Watcher& watcher : path.watchers) {
        if (connections_.contains(watcher.connection())) {
          visit(std::string_view{path.path}, watcher.connection(), watcher.kinds());
        }
      }
    }
  }

 private:
  // A connection at a path, and how it watches it.
  class Watcher {
   public:
    Watcher(ConnectionId connection, WatchKinds kinds, std::uint32_t place)
        : bits_(connection.value << kind_bits | kinds), place_(place) {}

    ConnectionId connection() const { return {bits_ >> kind_bits}; }
    WatchKinds kinds() const { return bits_ & every_watch_kind; }
    void set_kinds(WatchKinds kinds) { bits_ = connection().value << kind_bits | kinds; }

    // Where the connection's list has this.
    std::uint32_t place() const { return place_; }
    void move_to(std::uint32_t place) { place_ = place; }

   private:
    static constexpr unsigned kind_bits = 4;
    std::uint64_t bits_;
    std::uint32_t place_;
  };
  using Watchers = std::vector<Watcher>;

  // The first `recursive` watchers are recursive, the others are not; a connection may be in both
  // parts, each of which is sorted by connection.
  struct WatchedPath {
    std::string path{};
    Watchers watchers{};
    Slot next_in_index{no_slot};
    std::uint32_t recursive{};
  };

  // A watcher, as its connection's list names it.
  struct Watched {
    Slot slot;
    bool is_recursive;
  };
  struct WatchingConnection {
    std::size_t live{};            // watches
    std::vector<Watched> paths{};  // each watcher once, in no order
  };
  struct LeavingConnection {
    ConnectionId id{};
    std::vector<Watched> paths{};
  };

  // What the index asks.
  template <class SomePaths>
  struct Entries {
    SomePaths& paths;
    auto& next_in_index(Slot slot) const { return paths[slot].next_in_index; }
    std::uint64_t hash_of(Slot slot) const;
  };

  using Paths = std::deque<WatchedPath>;
  using WatchingConnections = std::unordered_map<ConnectionId, WatchingConnection>;

  Slot find(std::string_view path) const;
  Slot add_path(std::string_view path);
  void drop_if_unwatched(Slot slot);
  static Watchers::iterator place_of(WatchedPath& path, bool is_recursive, ConnectionId connection);
  Watcher* watcher_of(ConnectionId connection, Watched watched);
  void erase_watcher(ConnectionId connection, Watched watched);
  void unlist(WatchingConnection& watching, ConnectionId connection, std::uint32_t place);
  void lose_watches(WatchingConnections::iterator connection, std::size_t count);
  void fire_at(Slot slot, EventKind kind, std::vector<ConnectionId>& fired);
  void fire_recursive(std::string_view path, std::vector<ConnectionId>& fired) const;
  void forget_some();

  Paths paths_{};
  std::vector<Slot> free_{};
  SlotIndex index_{};
  WatchingConnections connections_{};
  std::deque<LeavingConnection> leaving_{};
  std::size_t forgettable_{limits::watches_forgotten_per_turn};  // in what is left of this turn
  std::size_t size_{};
  std::size_t recursive_paths_{};  // with a recursive watcher
};

}  // namespace zabfs::replication::tree
