#include "replication/pipeline/large_writes.hpp"

#include <gtest/gtest.h>

#include "replication/model/limits.hpp"

namespace zabfs::replication::pipeline {
namespace {

constexpr std::size_t small = 100;
constexpr std::size_t large = 1UL << 20;
constexpr std::size_t made_up_for =
    large / static_cast<std::size_t>(limits::large_bytes_for_each_small_write);

class LargeWritesTest : public testing::Test {
 protected:
  void take(std::size_t bytes) { writes_.on_taken(bytes, now_us_); }
  void answer(std::size_t bytes) {
    writes_.on_applied(bytes, now_us_);
    writes_.on_answered(bytes, now_us_);
  }
  void carry_out(std::size_t bytes) {
    take(bytes);
    now_us_ += 1;
    answer(bytes);
  }
  bool may_take() const { return writes_.may_take(now_us_); }

  LargeWrites writes_;
  std::int64_t now_us_{1'000'000};
};

TEST_F(LargeWritesTest, WhoIsAloneIsNotHeldBack) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(may_take());
    take(large);
  }
  answer(large);
  EXPECT_TRUE(may_take());
}

TEST_F(LargeWritesTest, OneIsPaidForBySmallOnes) {
  carry_out(large);
  for (std::size_t i = 0; i < made_up_for; ++i) {
    take(small);
    EXPECT_FALSE(may_take()) << i;
    answer(small);
  }
  EXPECT_TRUE(may_take());
}

TEST_F(LargeWritesTest, SmallOnesOfOtherServersPayToo) {
  carry_out(large);
  writes_.on_applied(small, now_us_);
  EXPECT_FALSE(may_take());
  for (std::size_t i = 1; i < made_up_for; ++i) {
    writes_.on_applied(small, now_us_);
  }
  EXPECT_TRUE(may_take());
}

TEST_F(LargeWritesTest, ThoseTakenTogetherArePaidForTogether) {
  carry_out(small);
  carry_out(large);
  carry_out(small);
  take(large);
  take(small);
  for (std::size_t i = 0; i + 1 < made_up_for; ++i) {
    writes_.on_applied(small, now_us_);
  }
  EXPECT_FALSE(may_take());
  for (std::size_t i = 0; i < made_up_for; ++i) {
    writes_.on_applied(small, now_us_);
  }
  EXPECT_TRUE(may_take());
}

TEST_F(LargeWritesTest, APauseOfTheOthersIsEnough) {
  take(large);
  take(small);
  now_us_ += limits::large_write_pause_us;
  EXPECT_FALSE(may_take()) << "the small one waits behind the large one";
  answer(large);
  answer(small);
  EXPECT_FALSE(may_take());
  now_us_ += limits::large_write_pause_us;
  EXPECT_TRUE(may_take());
}

TEST_F(LargeWritesTest, NobodyIsHeldBackForLong) {
  take(large);
  const auto taken_us = now_us_;
  while (now_us_ < taken_us + limits::large_write_wait_us) {
    take(small);  // Is never applied: it fails.
    EXPECT_FALSE(may_take());
    now_us_ += limits::large_write_pause_us;
  }
  EXPECT_TRUE(may_take());
}

}  // namespace
}  // namespace zabfs::replication::pipeline
