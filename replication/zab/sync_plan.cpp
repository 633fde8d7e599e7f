#include "replication/zab/sync_plan.hpp"

namespace zabfs::replication::zab {

SyncPlan plan_synchronization(const History& leader, Zxid learner_last) {
  if (leader.contains(learner_last)) {
    return Difference{.from = learner_last};
  }
  if (const auto keep = leader.predecessor_in_epoch(learner_last)) {
    return Truncate{.keep = *keep};
  }
  return WholeSnapshot{};
}

}  // namespace zabfs::replication::zab
