#include "replication/tree/watch_table.hpp"

#include <xxhash.h>

#include <algorithm>
#include <bit>

#include "replication/model/check.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::replication::tree {
namespace {

constexpr std::uint64_t bit_of(WatchKind kind) { return static_cast<std::uint64_t>(kind); }

constexpr std::uint64_t kinds_taken_by(EventKind event) {
  switch (event) {
    case EventKind::created:
    case EventKind::data_changed:
      return bit_of(WatchKind::data);
    case EventKind::deleted:
      return bit_of(WatchKind::data) | bit_of(WatchKind::child);
    case EventKind::children_changed:
      return bit_of(WatchKind::child);
  }
  return 0;
}

std::uint64_t hash_of(std::string_view path) { return XXH3_64bits(path.data(), path.size()); }

}  // namespace

std::uint64_t WatchTable::Entries::hash_of(Slot slot) const {
  return tree::hash_of(paths[slot].path);
}

bool WatchTable::add(WatchKind kind, ConnectionId connection, std::string_view path) {
  const Slot known = find(path);
  const bool watches_path = known != no_slot && is_watching(connection, known);
  if (watches_path && (place_of(connection, known)->kinds() & bit_of(kind)) != 0) {
    return true;
  }
  if (size_of(connection) >= limits::watches_per_connection_max) {
    return false;
  }
  WatchingConnection& watching = connections_[connection];
  ++watching.live;
  ++size_;
  const Slot slot = known != no_slot ? known : add_path(path);
  const auto place = place_of(connection, slot);
  if (watches_path) {
    *place = Watcher{connection, place->kinds() | bit_of(kind)};
    return true;
  }
  paths_[slot].watchers.insert(place, Watcher{connection, bit_of(kind)});
  watching.paths.push_back(slot);
  if (watching.paths.size() > 2 * watching.live + stale_paths_tolerated) {
    sweep(connection, watching);
  }
  return true;
}

void WatchTable::fire(const Event& event, std::vector<ConnectionId>& fired) {
  fired.clear();
  const Slot slot = find(event.path);
  if (slot == no_slot) {
    return;
  }
  const std::uint64_t taken = kinds_taken_by(event.kind);
  Watchers& watchers = paths_[slot].watchers;
  auto kept = watchers.begin();
  for (const Watcher watcher : watchers) {
    if ((watcher.kinds() & taken) != 0) {
      fired.push_back(watcher.connection());
      forget(watcher.connection(),
             static_cast<std::size_t>(std::popcount(watcher.kinds() & taken)));
    }
    if ((watcher.kinds() & ~taken) != 0) {
      *kept++ = Watcher{watcher.connection(), watcher.kinds() & ~taken};
    }
  }
  watchers.erase(kept, watchers.end());
  drop_if_unwatched(slot);
}

void WatchTable::remove_connection(ConnectionId connection) {
  const auto found = connections_.find(connection);
  if (found == connections_.end()) {
    return;
  }
  for (const Slot slot : found->second.paths) {
    if (is_watching(connection, slot)) {
      paths_[slot].watchers.erase(place_of(connection, slot));
      drop_if_unwatched(slot);
    }
  }
  size_ -= found->second.live;
  connections_.erase(found);
}

std::size_t WatchTable::size_of(ConnectionId connection) const {
  const auto found = connections_.find(connection);
  return found == connections_.end() ? 0 : found->second.live;
}

Slot WatchTable::find(std::string_view path) {
  Entries entries{paths_};
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
  Entries entries{paths_};
  index_.insert(entries, tree::hash_of(path), slot);
  return slot;
}

void WatchTable::drop_if_unwatched(Slot slot) {
  if (paths_[slot].watchers.empty()) {
    Entries entries{paths_};
    index_.erase(entries, entries.hash_of(slot), slot);
    paths_[slot] = {};
    free_.push_back(slot);
  }
}

// Where the connection stands among the watchers of a path, or would stand.
WatchTable::Watchers::iterator WatchTable::place_of(ConnectionId connection, Slot slot) {
  return std::ranges::lower_bound(paths_[slot].watchers, connection, {}, &Watcher::connection);
}

bool WatchTable::is_watching(ConnectionId connection, Slot slot) {
  const auto place = place_of(connection, slot);
  return place != paths_[slot].watchers.end() && place->connection() == connection;
}

void WatchTable::sweep(ConnectionId connection, WatchingConnection& watching) {
  auto& paths = watching.paths;
  std::ranges::sort(paths);
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  std::erase_if(paths, [&](Slot slot) { return !is_watching(connection, slot); });
}

void WatchTable::forget(ConnectionId connection, std::size_t watches) {
  size_ -= watches;
  const auto found = connections_.find(connection);
  CHECK(found != connections_.end(), "connection ", connection, " waits and is not known");
  found->second.live -= watches;
  if (found->second.live == 0) {
    connections_.erase(found);
  }
}

}  // namespace zabfs::replication::tree
