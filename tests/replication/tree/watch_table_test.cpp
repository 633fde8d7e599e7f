#include "replication/tree/watch_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <tuple>

#include "replication/model/limits.hpp"
#include "replication/ports/random.hpp"

namespace zabfs::replication::tree {
namespace {

using Connections = std::vector<ConnectionId>;

Connections fired(WatchTable& table, EventKind kind, std::string_view path) {
  Connections connections{{999}};
  table.fire({kind, path}, connections);
  return connections;
}

TEST(WatchTable, AnEventTakesFromTheTablesItConcerns) {
  struct Row {
    EventKind event;
    Connections notified;
    std::size_t left;
  };
  const Row rows[] = {
      {EventKind::created, {{1}, {3}}, 2},
      {EventKind::data_changed, {{1}, {3}}, 2},
      {EventKind::children_changed, {{2}, {3}}, 2},
      {EventKind::deleted, {{1}, {2}, {3}}, 0},
  };
  for (const Row& row : rows) {
    WatchTable table;
    table.add(WatchKind::child, {3}, "/a");
    table.add(WatchKind::data, {3}, "/a");
    table.add(WatchKind::child, {2}, "/a");
    table.add(WatchKind::data, {1}, "/a");
    EXPECT_EQ(fired(table, row.event, "/a"), row.notified);
    EXPECT_EQ(table.size(), row.left);
    EXPECT_EQ(fired(table, row.event, "/a"), Connections{});
  }
}

TEST(WatchTable, SettingAWatchTwiceIsSettingItOnce) {
  WatchTable table;
  EXPECT_TRUE(table.add(WatchKind::data, {1}, "/a"));
  EXPECT_TRUE(table.add(WatchKind::data, {1}, "/a"));
  EXPECT_EQ(table.size(), 1U);
  EXPECT_EQ(fired(table, EventKind::created, "/a"), Connections{{1}});
}

TEST(WatchTable, PathsAreKeptApart) {
  WatchTable table;
  table.add(WatchKind::data, {1}, "/a");
  table.add(WatchKind::data, {1}, "/a/b");
  EXPECT_EQ(fired(table, EventKind::created, "/a/c"), Connections{});
  EXPECT_EQ(fired(table, EventKind::created, "/a/b"), Connections{{1}});
  EXPECT_EQ(table.size(), 1U);
}

TEST(WatchTable, ForgetsALostConnection) {
  WatchTable table;
  table.add(WatchKind::data, {1}, "/a");
  table.add(WatchKind::child, {1}, "/a");
  table.add(WatchKind::data, {1}, "/b");
  table.add(WatchKind::data, {2}, "/a");
  table.remove_connection({1});
  table.remove_connection({1});
  EXPECT_EQ(table.size(), 1U);
  EXPECT_EQ(table.size_of({1}), 0U);
  EXPECT_EQ(table.path_count(), 1U);
  EXPECT_EQ(table.connection_count(), 1U);
  EXPECT_EQ(fired(table, EventKind::deleted, "/a"), Connections{{2}});
}

TEST(WatchTable, KeepsNothingOfWatchesThatFired) {
  WatchTable table;
  for (int i = 0; i < 100'000; ++i) {
    table.add(WatchKind::data, {1}, "/a" + std::to_string(i % 100));
    fired(table, EventKind::data_changed, "/a" + std::to_string(i % 100));
  }
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(table.path_count(), 0U);
  EXPECT_EQ(table.connection_count(), 0U);
}

TEST(WatchTable, RefusesMoreThanAConnectionMayHave) {
  WatchTable table;
  for (std::size_t i = 0; i < limits::watches_per_connection_max; ++i) {
    ASSERT_TRUE(table.add(WatchKind::data, {1}, std::to_string(i)));
  }
  EXPECT_FALSE(table.add(WatchKind::data, {1}, "one too many"));
  EXPECT_FALSE(table.add(WatchKind::child, {1}, "0"));
  EXPECT_TRUE(table.add(WatchKind::data, {1}, "0"));
  EXPECT_TRUE(table.add(WatchKind::data, {2}, "one too many"));
  EXPECT_EQ(table.size(), limits::watches_per_connection_max + 1);
}

TEST(WatchTable, APersistentWatchStaysAndHearsEverythingOfItsPath) {
  WatchTable table;
  table.add(WatchKind::persistent, {1}, "/a");
  for (const EventKind event : {EventKind::created, EventKind::data_changed,
                                EventKind::children_changed, EventKind::deleted}) {
    EXPECT_EQ(fired(table, event, "/a"), Connections{{1}});
    EXPECT_EQ(fired(table, event, "/a/b"), Connections{});
    EXPECT_EQ(fired(table, event, "/"), Connections{});
  }
  EXPECT_EQ(table.size(), 1U);
}

TEST(WatchTable, ARecursiveWatchHearsOfEverythingBelowButNotOfChildren) {
  WatchTable table;
  table.add(WatchKind::recursive, {1}, "/a");
  for (const EventKind event : {EventKind::created, EventKind::data_changed, EventKind::deleted}) {
    EXPECT_EQ(fired(table, event, "/a"), Connections{{1}});
    EXPECT_EQ(fired(table, event, "/a/b"), Connections{{1}});
    EXPECT_EQ(fired(table, event, "/a/b/c"), Connections{{1}});
    EXPECT_EQ(fired(table, event, "/ab"), Connections{});
    EXPECT_EQ(fired(table, event, "/"), Connections{});
  }
  EXPECT_EQ(fired(table, EventKind::children_changed, "/a"), Connections{});
  EXPECT_EQ(fired(table, EventKind::children_changed, "/a/b"), Connections{});
  table.add(WatchKind::recursive, {2}, "/");
  EXPECT_EQ(fired(table, EventKind::created, "/a/b"), (Connections{{1}, {2}}));
  EXPECT_EQ(fired(table, EventKind::data_changed, "/"), Connections{{2}});
  EXPECT_EQ(table.size(), 2U);
}

TEST(WatchTable, AConnectionIsToldOnceHoweverManyOfItsWatchesMatch) {
  WatchTable table;
  for (const std::string_view path : {"/", "/a", "/a/b"}) {
    table.add(WatchKind::recursive, {5}, path);
  }
  table.add(WatchKind::persistent, {5}, "/a/b");
  table.add(WatchKind::data, {5}, "/a/b");
  table.add(WatchKind::child, {5}, "/a/b");
  table.add(WatchKind::recursive, {4}, "/a");
  table.add(WatchKind::data, {6}, "/a/b");
  EXPECT_EQ(fired(table, EventKind::deleted, "/a/b"), (Connections{{4}, {5}, {6}}));
  EXPECT_EQ(table.size(), 5U);
  EXPECT_EQ(table.size_of({5}), 4U);
}

TEST(WatchTable, KindsOfOneConnectionLiveSideBySide) {
  WatchTable table;
  for (const WatchKind kind :
       {WatchKind::recursive, WatchKind::child, WatchKind::persistent, WatchKind::data}) {
    EXPECT_FALSE(table.contains(kinds_of(kind), {1}, "/a"));
    EXPECT_TRUE(table.add(kind, {1}, "/a"));
    EXPECT_TRUE(table.contains(kinds_of(kind), {1}, "/a"));
  }
  EXPECT_EQ(table.size(), 4U);
  fired(table, EventKind::data_changed, "/a");
  EXPECT_FALSE(table.contains(kinds_of(WatchKind::data), {1}, "/a"));
  EXPECT_TRUE(table.contains(kinds_of(WatchKind::child), {1}, "/a"));
  EXPECT_EQ(fired(table, EventKind::children_changed, "/a"), Connections{{1}});
  EXPECT_FALSE(table.contains(kinds_of(WatchKind::child), {1}, "/a"));
  EXPECT_TRUE(table.contains(every_watch_kind, {1}, "/a"));
  EXPECT_EQ(table.size(), 2U);
}

TEST(WatchTable, RemovesTheKindsThatAreAskedFor) {
  WatchTable table;
  EXPECT_FALSE(table.remove(every_watch_kind, {1}, "/a"));
  for (const WatchKind kind :
       {WatchKind::recursive, WatchKind::child, WatchKind::persistent, WatchKind::data}) {
    table.add(kind, {1}, "/a");
    table.add(kind, {2}, "/a");
  }
  EXPECT_TRUE(table.remove(kinds_of(WatchKind::data), {1}, "/a"));
  EXPECT_FALSE(table.remove(kinds_of(WatchKind::data), {1}, "/a"));
  EXPECT_EQ(fired(table, EventKind::data_changed, "/a"), (Connections{{1}, {2}}));
  EXPECT_TRUE(table.remove(kinds_of(WatchKind::persistent), {1}, "/a"));
  EXPECT_TRUE(table.remove(kinds_of(WatchKind::recursive), {1}, "/a"));
  EXPECT_EQ(fired(table, EventKind::data_changed, "/a"), Connections{{2}});
  EXPECT_EQ(table.size_of({1}), 1U);
  EXPECT_TRUE(table.remove(every_watch_kind, {1}, "/a"));
  EXPECT_TRUE(table.remove(every_watch_kind, {2}, "/a"));
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(table.path_count(), 0U);
  EXPECT_EQ(table.connection_count(), 0U);
}

TEST(WatchTable, WhoLeftWithManyWatchesIsForgottenInSlicesAndHearsNothingMeanwhile) {
  constexpr std::size_t turns = 3;
  constexpr auto watches = (turns + 1) * limits::watches_forgotten_per_turn;
  WatchTable table;
  for (std::size_t i = 0; i < watches; ++i) {
    const std::string path = "/a/" + std::to_string(i);
    table.add(i % 2 == 0 ? WatchKind::persistent : WatchKind::data, {1}, path);
    table.add(WatchKind::recursive, {1}, path);
  }
  table.add(WatchKind::data, {2}, "/a/0");
  table.remove_connection({1});
  EXPECT_EQ(table.size(), 1U);
  EXPECT_EQ(table.size_of({1}), 0U);
  EXPECT_EQ(table.connection_count(), 1U);
  EXPECT_EQ(fired(table, EventKind::data_changed, "/a/0"), Connections{{2}});
  EXPECT_EQ(fired(table, EventKind::data_changed, "/a/1"), Connections{});
  std::size_t left = table.path_count();
  for (std::size_t turn = 0; turn < 2 * (turns + 1); ++turn) {
    table.on_turn_end();
    EXPECT_LE(left - table.path_count(), limits::watches_forgotten_per_turn);
    left = table.path_count();
  }
  EXPECT_EQ(left, 0U);
}

TEST(WatchTable, ShowsWhatItHolds) {
  WatchTable table;
  table.add(WatchKind::data, {1}, "/a");
  table.add(WatchKind::child, {1}, "/a");
  table.add(WatchKind::recursive, {1}, "/a");
  table.add(WatchKind::persistent, {2}, "/b");
  table.add(WatchKind::data, {3}, "/b");
  table.remove_connection({3});
  std::multiset<std::tuple<std::string, ConnectionId, WatchKinds>> seen;
  table.for_each([&](std::string_view path, ConnectionId connection, WatchKinds kinds) {
    seen.emplace(path, connection, kinds);
  });
  EXPECT_EQ(seen, (std::multiset<std::tuple<std::string, ConnectionId, WatchKinds>>{
                      {"/a", {1}, kinds_of(WatchKind::data) | kinds_of(WatchKind::child)},
                      {"/a", {1}, kinds_of(WatchKind::recursive)},
                      {"/b", {2}, kinds_of(WatchKind::persistent)}}));
}

// The same thing without any cleverness.
class PlainWatches {
 public:
  void add(WatchKind kind, std::uint64_t connection, const std::string& path) {
    set_.emplace(path, connection, kind);
  }

