#include "daemon/zabctl/ensemble_view.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "daemon/zabctl/presentation.hpp"

namespace zabfs::daemon::zabctl {

using replication::Zxid;

namespace {

using Warnings = std::vector<std::string>;

void warn_of_single_servers(const EnsembleView& view, std::uint64_t lag_max, Warnings& warnings) {
  for (const ReplicaView& replica : view.replicas) {
    if (!replica.is_serving) {
      warnings.push_back(replica.name + " " + replica.trouble + ".");
    }
    if (replica.digest_mismatches.value_or(0) > 0) {
      warnings.push_back(
          replica.name + " has counted " +
          counted(static_cast<std::uint64_t>(*replica.digest_mismatches), "transaction") +
          " whose digest was not the leader's: its data differs. Compare the "
          "servers' data, and replace what is wrong.");
    }
    if (const auto lag = view.lag_of(replica); lag.value_or(0) > lag_max) {
      warnings.push_back(replica.name + " is " + counted(*lag, "transaction") +
                         " behind the leader.");
    }
  }
}

void warn_of_roles(const EnsembleView& view, Warnings& warnings) {
  std::vector<std::string> leaders;
  std::set<std::string> versions;
  std::size_t serving = 0;
  std::size_t alone = 0;
  for (const ReplicaView& replica : view.replicas) {
    if (replica.is_serving) {
      ++serving;
      versions.insert(replica.version);
      alone += replica.mode == "standalone" ? 1U : 0U;
      if (replica.leads()) {
        leaders.push_back(replica.name);
      }
    }
  }
  if (leaders.size() > 1) {
    std::string names;
    for (const auto& name : leaders) {
      names += (names.empty() ? "" : " and ") + name;
    }
    warnings.push_back("Two leaders: " + names +
                       " both say that they lead. Right after an election the old one may not "
                       "know yet; ask again. If it stays, they belong to different ensembles.");
  }
  if (leaders.empty() && serving > 0 && alone < serving) {
    warnings.push_back("None of the servers that were asked leads: name all of them.");
  }
  if (alone > 0 && view.replicas.size() > 1) {
    warnings.push_back(std::to_string(alone) +
                       " of the servers run alone: each has data of its "
                       "own, and they are no ensemble.");
  }
  if (serving == 0) {
    warnings.push_back("No server serves clients: there is no quorum, or none could be reached.");
  } else if (2 * serving <= view.replicas.size()) {
    warnings.push_back("Only " + std::to_string(serving) + " of " +
                       std::to_string(view.replicas.size()) + " servers serve.");
  }
  if (versions.size() > 1) {
    warnings.push_back("The servers run different versions.");
  }
}

// Two servers that applied the same transactions must have the same digest after each.
void warn_of_digests(const EnsembleView& view, Warnings& warnings) {
  std::map<Zxid, std::pair<std::string, std::string>> first_seen;  // digest, name
  std::set<std::string> told;
  for (const ReplicaView& replica : view.replicas) {
    for (const auto& [zxid, digest] : replica.digests) {
      const auto [seen, is_new] = first_seen.emplace(zxid, std::pair(digest, replica.name));
      if (!is_new && seen->second.first != digest && told.insert(replica.name).second) {
        warnings.push_back(replica.name + " and " + seen->second.second +
                           " have different data after " + hex(zxid) +
                           ": their digests differ. Find out which one is right (zabctl snapshot "
                           "--diff), and replace the other.");
      }
    }
  }
}

}  // namespace

std::optional<std::uint64_t> EnsembleView::lag_of(const ReplicaView& replica) const {
  const ReplicaView* leader = nullptr;
  for (const ReplicaView& each : replicas) {
    const bool is_later = each.leads() && (leader == nullptr || each.zxid > leader->zxid);
    leader = is_later ? &each : leader;
  }
  if (leader == nullptr || !replica.is_serving || replica.mode == "standalone" ||
      leader->zxid.epoch() != replica.zxid.epoch()) {
    return std::nullopt;
  }
  return leader->zxid > replica.zxid ? leader->zxid.value - replica.zxid.value : 0;
}

EnsembleView judge(std::vector<ReplicaView> replicas, std::uint64_t lag_max) {
  EnsembleView view{.replicas = std::move(replicas)};
  Warnings warnings;
  warn_of_single_servers(view, lag_max, warnings);
  warn_of_roles(view, warnings);
  warn_of_digests(view, warnings);
  const bool serves = std::ranges::any_of(view.replicas, &ReplicaView::is_serving);
  view.health = !serves ? Health::no_service : warnings.empty() ? Health::well : Health::degraded;
  view.warnings = std::move(warnings);
  return view;
}

}  // namespace zabfs::daemon::zabctl
