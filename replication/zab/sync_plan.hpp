// How a learner's history becomes the beginning of the leader's: the decision alone.
//
//   the learner's last zxid ...                                   ... gets
//   is in the leader's window                                     the difference
//   is not, but the window has one before it of the same epoch    a truncation to that, then the
//                                                                 difference
//   is anything else: too old, or of an epoch that left no trace  a snapshot
//
// Truncation stays within the epoch of the learner's last zxid, because only there the learner is
// sure to have the exact transaction to truncate to (ZAB.md, sections 3.1 and 10, H3).
#pragma once

#include <variant>

#include "replication/model/ids.hpp"
#include "replication/zab/history.hpp"
#include "replication/zab/messages.hpp"

namespace zabfs::replication::zab {

struct WholeSnapshot {};

using SyncPlan = std::variant<Difference, Truncate, WholeSnapshot>;

// `learner_last` is the end of the learner's log.
SyncPlan plan_synchronization(const History& leader, Zxid learner_last);

}  // namespace zabfs::replication::zab
