#include "fusefs/client/watch_book.hpp"

#include <gtest/gtest.h>

namespace zabfs::fusefs::client {
namespace {

using replication::ErrorCode;
using namespace replication::protocol;

const GetDataRequest data{.path = "/a", .watch = true};
const ExistsRequest exists{.path = "/a", .watch = true};
const GetChildrenRequest child{.path = "/a", .watch = true};

TEST(WatchBook, AnEventTakesTheKindsThatItFires) {
  struct Row {
    Request request{};
    ErrorCode outcome{};
    EventType event{};
    bool fires{};
  };
  using enum EventType;
  const std::vector<Row> rows{
      {data, ErrorCode::ok, data_changed, true},
      {data, ErrorCode::ok, deleted, true},
      {data, ErrorCode::ok, children_changed, false},
      {exists, ErrorCode::ok, data_changed, true},
      {exists, ErrorCode::ok, deleted, true},
      {exists, ErrorCode::no_node, created, true},
      {exists, ErrorCode::no_node, children_changed, false},
      {child, ErrorCode::ok, children_changed, true},
      {child, ErrorCode::ok, deleted, true},
      {child, ErrorCode::ok, data_changed, false},
  };
  for (const auto& row : rows) {
    WatchBook book;
    book.record(row.request, row.outcome);
    SCOPED_TRACE(name_of(op_of(row.request)));
    SCOPED_TRACE(static_cast<int>(row.event));
    EXPECT_EQ(book.fire(row.event, "/a"), row.fires);
    EXPECT_EQ(book.batches(1).empty(), row.fires) << "a watch that fired is gone, others stay";
    EXPECT_FALSE(book.fire(row.event, "/a"));
  }
}

TEST(WatchBook, ADeletionTakesAllKindsAtOnce) {
  WatchBook book;
  book.record(data, ErrorCode::ok);
  book.record(exists, ErrorCode::no_node);
  book.record(child, ErrorCode::ok);
  EXPECT_TRUE(book.fire(EventType::deleted, "/a"));
  EXPECT_TRUE(book.batches(1).empty());
}

TEST(WatchBook, KeepsOneOfEachPathAndKind) {
  WatchBook book;
  for (int i = 0; i < 3; ++i) {
    book.record(data, ErrorCode::ok);
    book.record(exists, ErrorCode::ok);
  }
  const auto batches = book.batches(5);
  ASSERT_EQ(batches.size(), 1U);
  EXPECT_EQ(batches[0], Request(SetWatchesRequest{.relative_zxid = 5,
                                                  .data = std::vector<std::string>{"/a"},
                                                  .exist = std::vector<std::string>{},
                                                  .child = std::vector<std::string>{}}));
}

TEST(WatchBook, RecordsNothingThatTheServerDoesNotHold) {
  WatchBook book;
  book.record(data, ErrorCode::no_node);
  book.record(child, ErrorCode::no_node);
  book.record(exists, ErrorCode::no_auth);
  book.record(GetDataRequest{.path = "/a"}, ErrorCode::ok);
  book.record(SetDataRequest{.path = "/a"}, ErrorCode::ok);
  EXPECT_TRUE(book.batches(1).empty());
}

Request add(const std::string& path, AddWatchMode mode) {
  return AddWatchRequest{.path = path, .mode = static_cast<std::int32_t>(mode)};
}

Request removal(const std::string& path, WatcherType type) {
  return RemoveWatchesRequest{.path = path, .type = static_cast<std::int32_t>(type)};
}

TEST(WatchBook, WatchesThatStayFireAgainAndAgain) {
  using enum EventType;
  WatchBook book;
  book.record(add("/p", AddWatchMode::persistent), ErrorCode::ok);
  book.record(add("/r", AddWatchMode::persistent_recursive), ErrorCode::ok);
  for (int i = 0; i < 2; ++i) {
    for (const EventType type : {created, deleted, data_changed, children_changed}) {
      EXPECT_TRUE(book.fire(type, "/p"));
      EXPECT_FALSE(book.fire(type, "/p/c"));
      EXPECT_FALSE(book.fire(type, "/rest"));
      EXPECT_EQ(book.fire(type, "/r"), type != children_changed);
      EXPECT_EQ(book.fire(type, "/r/c/d"), type != children_changed);
    }
  }
  EXPECT_EQ(book.size(), 2U);
}

TEST(WatchBook, WhatIsRemovedIsNotSetAgain) {
  WatchBook book;
  for (const AddWatchMode mode : {AddWatchMode::persistent, AddWatchMode::persistent_recursive}) {
    book.record(add("/a", mode), ErrorCode::ok);
  }
  book.record(data, ErrorCode::ok);
  book.record(exists, ErrorCode::no_node);
  book.record(child, ErrorCode::ok);
  EXPECT_EQ(book.size(), 5U);
  book.record(removal("/a", WatcherType::data), ErrorCode::marshalling_error);
  EXPECT_EQ(book.size(), 5U);
  book.record(removal("/a", WatcherType::data), ErrorCode::ok);
  EXPECT_EQ(book.size(), 3U);
  book.record(removal("/a", WatcherType::children), ErrorCode::ok);
  book.record(removal("/a", WatcherType::persistent_recursive), ErrorCode::no_watcher);
  ASSERT_EQ(book.batches(5).size(), 1U);
  EXPECT_EQ(book.batches(5)[0],
            Request(SetWatches2Request{.relative_zxid = 5,
                                       .data = std::vector<std::string>{},
                                       .exist = std::vector<std::string>{},
                                       .child = std::vector<std::string>{},
                                       .persistent = std::vector<std::string>{"/a"},
                                       .persistent_recursive = std::vector<std::string>{}}));
  book.record(data, ErrorCode::ok);
  book.record(removal("/a", WatcherType::any), ErrorCode::ok);
  EXPECT_EQ(book.size(), 0U);
}

TEST(WatchBook, KeepsWhatIsNeededAndWhatStaysAnyway) {
  WatchBook book;
  book.record(GetDataRequest{.path = "/a", .watch = true}, ErrorCode::ok);
  book.record(GetDataRequest{.path = "/b", .watch = true}, ErrorCode::ok);
  book.record(ExistsRequest{.path = "/c", .watch = true}, ErrorCode::no_node);
  book.record(AddWatchRequest{.path = "/d"}, ErrorCode::ok);
  book.keep([](const std::string& path) { return path == "/b"; });
  EXPECT_EQ(book.size(), 2U);
  EXPECT_TRUE(book.fire(EventType::data_changed, "/b"));
  EXPECT_TRUE(book.fire(EventType::data_changed, "/d"));
}

// For reads, ZooKeeper takes the empty path for the root.
TEST(WatchBook, KeepsTheEmptyPathToo) {
  WatchBook book;
  book.record(GetDataRequest{.path = "", .watch = true}, ErrorCode::ok);
  EXPECT_EQ(book.batches(1).size(), 1U);
}

}  // namespace
}  // namespace zabfs::fusefs::client
