// Several servers' words about themselves, put together: who leads, who lags, and what is not as it
// should be.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/zabctl/replica_view.hpp"

namespace zabfs::daemon::zabctl {

enum class Health {
  well,        // all servers serve, and nothing is odd
  degraded,    // clients are served; the warnings say what is not well
  no_service,  // nobody was seen to serve clients
};

struct EnsembleView {
  std::vector<ReplicaView> replicas{};
  std::vector<std::string> warnings{};
  Health health{Health::well};

  // Transactions that a replica is behind the leader; nothing if there is none to compare with, or
  // if they are in different epochs.
  std::optional<std::uint64_t> lag_of(const ReplicaView& replica) const;
};

// `lag_max`: a replica that is more transactions behind is worth a warning.
EnsembleView judge(std::vector<ReplicaView> replicas, std::uint64_t lag_max);

}  // namespace zabfs::daemon::zabctl
