#include "fusefs/cache/node_cache.hpp"

#include <gtest/gtest.h>

#include <string>

namespace zabfs::fusefs::cache {
namespace {

using replication::Bytes;
using replication::Stat;

Stat stat_at(std::int64_t mzxid) { return {.czxid = 1, .mzxid = mzxid, .data_length = 3}; }

TEST(NodeCache, KnowsNothingAtFirst) {
  NodeCache cache;
  EXPECT_EQ(cache.find("/a"), nullptr);
  cache.forget_node("/a");
  cache.forget_children("/a");
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.bytes(), 0U);
}

TEST(NodeCache, KeepsTheTwoPartsApart) {
  NodeCache cache;
  cache.learn_value("/a", Bytes{1, 2, 3}, stat_at(5));
  cache.learn_children("/a", {"x", "y"}, stat_at(5));
  cache.forget_node("/a");
  ASSERT_NE(cache.find("/a"), nullptr);
  EXPECT_EQ(cache.find("/a")->presence, Presence::unknown);
  EXPECT_EQ(cache.find("/a")->value, std::nullopt);
  EXPECT_EQ(*cache.find("/a")->children, (std::vector<std::string>{"x", "y"}));
  cache.forget_children("/a");
  EXPECT_EQ(cache.find("/a"), nullptr);
  EXPECT_EQ(cache.bytes(), 0U);
}

TEST(NodeCache, AStatOfTheSameVersionKeepsTheValueAndOfAnotherDropsIt) {
  NodeCache cache;
  cache.learn_value("/a", Bytes{1, 2, 3}, stat_at(5));
  cache.learn_stat("/a", stat_at(5));
  EXPECT_TRUE(cache.find("/a")->value.has_value());
  cache.learn_stat("/a", stat_at(6));
  EXPECT_FALSE(cache.find("/a")->value.has_value());
  EXPECT_EQ(cache.find("/a")->stat.mzxid, 6);
}

TEST(NodeCache, NullDataAreAValue) {
  NodeCache cache;
  cache.learn_value("/a", std::nullopt, Stat{.czxid = 1});
  ASSERT_TRUE(cache.find("/a")->value.has_value());
  EXPECT_FALSE(cache.find("/a")->value->has_value());
}

TEST(NodeCache, TheStatWithTheChildrenTellsMoreOfAKnownNodeOnly) {
  NodeCache cache;
  Stat with_child = stat_at(5);
  with_child.cversion = 1;
  cache.learn_children("/a", {"x"}, with_child);
  EXPECT_EQ(cache.find("/a")->presence, Presence::unknown);
  cache.learn_stat("/a", stat_at(5));
  EXPECT_EQ(cache.find("/a")->stat.cversion, 0);
  cache.learn_children("/a", {"x"}, with_child);
  EXPECT_EQ(cache.find("/a")->stat.cversion, 1);
}

TEST(NodeCache, AbsenceReplacesEverything) {
  NodeCache cache;
  cache.learn_value("/a", Bytes{1}, stat_at(5));
  cache.learn_children("/a", {}, stat_at(5));
  cache.learn_absent("/a");
  EXPECT_EQ(cache.find("/a")->presence, Presence::absent);
  EXPECT_FALSE(cache.find("/a")->value.has_value());
  EXPECT_EQ(cache.find("/a")->children, nullptr);
}

TEST(NodeCache, WhatWasUsedLeastRecentlyGoesFirst) {
  NodeCache cache({.entries = 2, .bytes = 1 << 20});
  cache.learn_stat("/a", stat_at(1));
  cache.learn_stat("/b", stat_at(1));
  EXPECT_NE(cache.find("/a"), nullptr);
  cache.learn_stat("/c", stat_at(1));
  EXPECT_EQ(cache.find("/b"), nullptr);
  EXPECT_NE(cache.find("/a"), nullptr);
  EXPECT_NE(cache.find("/c"), nullptr);
  EXPECT_EQ(cache.size(), 2U);
}

TEST(NodeCache, BytesAreBoundedToo) {
  NodeCache cache({.entries = 100, .bytes = 10'000});
  cache.learn_value("/a", Bytes(6'000), stat_at(1));
  cache.learn_value("/b", Bytes(6'000), stat_at(1));
  EXPECT_EQ(cache.find("/a"), nullptr);
  EXPECT_NE(cache.find("/b"), nullptr);
  EXPECT_LE(cache.bytes(), 10'000U);
  cache.learn_value("/c", Bytes(20'000), stat_at(1));
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.bytes(), 0U);
}

TEST(NodeCache, ForgettingEverythingLeavesNoBytes) {
  NodeCache cache;
  cache.learn_value("/a", Bytes(100), stat_at(1));
  cache.learn_children("/b", {"x"}, stat_at(1));
  cache.forget_all();
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.bytes(), 0U);
  EXPECT_EQ(cache.find("/a"), nullptr);
}

}  // namespace
}  // namespace zabfs::fusefs::cache
