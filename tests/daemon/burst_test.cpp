#include "daemon/burst.hpp"

#include <gtest/gtest.h>

namespace zabfs::daemon {
namespace {

namespace limits = replication::limits;

// A wait in vain.
void wait_in_vain(Burst& burst) {
  ASSERT_TRUE(burst.begin(4, 2));
  ASSERT_FALSE(burst.is_over(3));
  burst.on_time_over();
  ASSERT_TRUE(burst.is_over(3));
}

// How many bursts pass before one is waited for; that one is over in time.
int bursts_not_waited_for(Burst& burst) {
  int skipped = 0;
  while (!burst.begin(4, 2)) {
    ++skipped;
  }
  return skipped;
}

TEST(BurstTest, WaitsUntilThoseWhoWereAnsweredAreBack) {
  Burst burst;
  ASSERT_TRUE(burst.begin(10, 4));
  EXPECT_FALSE(burst.is_over(4));
  EXPECT_FALSE(burst.is_over(9));
  EXPECT_TRUE(burst.is_over(10));
  EXPECT_TRUE(burst.is_over(1)) << "it is over once";
}

TEST(BurstTest, WaitsAlsoIfAllWereAnswered) {
  Burst burst;
  ASSERT_TRUE(burst.begin(2, 0));
  EXPECT_FALSE(burst.is_over(1));
  EXPECT_TRUE(burst.is_over(2));
}

TEST(BurstTest, NobodyWaitsWithoutAReason) {
  Burst burst;
  EXPECT_TRUE(burst.is_over(0)) << "nothing was ever answered";
  EXPECT_FALSE(burst.begin(1, 0)) << "a lone writer";
  EXPECT_TRUE(burst.is_over(0));
  EXPECT_FALSE(burst.begin(5, 5)) << "the disk did something else";
  EXPECT_TRUE(burst.is_over(5));
  EXPECT_FALSE(burst.begin(limits::burst_requests_max + 1, 1)) << "enough for a sync";
  EXPECT_TRUE(burst.is_over(1));
}

TEST(BurstTest, IsNotTriedAgainSoonAfterWaitsInVain) {
  Burst burst;
  wait_in_vain(burst);
  for (int skipped = 1; skipped <= 64; skipped *= 2) {
    EXPECT_EQ(bursts_not_waited_for(burst), skipped);
    burst.on_time_over();
  }
  for (int i = 0; i < 10; ++i) {
    bursts_not_waited_for(burst);
    burst.on_time_over();
  }
  EXPECT_EQ(bursts_not_waited_for(burst), static_cast<int>(limits::bursts_skipped_max));
}

TEST(BurstTest, IsTriedAgainSoonAfterOneThatWasNotInVain) {
  Burst burst;
  wait_in_vain(burst);
  bursts_not_waited_for(burst);
  burst.on_time_over();
  bursts_not_waited_for(burst);
  ASSERT_TRUE(burst.is_over(4));
  wait_in_vain(burst);
  EXPECT_EQ(bursts_not_waited_for(burst), 1);
}

TEST(BurstTest, TimeThatIsOverAfterTheBurstIsNoWaitInVain) {
  Burst burst;
  ASSERT_TRUE(burst.begin(4, 2));
  ASSERT_TRUE(burst.is_over(4));
  burst.on_time_over();
  EXPECT_EQ(bursts_not_waited_for(burst), 0);
}

}  // namespace
}  // namespace zabfs::daemon
