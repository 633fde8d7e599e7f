// The leader's side of broadcast: counters, acknowledgements, commits.
#include "replication/zab/broadcast.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "replication/zab/quorum.hpp"

namespace zabfs::replication::zab {
namespace {

constexpr ServerId one{1};
constexpr ServerId two{2};
constexpr ServerId three{3};
constexpr std::uint32_t counter_max = std::numeric_limits<std::uint32_t>::max();

TEST(Quorum, IsMoreThanHalf) {
  EXPECT_EQ(majority_of(1), 1U);
  EXPECT_EQ(majority_of(2), 2U);
  EXPECT_EQ(majority_of(3), 2U);
  EXPECT_EQ(majority_of(4), 3U);
  EXPECT_EQ(majority_of(5), 3U);
}

TEST(Quorum, ReachesWhatTheMajoritysSlowestMemberReached) {
  const std::vector<Zxid> voters = {{5}, {9}, {7}};
  EXPECT_EQ(reached_by_majority(voters), Zxid{7});
  EXPECT_EQ(reached_by_majority(std::vector<Zxid>{{5}, {9}}), Zxid{5});
  EXPECT_EQ(reached_by_majority(std::vector<Zxid>{{4}}), Zxid{4});
}

TEST(Broadcast, StartsEachEpochAtCounterOne) {
  Broadcast leader({3}, Zxid::at({2}, 17), {one}, counter_max);
  EXPECT_EQ(leader.proposed(), Zxid::at({2}, 17));
  EXPECT_EQ(leader.propose(), Zxid::at({3}, 1));
  EXPECT_EQ(leader.propose(), Zxid::at({3}, 2));
}

TEST(Broadcast, CommitsWhatTheOnlyVoterHasOnDisk) {
  Broadcast leader({1}, Zxid{}, {one}, counter_max);
  leader.propose();
  const Zxid second = leader.propose();
  EXPECT_EQ(leader.committed(), Zxid{});
  leader.acknowledge(one, second);
  EXPECT_EQ(leader.committed(), second);
}

TEST(Broadcast, WaitsForAMajorityAndIgnoresThoseWhoDoNotVote) {
  Broadcast leader({1}, Zxid{}, {one, two, three}, counter_max);
  const Zxid first = leader.propose();
  leader.acknowledge(one, first);
  leader.acknowledge({9}, first);
  EXPECT_EQ(leader.committed(), Zxid{});
  leader.acknowledge(three, first);
  EXPECT_EQ(leader.committed(), first);
}

TEST(Broadcast, NeverTakesACommitBack) {
  Broadcast leader({1}, Zxid{}, {one}, counter_max);
  const Zxid first = leader.propose();
  leader.acknowledge(one, first);
  leader.acknowledge(one, Zxid{});
  EXPECT_EQ(leader.committed(), first);
}

TEST(Broadcast, IsExhaustedByTheLastTransactionOfItsEpoch) {
  Broadcast leader({2}, Zxid::at({1}, 2), {one}, 2);
  EXPECT_FALSE(leader.is_exhausted());
  leader.propose();
  EXPECT_FALSE(leader.is_exhausted());
  leader.propose();
  EXPECT_TRUE(leader.is_exhausted());
}

TEST(BroadcastDeathTest, RefusesAnAcknowledgementOfWhatWasNeverProposed) {
  Broadcast leader({1}, Zxid{}, {one}, counter_max);
  EXPECT_DEATH(leader.acknowledge(one, Zxid::at({1}, 1)), "acknowledged 1.1");
}

TEST(BroadcastDeathTest, RefusesAnEpochThatDoesNotFollowItsHistory) {
  EXPECT_DEATH(Broadcast({2}, Zxid::at({2}, 1), {one}, counter_max), "does not follow");
}

}  // namespace
}  // namespace zabfs::replication::zab
