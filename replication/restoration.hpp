// A snapshot in the place of everything, while the ensemble runs (docs/decisions/0008).
//
//   read_state        checks a snapshot's file from its first byte to its last
//        |
//   Replica::restore  cuts the state into pieces, which the leader writes into the tree as znodes
//        |            that nobody can read, a few ahead of what is applied
//        |
//   Restore           one transaction at the end: every replica puts the pieces together, and that
//                     is the tree; and the sessions are those of the snapshot
//
// All of it are transactions of the one log. So a server that was away hears of it as of anything
// else, from the log or as a snapshot, and no crash leaves anything between the old state and the
// new one. A restore that comes to nothing leaves pieces, which the leader removes.
//
// Zxids only ascend: for a snapshot with higher ones than the ensemble has, the leader first makes
// way for an epoch above them. So clients of either history may come back.
//
// Of the state that is replaced, only the ensemble's configuration stays. Every connection is
// closed, so that clients set their watches again; whatever a watch was set on before is overdue.
#pragma once

#include <functional>
#include <string>
#include <variant>

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "replication/session/session_table.hpp"
#include "replication/tree/data_tree.hpp"

namespace zabfs::replication {

struct RestorableState {
  tree::DataTree tree{};
  session::SessionTable sessions{};
};

// What the bytes of a snapshot file hold, or a sentence about what is wrong with them. Safe on any
// bytes.
std::variant<RestorableState, std::string> read_state(ByteView file);

// The zxid of the Restore, once it is applied here; or why nothing was restored, as a sentence.
using RestorationDone = std::function<void(const std::variant<Zxid, std::string>&)>;

}  // namespace zabfs::replication
