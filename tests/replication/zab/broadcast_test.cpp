// The leader's side of broadcast: counters, acknowledgements, commits.
#include "replication/zab/broadcast.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace zabfs::replication::zab {
namespace {

constexpr ServerId one{1};
constexpr ServerId two{2};
constexpr ServerId three{3};
constexpr std::uint32_t counter_max = std::numeric_limits<std::uint32_t>::max();

const Membership alone(Ensemble{}, one);
const Membership trio({.members = {{.id = one}, {.id = two}, {.id = three}}}, one);

TEST(Broadcast, StartsEachEpochAtCounterOne) {
  Broadcast leader({3}, Zxid::at({2}, 17), alone, counter_max);
  EXPECT_EQ(leader.proposed(), Zxid::at({2}, 17));
  EXPECT_EQ(leader.propose(), Zxid::at({3}, 1));
  EXPECT_EQ(leader.propose(), Zxid::at({3}, 2));
}

TEST(Broadcast, CommitsWhatTheOnlyVoterHasOnDisk) {
  Broadcast leader({1}, Zxid{}, alone, counter_max);
  leader.propose();
  const Zxid second = leader.propose();
  EXPECT_EQ(leader.committed(), Zxid{});
  leader.acknowledge(one, second);
  EXPECT_EQ(leader.committed(), second);
}

TEST(Broadcast, WaitsForAQuorumAndIgnoresThoseWhoDoNotVote) {
  Broadcast leader({1}, Zxid{}, trio, counter_max);
  const Zxid first = leader.propose();
  leader.acknowledge(one, first);
  leader.acknowledge({9}, first);
  EXPECT_EQ(leader.committed(), Zxid{});
  leader.acknowledge(three, first);
  EXPECT_EQ(leader.committed(), first);
}

TEST(Broadcast, NeverTakesACommitBack) {
  Broadcast leader({1}, Zxid{}, alone, counter_max);
  const Zxid first = leader.propose();
  leader.acknowledge(one, first);
  leader.acknowledge(one, Zxid{});
  EXPECT_EQ(leader.committed(), first);
}

// A follower that has synchronized is at the history's end before it acknowledges anything new.
TEST(Broadcast, CommitsNothingForAVoterThatHasOnlyTheHistory) {
  Broadcast leader({2}, Zxid::at({1}, 4), trio, counter_max);
  const Zxid first = leader.propose();
  leader.acknowledge(one, first);
  leader.acknowledge(two, Zxid::at({1}, 4));
  EXPECT_EQ(leader.committed(), Zxid::at({1}, 4));
  leader.acknowledge(two, first);
  EXPECT_EQ(leader.committed(), first);
}

TEST(Broadcast, IsExhaustedByTheLastTransactionOfItsEpoch) {
  Broadcast leader({2}, Zxid::at({1}, 2), alone, 2);
  EXPECT_FALSE(leader.is_exhausted());
  leader.propose();
  EXPECT_FALSE(leader.is_exhausted());
  leader.propose();
  EXPECT_TRUE(leader.is_exhausted());
}

TEST(BroadcastDeathTest, RefusesAnAcknowledgementOfWhatWasNeverProposed) {
  Broadcast leader({1}, Zxid{}, alone, counter_max);
  EXPECT_DEATH(leader.acknowledge(one, Zxid::at({1}, 1)), "acknowledged 1.1");
}

TEST(BroadcastDeathTest, RefusesAnEpochThatDoesNotFollowItsHistory) {
  EXPECT_DEATH(Broadcast({2}, Zxid::at({2}, 1), alone, counter_max), "does not follow");
}

}  // namespace
}  // namespace zabfs::replication::zab
