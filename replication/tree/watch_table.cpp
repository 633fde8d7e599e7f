#include "replication/tree/watch_table.hpp"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "replication/model/check.hpp"
#include "replication/model/limits.hpp"
#include "replication/model/path.hpp"

namespace zabfs::replication::tree {
namespace {

constexpr WatchKinds data = kinds_of(WatchKind::data);
constexpr WatchKinds child = kinds_of(WatchKind::child);
constexpr WatchKinds persistent = kinds_of(WatchKind::persistent);
constexpr WatchKinds recursive = kinds_of(WatchKind::recursive);
constexpr WatchKinds one_shot = data | child;

// The kinds of watches at a path that an event at this path concerns, but for the recursive ones.
constexpr WatchKinds concerned_by(EventKind event) {
  switch (event) {
    case EventKind::created:
    case EventKind::data_changed:
      return data | persistent;
    case EventKind::deleted:
      return data | child | persistent;
    case EventKind::children_changed:
      return child | persistent;
  }
  return 0;
}

WatchKinds without(WatchKinds kinds, WatchKinds taken) {
  return static_cast<WatchKinds>(kinds & ~taken);
}

std::size_t count_of(WatchKinds kinds) { return static_cast<std::size_t>(std::popcount(kinds)); }

std::uint64_t hash_of(std::string_view path) { return XXH3_64bits(path.data(), path.size()); }

// Erasing one of many watchers of a path moves the others: so many of them take as long as
// forgetting one watch does.
constexpr std::size_t watchers_moved_at_once = 256;

// A list smaller than this is not worth giving memory back for.
constexpr std::size_t paths_kept = 64;

}  // namespace

template <class SomePaths>
std::uint64_t WatchTable::Entries<SomePaths>::hash_of(Slot slot) const {
  return tree::hash_of(paths[slot].path);
}

bool WatchTable::add(WatchKind kind, ConnectionId connection, std::string_view path) {
  const bool is_recursive = kind == WatchKind::recursive;
  const Slot known = find(path);
  Watcher* watcher = known == no_slot ? nullptr : watcher_of(connection, {known, is_recursive});
  if (watcher != nullptr && (watcher->kinds() & kinds_of(kind)) != 0) {
    return true;
  }
  if (size_of(connection) >= limits::watches_per_connection_max) {
    return false;
  }
  WatchingConnection& watching = connections_[connection];
  ++watching.live;
  ++size_;
  if (watcher != nullptr) {
    watcher->set_kinds(watcher->kinds() | kinds_of(kind));
    return true;
  }
  const Slot slot = known != no_slot ? known : add_path(path);
  WatchedPath& watched = paths_[slot];
  const auto place = static_cast<std::uint32_t>(watching.paths.size());
  watched.watchers.insert(place_of(watched, is_recursive, connection),
                          Watcher{connection, kinds_of(kind), place});
  watching.paths.push_back({slot, is_recursive});
  if (is_recursive && watched.recursive++ == 0) {
    ++recursive_paths_;
  }
  return true;
}

bool WatchTable::remove(WatchKinds kinds, ConnectionId connection, std::string_view path) {
  const Slot slot = find(path);
  const auto found = connections_.find(connection);
  if (slot == no_slot || found == connections_.end()) {
    return false;
  }
  std::size_t removed = 0;
  for (const bool is_recursive : {false, true}) {
    Watcher* watcher = watcher_of(connection, {slot, is_recursive});
    if (watcher != nullptr && (watcher->kinds() & kinds) != 0) {
      removed += count_of(watcher->kinds() & kinds);
      watcher->set_kinds(without(watcher->kinds(), kinds));
      if (watcher->kinds() == 0) {
        unlist(found->second, connection, watcher->place());
        erase_watcher(connection, {slot, is_recursive});
      }
    }
  }
  if (removed > 0) {
    lose_watches(found, removed);
    drop_if_unwatched(slot);
  }
  return removed > 0;
}

bool WatchTable::contains(WatchKinds kinds, ConnectionId connection, std::string_view path) {
  const Slot slot = find(path);
  return slot != no_slot && std::ranges::any_of(std::array{false, true}, [&](bool is_recursive) {
           const Watcher* watcher = watcher_of(connection, {slot, is_recursive});
           return watcher != nullptr && (watcher->kinds() & kinds) != 0;
         });
}

void WatchTable::fire(const Event& event, std::vector<ConnectionId>& fired) {
  fired.clear();
  const Slot slot = find(event.path);
  if (slot != no_slot) {
    fire_at(slot, event.kind, fired);
  }
  if (recursive_paths_ > 0 && event.kind != EventKind::children_changed) {
    const std::size_t known = fired.size();
    fire_recursive(event.path, fired);
    if (fired.size() > known) {
      std::ranges::sort(fired);
      fired.erase(std::unique(fired.begin(), fired.end()), fired.end());
    }
  }
}

// Those who wait for this very path. Watchers of connections that have left are dropped here too.
void WatchTable::fire_at(Slot slot, EventKind kind, std::vector<ConnectionId>& fired) {
  const WatchKinds concerned = concerned_by(kind);
  WatchedPath& path = paths_[slot];
  const auto begin = path.watchers.begin() + path.recursive;
  auto kept = begin;
  for (auto watcher = begin; watcher != path.watchers.end(); ++watcher) {
    if ((watcher->kinds() & concerned) == 0) {
      *kept++ = *watcher;
      continue;
    }
    const ConnectionId connection = watcher->connection();
    const auto found = connections_.find(connection);
    if (found == connections_.end()) {
      continue;
    }
    fired.push_back(connection);
    const WatchKinds taken = watcher->kinds() & concerned & one_shot;
    watcher->set_kinds(without(watcher->kinds(), taken));
    if (watcher->kinds() != 0) {
      *kept++ = *watcher;
    } else {
      unlist(found->second, connection, watcher->place());
    }
    lose_watches(found, count_of(taken));
  }
  path.watchers.erase(kept, path.watchers.end());
  drop_if_unwatched(slot);
}

// Those who wait for the path or for one above it, and for everything below.
void WatchTable::fire_recursive(std::string_view path, std::vector<ConnectionId>& fired) const {
  while (!path.empty()) {
    if (const Slot slot = find(path); slot != no_slot) {
      const WatchedPath& watched = paths_[slot];
      for (std::size_t i = 0; i < watched.recursive; ++i) {
        const ConnectionId connection = watched.watchers[i].connection();
        if (leaving_.empty() || connections_.contains(connection)) {
          fired.push_back(connection);
        }
      }
    }
    path = path == "/" ? std::string_view{} : parent_of(path);
  }
}

void WatchTable::remove_connection(ConnectionId connection) {
  const auto found = connections_.find(connection);
  if (found == connections_.end()) {
    return;
  }
  size_ -= found->second.live;
  leaving_.push_back({.id = connection, .paths = std::move(found->second.paths)});
  connections_.erase(found);
  forget_some();
}

void WatchTable::on_turn_end() {
  forgettable_ = limits::watches_forgotten_per_turn;
  forget_some();
}

// A path may have been dropped and its slot given to another since; nobody who has left is there.
void WatchTable::forget_some() {
  while (forgettable_ > 0 && !leaving_.empty()) {
    auto& [connection, paths] = leaving_.front();
    if (paths.empty()) {
      leaving_.pop_front();
      continue;
    }
    const auto [slot, is_recursive] = paths.back();
    paths.pop_back();
    std::size_t cost = 1;
    if (watcher_of(connection, {slot, is_recursive}) != nullptr) {
      cost += paths_[slot].watchers.size() / watchers_moved_at_once;
      erase_watcher(connection, {slot, is_recursive});
      drop_if_unwatched(slot);
    }
    forgettable_ -= std::min(cost, forgettable_);
  }
}

std::size_t WatchTable::size_of(ConnectionId connection) const {
  const auto found = connections_.find(connection);
  return found == connections_.end() ? 0 : found->second.live;
}

Slot WatchTable::find(std::string_view path) const {
  const Entries<const Paths> entries{paths_};
  return index_.find(entries, tree::hash_of(path),
                     [&](Slot slot) { return paths_[slot].path == path; });
}

Slot WatchTable::add_path(std::string_view path) {
  if (free_.empty()) {
    free_.push_back(static_cast<Slot>(paths_.size()));
    paths_.emplace_back();
  }
  const Slot slot = free_.back();
  free_.pop_back();
  paths_[slot].path = path;
  const Entries<Paths> entries{paths_};
  index_.insert(entries, tree::hash_of(path), slot);
  return slot;
}

void WatchTable::drop_if_unwatched(Slot slot) {
  if (paths_[slot].watchers.empty()) {
    const Entries<Paths> entries{paths_};
    index_.erase(entries, entries.hash_of(slot), slot);
    paths_[slot] = {};
    free_.push_back(slot);
  }
}

// Where the connection stands among the watchers of a path, or would stand.
WatchTable::Watchers::iterator WatchTable::place_of(WatchedPath& path, bool is_recursive,
                                                    ConnectionId connection) {
  const auto middle = path.watchers.begin() + path.recursive;
  return is_recursive ? std::ranges::lower_bound(path.watchers.begin(), middle, connection, {},
                                                 &Watcher::connection)
                      : std::ranges::lower_bound(middle, path.watchers.end(), connection, {},
                                                 &Watcher::connection);
}

// Null if the connection does not watch the path in that way.
WatchTable::Watcher* WatchTable::watcher_of(ConnectionId connection, Watched watched) {
  WatchedPath& path = paths_[watched.slot];
  const auto end =
      watched.is_recursive ? path.watchers.begin() + path.recursive : path.watchers.end();
  const auto place = place_of(path, watched.is_recursive, connection);
  return place != end && place->connection() == connection ? &*place : nullptr;
}

// The watcher must be there.
void WatchTable::erase_watcher(ConnectionId connection, Watched watched) {
  WatchedPath& path = paths_[watched.slot];
  path.watchers.erase(place_of(path, watched.is_recursive, connection));
  if (watched.is_recursive && --path.recursive == 0) {
    --recursive_paths_;
  }
}

// Takes a watcher off the connection's list; the last of the list moves into its place.
void WatchTable::unlist(WatchingConnection& watching, ConnectionId connection,
                        std::uint32_t place) {
  auto& paths = watching.paths;
  if (place + 1 < paths.size()) {
    paths[place] = paths.back();
    Watcher* moved = watcher_of(connection, paths[place]);
    CHECK(moved != nullptr, "connection ", connection, " does not watch what its list says");
    moved->move_to(place);
  }
  paths.pop_back();
  if (paths.capacity() > paths_kept && paths.size() < paths.capacity() / 4) {
    paths.shrink_to_fit();
  }
}

void WatchTable::lose_watches(WatchingConnections::iterator connection, std::size_t count) {
  size_ -= count;
  connection->second.live -= count;
  if (connection->second.live == 0) {
    connections_.erase(connection);
  }
}

}  // namespace zabfs::replication::tree
