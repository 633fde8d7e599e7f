#include "fusefs/views/observed.hpp"

#include <gtest/gtest.h>

namespace zabfs::fusefs::views {
namespace {

using client::WatchNotice;
using replication::Stat;
using replication::Zxid;
using replication::protocol::EventType;

std::string lines(const Observed& before, const Observed& now) {
  std::string text;
  for (const auto& change : changes_between(before, now, "/a", 99)) {
    text += change.line();
  }
  return text;
}

Observed there(std::int64_t czxid, std::int64_t mzxid, std::int64_t pzxid) {
  return {.exists = true, .czxid = czxid, .mzxid = mzxid, .pzxid = pzxid};
}

TEST(Observed, WhatIsTheSameHasNotChanged) {
  EXPECT_EQ(lines({}, {}), "");
  EXPECT_EQ(lines(there(1, 2, 3), there(1, 2, 3)), "");
}

TEST(Observed, EachKindOfChangeHasItsLineInTheOrderOfTheirZxids) {
  EXPECT_EQ(lines({}, there(5, 5, 5)), "5 created /a\n");
  EXPECT_EQ(lines({}, there(5, 7, 6)), "5 created /a\n6 children /a\n7 changed /a\n");
  EXPECT_EQ(lines(there(1, 2, 3), there(1, 8, 3)), "8 changed /a\n");
  EXPECT_EQ(lines(there(1, 2, 3), there(1, 2, 8)), "8 children /a\n");
  EXPECT_EQ(lines(there(1, 2, 3), {}), "99 deleted /a\n");
}

TEST(Observed, AnotherZnodeOfTheSameNameIsNotTakenForTheOld) {
  EXPECT_EQ(lines(there(1, 2, 3), there(5, 6, 5)), "5 deleted /a\n5 created /a\n6 changed /a\n");
}

// The root has the zxid 0.
TEST(Observed, TheRootIsThereThoughNobodyCreatedIt) {
  EXPECT_EQ(lines(there(0, 0, 0), there(0, 0, 4)), "4 children /a\n");
}

TEST(Observed, EventsBringItUpToDate) {
  Observed known;
  known.apply(EventType::created, 5);
  known.apply(EventType::children_changed, 6);
  known.apply(EventType::data_changed, 7);
  EXPECT_EQ(known, there(5, 7, 6));
  known.apply(EventType::deleted, 8);
  EXPECT_EQ(known, Observed{});
}

TEST(Observed, TheStatTellsTheZxidThatAnEventDoesNotCarry) {
  const Stat stat{.czxid = 1, .mzxid = 2, .pzxid = 3};
  const auto zxid = [&](EventType type, std::optional<Stat> now) {
    return zxid_of(WatchNotice{.type = type, .path = "/a"}, now, 99);
  };
  EXPECT_EQ(zxid(EventType::created, stat), 1);
  EXPECT_EQ(zxid(EventType::data_changed, stat), 2);
  EXPECT_EQ(zxid(EventType::children_changed, stat), 3);
  EXPECT_EQ(zxid(EventType::deleted, std::nullopt), 99);
  EXPECT_EQ(
      zxid_of(WatchNotice{.type = EventType::deleted, .path = "/a", .zxid = Zxid{42}}, stat, 99),
      42);
}

}  // namespace
}  // namespace zabfs::fusefs::views
