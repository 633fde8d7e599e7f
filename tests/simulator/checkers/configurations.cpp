#include "tests/simulator/checkers/configurations.hpp"

#include <iterator>
#include <variant>

#include "replication/model/ensemble_text.hpp"
#include "tests/simulator/checkers/voting_power.hpp"

namespace zabfs::test {

using namespace replication;

Configurations::Configurations(const Ensemble& initial, Findings& findings) : findings_(findings) {
  in_force_[Zxid{}] = initial;
}

void Configurations::on_trace(ServerId at, const TraceEvent& event,
                              const std::function<bool(ServerId, Zxid)>& has) {
  if (std::holds_alternative<FollowingBegan>(event) ||
      std::holds_alternative<LeadershipBegan>(event)) {
    if (has_[at] < serves_[at]) {
      findings_.add("VersionMonotone", "server ", at, " goes back from ", serves_[at], " to ",
                    has_[at]);
    }
    serves_[at] = has_[at];
  }
  const auto* learned = std::get_if<EnsembleLearned>(&event);
  if (learned == nullptr) {
    return;
  }
  for (const auto& text : {learned->in_force, learned->next}) {
    const auto known = parse_ensemble(text);
    if (const auto* one = std::get_if<Ensemble>(&known)) {
      for (const auto& member : one->members) {
        members_[one->version].insert(member.id);
      }
    }
  }
  const auto parsed = parse_ensemble(learned->in_force);
  const auto* ensemble = std::get_if<Ensemble>(&parsed);
  if (ensemble == nullptr) {
    findings_.add("OneConfiguration", "server ", at, " has no configuration: ", learned->in_force);
    return;
  }
  const Zxid version = ensemble->version;
  if (version == Zxid{}) {
    return;  // what it began with
  }
  has_[at] = version;
  const auto [entry, is_new] = in_force_.try_emplace(version, *ensemble);
  if (!is_new) {
    if (entry->second != *ensemble) {
      findings_.add("OneConfiguration", "version ", version, " is two things");
    }
    return;
  }
  const auto has_it = [&](ServerId server) { return has(server, version); };
  for (const auto& needed : {entry, std::prev(entry)}) {
    if (!are_quorum(needed->second, has_it)) {
      findings_.add("BothQuorums", "server ", at, " has ", version,
                    " in force, and no quorum of version ", needed->first, " has it for sure");
    }
  }
}

std::set<ServerId> Configurations::members_since(Zxid version) const {
  std::set<ServerId> all;
  for (auto some = members_.lower_bound(version); some != members_.end(); ++some) {
    all.insert(some->second.begin(), some->second.end());
  }
  return all;
}

}  // namespace zabfs::test
