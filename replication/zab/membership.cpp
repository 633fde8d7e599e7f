#include "replication/zab/membership.hpp"

#include <algorithm>
#include <utility>

namespace zabfs::replication::zab {

Membership::Membership(const Ensemble& initial, ServerId self) : self_(self), initial_(initial) {
  stages_.push_back(stage_of(initial_));
}

void Membership::restart(const Ensemble& in_force) {
  stages_.clear();
  stages_.push_back(stage_of(in_force.version == Zxid{} ? initial_ : in_force));
}

void Membership::append(const Ensemble& next) {
  if (is_changing()) {
    stages_.erase(stages_.begin());
  }
  stages_.push_back(stage_of(next));
}

bool Membership::truncate_after(Zxid keep) {
  const bool is_lost = is_changing() && newest().version > keep;
  if (is_lost) {
    stages_.pop_back();
  }
  return is_lost;
}

bool Membership::commit(Zxid up_to) {
  const bool is_over = is_changing() && newest().version <= up_to;
  if (is_over) {
    stages_.erase(stages_.begin());
  }
  return is_over;
}

bool Membership::hear(const std::vector<Ensemble>& ensembles) {
  const bool is_committed =
      is_changing() && ensembles.front().version == newest().version && commit(newest().version);
  std::vector<Stage> told;
  for (const Ensemble& ensemble : ensembles) {
    if (ensemble.version != Zxid{}) {
      told.push_back(stage_of(ensemble));
    }
  }
  const Zxid version = ensembles.back().version;
  const Zxid known = hears() ? heard_.back().ensemble.version : newest().version;
  const std::size_t known_stages = hears() ? heard_.size() : stages_.size();
  const bool is_news = version > known || (version == known && told.size() > known_stages);
  if (is_news) {
    heard_ = std::move(told);
  }
  return is_news || is_committed;
}

bool Membership::hears() const {
  return !heard_.empty() && heard_.back().ensemble.version >= newest().version;
}

std::vector<Ensemble> Membership::heard() const {
  std::vector<Ensemble> ensembles;
  if (hears()) {
    for (const Stage& stage : heard_) {
      ensembles.push_back(stage.ensemble);
    }
  }
  return ensembles;
}

bool Membership::contains_quorum(const std::set<ServerId>& servers) const {
  return std::ranges::all_of(
      stages_, [&](const Stage& stage) { return stage.quorums.contains_quorum(servers); });
}

bool Membership::is_voter(ServerId server) const {
  return std::ranges::any_of(stages_,
                             [&](const Stage& stage) { return stage.quorums.is_voter(server); });
}

bool Membership::may_lead(ServerId server) const {
  return std::ranges::any_of(stages_,
                             [&](const Stage& stage) { return stage.quorums.may_lead(server); });
}

Zxid Membership::committable(const std::map<ServerId, Zxid>& reached, Zxid before) const {
  const Zxid by_old = stages_.front().quorums.reached_by_quorum(reached);
  if (!is_changing() || by_old <= before) {
    return by_old;
  }
  const Zxid by_both = std::min(by_old, stages_.back().quorums.reached_by_quorum(reached));
  return std::max(by_both, before);
}

bool Membership::is_known_voter(ServerId server) const {
  return is_voter(server) || (hears() && std::ranges::any_of(heard_, [&](const Stage& stage) {
                                return stage.quorums.is_voter(server);
                              }));
}

bool Membership::is_known_candidate(ServerId server) const {
  return may_lead(server) || (hears() && std::ranges::any_of(heard_, [&](const Stage& stage) {
                                return stage.quorums.may_lead(server);
                              }));
}

bool Membership::is_followed_by_quorum(const std::set<ServerId>& servers) const {
  return stages_.front().quorums.contains_quorum(servers) ||
         (hears() && heard_.back().quorums.contains_quorum(servers));
}

}  // namespace zabfs::replication::zab
