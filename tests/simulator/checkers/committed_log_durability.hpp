// CommittedLogDurability: whatever anybody has delivered is in the durable logs of a quorum of
// voters, even if the power failed everywhere now and nothing unsynced survived.
//
// ProcessConsistency: what a server has delivered is in its own durable log, too.
#pragma once

#include <string_view>
#include <vector>

#include "replication/model/ensemble.hpp"
#include "tests/simulator/checkers/prefix_consistency.hpp"
#include "tests/support/sim_disk.hpp"

namespace zabfs::test {

class CommittedLogDurability {
 public:
  struct Server {
    replication::ServerId id{};
    const SimDisk* disk{};
  };

  CommittedLogDurability(Findings& findings, const PrefixConsistency& prefix)
      : findings_(findings), prefix_(prefix) {}

  // `servers`: all of `ensemble`.
  void check(const replication::Ensemble& ensemble, const std::vector<Server>& servers,
             std::string_view when);

 private:
  Findings& findings_;
  const PrefixConsistency& prefix_;
};

}  // namespace zabfs::test
