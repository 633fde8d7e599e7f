// One committed transaction takes effect on everything that is replicated: the tree and the
// sessions. Recovery, the running replica and a learner that is brought up to date all do it here.
#pragma once

#include "replication/session/session_table.hpp"
#include "replication/tree/data_tree.hpp"
#include "replication/tree/transaction.hpp"

namespace zabfs::replication {

// `applied` is overwritten with what it did.
void apply(const tree::Transaction& transaction, tree::DataTree& tree,
           session::SessionTable& sessions, tree::Applied& applied);

}  // namespace zabfs::replication
