// Phase 3 on the leader: which zxid comes next, who has it on disk, and what is committed.
//
//   propose()                 gives out the epoch's counters, one by one
//   acknowledge(who, zxid)    `who` has everything up to zxid on its disk; cumulative, because
//                             links and logs are first in, first out
//   committed()               what a quorum of the voters has acknowledged; while another
//                             configuration is on its way, of the voters of both
//
// The leader is a voter like the others: it acknowledges to itself, after its own sync. An ensemble
// of one therefore commits exactly what its disk holds.
//
// Invariant: committed <= proposed, and nobody acknowledges what was not proposed.
#pragma once

#include <cstdint>
#include <map>

#include "replication/model/ids.hpp"
#include "replication/zab/membership.hpp"

namespace zabfs::replication::zab {

class Broadcast {
 public:
  // A new reign that continues a log which ends at `history_end` and which a quorum already holds:
  // Zab lets a leader begin only then. The epoch has `counter_max` transactions at the most, at
  // least 1. `membership` outlives this object.
  Broadcast(Epoch epoch, Zxid history_end, const Membership& membership, std::uint32_t counter_max);

  // The zxid that propose() will give out next. Not to be asked when is_exhausted().
  Zxid next() const;

  // Gives out next().
  Zxid propose();

  // Gives out next(), to a transaction that puts another configuration on its way.
  Zxid propose_ensemble();

  // True once the counter is used up: another epoch must begin (ZOOKEEPER-1277).
  bool is_exhausted() const;

  // Those of servers that do not vote count for nothing (ZOOKEEPER-2959), until they do.
  void acknowledge(ServerId from, Zxid up_to);

  // Reckons again, after the membership has changed.
  void recount();

  // The last zxid given out, or the end of the history if none was.
  Zxid proposed() const { return proposed_; }

  Zxid committed() const { return committed_; }

 private:
  const Membership* membership_;
  Epoch epoch_;
  Zxid last_;  // that this epoch has
  Zxid proposed_;
  Zxid committed_;
  Zxid before_ensemble_{};                 // what was proposed before the last configuration
  std::map<ServerId, Zxid> acknowledged_;  // since the epoch began
};

}  // namespace zabfs::replication::zab
