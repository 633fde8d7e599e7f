// The order that primaries give to history:
//
//   LocalPrimaryOrder    within an epoch, transactions come as they were proposed, none left out
//   GlobalPrimaryOrder   epochs do not interleave
//   PrimaryIntegrity     a primary proposes only after it has delivered everything of earlier
//   epochs
//                        that anybody ever delivers
#pragma once

#include <cstddef>
#include <map>

#include "tests/simulator/checkers/prefix_consistency.hpp"

namespace zabfs::test {

class PrimaryOrder {
 public:
  PrimaryOrder(Findings& findings, const PrefixConsistency& prefix)
      : findings_(findings), prefix_(prefix) {}

  // To be called after PrefixConsistency has heard the event.
  void on_trace(replication::ServerId at, const replication::TraceEvent& event);

  // To be called after PrefixConsistency has, too.
  void on_started() { look_at_new_history(); }

 private:
  void look_at_new_history();

  Findings& findings_;
  const PrefixConsistency& prefix_;
  std::size_t seen_{};  // of history
  std::map<replication::Epoch, replication::Zxid> last_proposed_{};
  std::map<replication::Epoch, std::size_t> delivered_before_{};  // by its primary, when it began
};

}  // namespace zabfs::test
