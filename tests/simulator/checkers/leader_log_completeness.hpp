// LeaderLogCompleteness: when a leader is established, its log holds every transaction that anybody
// has delivered, with equal bytes; and it holds it for sure, whatever happens to its power.
//
// CommittedLogMonotonicity: nothing is truncated that was delivered.
#pragma once

#include "replication/ports/trace.hpp"
#include "tests/simulator/checkers/prefix_consistency.hpp"
#include "tests/support/sim_disk.hpp"

namespace zabfs::test {

class LeaderLogCompleteness {
 public:
  LeaderLogCompleteness(Findings& findings, const PrefixConsistency& prefix)
      : findings_(findings), prefix_(prefix) {}

  // `disk` is that of the server.
  void on_trace(replication::ServerId at, const replication::TraceEvent& event,
                const SimDisk& disk);

 private:
  void expect_whole_history(replication::ServerId at, const replication::LeadershipBegan& began,
                            const DurableLog& log);

  Findings& findings_;
  const PrefixConsistency& prefix_;
};

}  // namespace zabfs::test
