// Difference, truncation or snapshot: a table of the learner's last zxid.
#include "replication/zab/sync_plan.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace zabfs::replication::zab {
namespace {

// base 2.2 | 2.3 2.4 4.1 4.2: epoch 3 left no trace.
History leader() {
  History history(Zxid::at({2}, 2), 1'000);
  for (const Zxid zxid : {Zxid::at({2}, 3), Zxid::at({2}, 4), Zxid::at({4}, 1), Zxid::at({4}, 2)}) {
    history.append(std::make_shared<const Proposal>(Proposal{.zxid = zxid}));
  }
  return history;
}

std::string plan_for(const History& history, Zxid learner_last) {
  const SyncPlan plan = plan_synchronization(history, learner_last);
  std::ostringstream text;
  if (const auto* difference = std::get_if<Difference>(&plan)) {
    text << "difference from " << difference->from;
  } else if (const auto* truncate = std::get_if<Truncate>(&plan)) {
    text << "truncate to " << truncate->keep;
  } else {
    text << "snapshot";
  }
  return text.str();
}

TEST(SyncPlan, IsDecidedByTheLearnersLastTransaction) {
  struct Row {
    const char* learner;
    Zxid last;
    const char* plan;
  };
  const Row rows[] = {
      {"is up to date", Zxid::at({4}, 2), "difference from 4.2"},
      {"is in the window", Zxid::at({4}, 1), "difference from 4.1"},
      {"ends with an earlier epoch", Zxid::at({2}, 4), "difference from 2.4"},
      {"is at the base", Zxid::at({2}, 2), "difference from 2.2"},
      {"is behind the base", Zxid::at({2}, 1), "snapshot"},
      {"is of an epoch before the base", Zxid::at({1}, 9), "snapshot"},
      {"is empty", Zxid{}, "snapshot"},
      {"is ahead in the last epoch", Zxid::at({4}, 5), "truncate to 4.2"},
      {"is ahead in an earlier epoch", Zxid::at({2}, 7), "truncate to 2.4"},
      {"is of an epoch that left no trace", Zxid::at({3}, 1), "snapshot"},
      {"is of an epoch that nobody knows", Zxid::at({5}, 1), "snapshot"},
      {"names the beginning of an epoch", Zxid::at({4}, 0), "snapshot"},
      {"names the end of time", Zxid{~std::uint64_t{0}}, "snapshot"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(plan_for(leader(), row.last), row.plan) << row.learner;
  }
}

TEST(SyncPlan, AnEmptyEnsembleNeedsNoSnapshot) {
  EXPECT_EQ(plan_for(History({}, 0), Zxid{}), "difference from 0.0");
}

// The base is in this history, and in its epoch.
TEST(SyncPlan, AWindowWithoutEntriesStillTruncatesToItsBase) {
  EXPECT_EQ(plan_for(History(Zxid::at({2}, 2), 0), Zxid::at({2}, 3)), "truncate to 2.2");
  EXPECT_EQ(plan_for(History(Zxid::at({2}, 2), 0), Zxid::at({3}, 1)), "snapshot");
}

}  // namespace
}  // namespace zabfs::replication::zab
