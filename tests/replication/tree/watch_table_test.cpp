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

// The same thing without any cleverness.
class PlainWatches {
 public:
  void add(WatchKind kind, std::uint64_t connection, const std::string& path) {
    set_.emplace(path, connection, kind);
  }

  Connections fire(EventKind event, const std::string& path) {
    std::set<ConnectionId> notified;
    std::erase_if(set_, [&](const auto& watch) {
      const auto& [watched, connection, kind] = watch;
      const bool concerns = event == EventKind::deleted ||
                            (event == EventKind::children_changed) == (kind == WatchKind::child);
      if (watched != path || !concerns) {
        return false;
      }
      notified.insert({connection});
      return true;
    });
    return {notified.begin(), notified.end()};
  }

  void remove_connection(std::uint64_t connection) {
    std::erase_if(set_, [&](const auto& watch) { return std::get<1>(watch) == connection; });
  }

  std::size_t size() const { return set_.size(); }

 private:
  std::set<std::tuple<std::string, std::uint64_t, WatchKind>> set_{};
};

TEST(WatchTable, DoesWhatAPlainSetDoes) {
  constexpr EventKind kinds[] = {EventKind::created, EventKind::deleted, EventKind::data_changed,
                                 EventKind::children_changed};
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Random random{seed};
    WatchTable table;
    PlainWatches plain;
    for (int step = 0; step < 20'000; ++step) {
      const std::string path = "/" + std::to_string(random.below(30));
      const std::uint64_t connection = random.below(20);
      const std::uint64_t choice = random.below(100);
      if (choice < 80) {
        const WatchKind kind = random.below(2) == 0 ? WatchKind::data : WatchKind::child;
        table.add(kind, {connection}, path);
        plain.add(kind, connection, path);
      } else if (choice < 98) {
        const EventKind kind = kinds[random.below(4)];
        ASSERT_EQ(fired(table, kind, path), plain.fire(kind, path)) << "seed " << seed;
      } else {
        table.remove_connection({connection});
        plain.remove_connection(connection);
      }
      ASSERT_EQ(table.size(), plain.size()) << "seed " << seed << " step " << step;
    }
  }
}

}  // namespace
}  // namespace zabfs::replication::tree
