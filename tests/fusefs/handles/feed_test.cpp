#include "fusefs/handles/feed.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace zabfs::fusefs::handles {
namespace {

TEST(Feed, IsReadInPiecesAndThenEnds) {
  Feed feed;
  EXPECT_FALSE(feed.is_ready());
  feed.add("one\n");
  feed.end();
  feed.add("late\n");
  EXPECT_EQ(feed.take(2), "on");
  EXPECT_EQ(feed.take(100), "e\n");
  EXPECT_TRUE(feed.is_ready());
  EXPECT_EQ(feed.take(100), "");
  EXPECT_EQ(feed.error(), 0);
}

TEST(Feed, WhatCameBeforeAFailureCanBeRead) {
  Feed feed;
  feed.add("one\n");
  feed.fail(EACCES);
  EXPECT_EQ(feed.error(), 0);
  EXPECT_EQ(feed.take(100), "one\n");
  EXPECT_EQ(feed.error(), EACCES);
}

TEST(Feed, WakesEveryWaitOnceAndForgetsWhoLeft) {
  Feed feed;
  int woken = 0;
  const auto wake = [&woken] { ++woken; };
  feed.when_ready(wake);
  const auto left = feed.when_ready(wake);
  feed.when_ready(wake);
  feed.forget(left);
  feed.add("x");
  feed.add("y");
  EXPECT_EQ(woken, 2);
  feed.when_ready(wake);
  EXPECT_EQ(woken, 3) << "it is ready already";
}

}  // namespace
}  // namespace zabfs::fusefs::handles
