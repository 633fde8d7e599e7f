// The window of history: what it knows, what it forgets, and what it must keep.
#include "replication/zab/history.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace zabfs::replication::zab {
namespace {

constexpr std::size_t record_bytes = 10;

ProposalPtr entry(Zxid zxid) {
  return std::make_shared<const Proposal>(Proposal{.zxid = zxid, .record = Bytes(record_bytes)});
}

// base 1.2 | 1.3 1.4 3.1 3.2: epoch 2 left no trace.
History sample(std::size_t bytes_max = 1'000) {
  History history(Zxid::at({1}, 2), bytes_max);
  for (const Zxid zxid : {Zxid::at({1}, 3), Zxid::at({1}, 4), Zxid::at({3}, 1), Zxid::at({3}, 2)}) {
    history.append(entry(zxid));
  }
  return history;
}

std::vector<Zxid> after(const History& history, Zxid zxid) {
  std::vector<Zxid> found;
  history.for_each_after(zxid, [&](const ProposalPtr& e) { found.push_back(e->zxid); });
  return found;
}

TEST(History, BeginsBehindItsBaseWithNothing) {
  const History history({Zxid::at({2}, 7)}, 0);
  EXPECT_EQ(history.base(), Zxid::at({2}, 7));
  EXPECT_EQ(history.last(), Zxid::at({2}, 7));
  EXPECT_TRUE(history.contains(Zxid::at({2}, 7)));
  EXPECT_TRUE(after(history, {}).empty());
}

TEST(History, ContainsItsBaseAndItsEntriesAndNothingElse) {
  const History history = sample();
  for (const Zxid inside :
       {Zxid::at({1}, 2), Zxid::at({1}, 3), Zxid::at({1}, 4), Zxid::at({3}, 1), Zxid::at({3}, 2)}) {
    EXPECT_TRUE(history.contains(inside)) << inside;
  }
  for (const Zxid outside :
       {Zxid{}, Zxid::at({1}, 1), Zxid::at({1}, 5), Zxid::at({2}, 0), Zxid::at({2}, 1),
        Zxid::at({3}, 0), Zxid::at({3}, 3), Zxid{~std::uint64_t{0}}}) {
    EXPECT_FALSE(history.contains(outside)) << outside;
  }
}

TEST(History, GivesWhatIsBehindAZxidWhetherItHasThatOrNot) {
  const History history = sample();
  const std::vector<Zxid> of_epoch_3{Zxid::at({3}, 1), Zxid::at({3}, 2)};
  EXPECT_EQ(after(history, Zxid::at({1}, 4)), of_epoch_3);
  EXPECT_EQ(after(history, Zxid::at({2}, 9)), of_epoch_3);
  EXPECT_EQ(after(history, Zxid{}).size(), 4U);
  EXPECT_TRUE(after(history, Zxid::at({3}, 2)).empty());
  EXPECT_TRUE(after(history, Zxid{~std::uint64_t{0}}).empty());
}

TEST(History, FindsThePredecessorInTheSameEpochOnly) {
  const History history = sample();
  EXPECT_EQ(history.predecessor_in_epoch(Zxid::at({1}, 9)), Zxid::at({1}, 4));
  EXPECT_EQ(history.predecessor_in_epoch(Zxid::at({1}, 4)), Zxid::at({1}, 3));
  EXPECT_EQ(history.predecessor_in_epoch(Zxid::at({1}, 3)), Zxid::at({1}, 2));
  EXPECT_EQ(history.predecessor_in_epoch(Zxid::at({3}, 8)), Zxid::at({3}, 2));
  EXPECT_EQ(history.predecessor_in_epoch(Zxid::at({3}, 1)), std::nullopt);
  EXPECT_EQ(history.predecessor_in_epoch(Zxid::at({2}, 5)), std::nullopt);
  EXPECT_EQ(history.predecessor_in_epoch(Zxid::at({4}, 1)), std::nullopt);
}

TEST(History, KnowsNothingBeforeItsBase) {
  const History history = sample();
  EXPECT_EQ(history.predecessor_in_epoch(Zxid::at({1}, 2)), std::nullopt);
  EXPECT_EQ(history.predecessor_in_epoch(Zxid::at({1}, 1)), std::nullopt);
  EXPECT_EQ(history.predecessor_in_epoch(Zxid{}), std::nullopt);
}

TEST(History, TruncationDropsWhatIsBehindAndGoesOnFromThere) {
  History history = sample();
  history.truncate_after(Zxid::at({1}, 4));
  EXPECT_EQ(history.last(), Zxid::at({1}, 4));
  history.append(entry(Zxid::at({4}, 1)));
  EXPECT_EQ(history.last(), Zxid::at({4}, 1));
  history.truncate_after(history.base());
  EXPECT_EQ(history.last(), Zxid::at({1}, 2));
}

TEST(History, TrimForgetsTheFrontDownToItsBound) {
  History history = sample(2 * record_bytes);
  history.trim(Zxid::at({3}, 2));
  EXPECT_EQ(history.base(), Zxid::at({1}, 4));
  EXPECT_EQ(after(history, {}).size(), 2U);
}

TEST(History, TrimKeepsWhatIsNotDelivered) {
  History history = sample(0);
  history.trim(Zxid::at({1}, 3));
  EXPECT_EQ(history.base(), Zxid::at({1}, 3));
  EXPECT_EQ(after(history, {}).size(), 3U);
  history.trim(Zxid{});
  EXPECT_EQ(history.base(), Zxid::at({1}, 3));
  history.trim(Zxid::at({9}, 1));
  EXPECT_EQ(history.base(), Zxid::at({3}, 2));
  EXPECT_EQ(history.last(), Zxid::at({3}, 2));
}

// The bytes of what was truncated do not push out what is left.
TEST(History, TruncatedBytesDoNotCount) {
  History history = sample(2 * record_bytes);
  history.truncate_after(Zxid::at({1}, 4));
  history.trim(Zxid::at({1}, 4));
  EXPECT_EQ(history.base(), Zxid::at({1}, 2));
}

TEST(History, StartsAnewWithTheSameBound) {
  History history = sample(record_bytes).starting_anew(Zxid::at({5}, 5));
  EXPECT_EQ(history.base(), Zxid::at({5}, 5));
  history.append(entry(Zxid::at({5}, 6)));
  history.append(entry(Zxid::at({5}, 7)));
  history.trim(Zxid::at({5}, 7));
  EXPECT_EQ(history.base(), Zxid::at({5}, 6));
}

TEST(HistoryDeathTest, RefusesAGapAndATruncationToWhatItDoesNotKnow) {
  History history = sample();
  EXPECT_DEATH(history.append(entry(Zxid::at({3}, 4))), "history ends at 3.2");
  EXPECT_DEATH(history.append(entry(Zxid::at({4}, 2))), "history ends at 3.2");
  EXPECT_DEATH(history.truncate_after(Zxid::at({2}, 1)), "history has no 2.1");
}

}  // namespace
}  // namespace zabfs::replication::zab
