// Phase 3 on the leader: which zxid comes next, who has it on disk, and what is committed.
//
//   propose()                 gives out the epoch's counters, one by one
//   acknowledge(who, zxid)    `who` has everything up to zxid on its disk; cumulative, because
//                             links and logs are first in, first out
//   committed()               what a quorum of the voters has acknowledged
//
// The leader is a voter like the others: it acknowledges to itself, after its own sync. An ensemble
// of one therefore commits exactly what its disk holds.
//
// Invariant: committed <= proposed, and nobody acknowledges what was not proposed.
#pragma once

#include <cstdint>
#include <map>

#include "replication/model/ids.hpp"
#include "replication/zab/quorum.hpp"

namespace zabfs::replication::zab {

class Broadcast {
 public:
  // A new reign that continues a log which ends at `history_end` and which a quorum already holds:
  // Zab lets a leader begin only then. The epoch has `counter_max` transactions at the most, at
  // least 1. `quorums` outlives this object.
  Broadcast(Epoch epoch, Zxid history_end, const Quorums& quorums, std::uint32_t counter_max);

  // The zxid that propose() will give out next. Not to be asked when is_exhausted().
  Zxid next() const;

  // Gives out next().
  Zxid propose();

  // True once the counter is used up: another epoch must begin (ZOOKEEPER-1277).
  bool is_exhausted() const;

  // Acknowledgements from servers that do not vote are ignored (ZOOKEEPER-2959).
  void acknowledge(ServerId from, Zxid up_to);

  // The last zxid given out, or the end of the history if none was.
  Zxid proposed() const { return proposed_; }

  Zxid committed() const { return committed_; }

 private:
  const Quorums* quorums_;
  Epoch epoch_;
  Zxid last_;  // that this epoch has
  Zxid proposed_;
  Zxid committed_;
  std::map<ServerId, Zxid> acknowledged_;  // of voters, since the epoch began
};

}  // namespace zabfs::replication::zab