  bool remove(WatchKinds kinds, std::uint64_t connection, const std::string& path) {
    return std::erase_if(set_, [&](const auto& watch) {
             const auto& [watched, watcher, kind] = watch;
             return watched == path && watcher == connection && (kinds_of(kind) & kinds) != 0;
           }) > 0;
  }

  Connections fire(EventKind event, const std::string& path) {
    std::set<ConnectionId> notified;
    std::erase_if(set_, [&](const auto& watch) {
      const auto& [watched, connection, kind] = watch;
      if (!concerns(event, path, kind, watched)) {
        return false;
      }
      notified.insert({connection});
      return kind == WatchKind::data || kind == WatchKind::child;
    });
    return {notified.begin(), notified.end()};
  }

  void remove_connection(std::uint64_t connection) {
    std::erase_if(set_, [&](const auto& watch) { return std::get<1>(watch) == connection; });
  }

  std::size_t size() const { return set_.size(); }
  std::size_t path_count() const {
    std::set<std::string> paths;
    for (const auto& watch : set_) {
      paths.insert(std::get<0>(watch));
    }
    return paths.size();
  }

 private:
  static bool concerns(EventKind event, const std::string& path, WatchKind kind,
                       const std::string& watched) {
    const bool is_of_children = event == EventKind::children_changed;
    switch (kind) {
      case WatchKind::data:
        return watched == path && !is_of_children;
      case WatchKind::child:
        return watched == path && (is_of_children || event == EventKind::deleted);
      case WatchKind::persistent:
        return watched == path;
      case WatchKind::recursive:
        return !is_of_children &&
               (watched == path || watched == "/" || path.starts_with(watched + "/"));
    }
    return false;
  }

  std::set<std::tuple<std::string, std::uint64_t, WatchKind>> set_{};
};

std::string any_path(Random& random) {
  std::string path = "/" + std::to_string(random.below(6));
  while (random.below(3) != 0) {
    path += "/" + std::to_string(random.below(3));
  }
  return random.below(20) == 0 ? "/" : path;
}

TEST(WatchTable, DoesWhatAPlainSetDoes) {
  constexpr EventKind events[] = {EventKind::created, EventKind::deleted, EventKind::data_changed,
                                  EventKind::children_changed};
  constexpr WatchKind kinds[] = {WatchKind::data, WatchKind::child, WatchKind::persistent,
                                 WatchKind::recursive};
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Random random{seed};
    WatchTable table;
    PlainWatches plain;
    std::uint64_t newest = 20;
    for (int step = 0; step < 5'000; ++step) {
      const std::string path = any_path(random);
      const std::uint64_t connection = newest - random.below(20);
      const std::uint64_t choice = random.below(100);
      if (choice < 70) {
        const WatchKind kind = kinds[random.below(random.below(3) == 0 ? 4 : 2)];
        table.add(kind, {connection}, path);
        plain.add(kind, connection, path);
      } else if (choice < 85) {
        const EventKind event = events[random.below(4)];
        ASSERT_EQ(fired(table, event, path), plain.fire(event, path)) << "seed " << seed;
      } else if (choice < 95) {
        const auto asked = static_cast<WatchKinds>(random.below(16));
        ASSERT_EQ(table.remove(asked, {connection}, path), plain.remove(asked, connection, path));
      } else if (choice < 99) {
        table.remove_connection({connection});
        plain.remove_connection(connection);
        ++newest;
      } else {
        table.on_turn_end();
        ASSERT_EQ(table.path_count(), plain.path_count()) << "seed " << seed << " step " << step;
      }
      ASSERT_EQ(table.size(), plain.size()) << "seed " << seed << " step " << step;
    }
  }
}

}  // namespace
}  // namespace zabfs::replication::tree
