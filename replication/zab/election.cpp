#include "replication/zab/election.hpp"

#include <algorithm>
#include <set>

#include "replication/model/check.hpp"

namespace zabfs::replication::zab {

Election::Election(ServerId self, const Membership& membership, std::int64_t settle_ms)
    : self_(self), membership_(&membership), settle_ms_(settle_ms) {}

void Election::link_up(ServerId peer) {
  if (peer == self_) {
    return;
  }
  heard_[peer] = std::nullopt;
  const Ballot before = mine_;
  consider();
  if (mine_.round > 0 && mine_ == before) {
    outgoing_.emplace_back(peer, mine_);
  }
}

void Election::link_down(ServerId peer) {
  if (heard_.erase(peer) > 0) {
    std::erase_if(outgoing_, [peer](const auto& message) { return message.first == peer; });
    consider();
  }
}

void Election::begin(const Vote& own, std::int64_t now_ms) {
  now_ms_ = now_ms;
  own_ = own;
  mine_ = {.state = PeerState::looking, .round = mine_.round + 1, .vote = Vote{}};
  mine_.vote = best_candidate();
  decision_.reset();
  quorum_since_ms_.reset();
  broadcast();
  consider();
}

void Election::settle(PeerState state, const Vote& vote) {
  CHECK(decision_ && state != PeerState::looking, "settled without a decision");
  if (mine_.state != state || mine_.vote != vote) {
    mine_.state = state;
    mine_.vote = vote;
    broadcast();
  }
}

// Whether somebody says it who could.
bool Election::is_plausible(ServerId from, const Ballot& ballot) {
  if (ballot.round == 0 || ballot.round > limits::election_round_max) {
    return false;
  }
  switch (ballot.state) {
    case PeerState::looking:
      return true;
    case PeerState::following:
    case PeerState::observing:
      return ballot.vote.leader != from;
    case PeerState::leading:
      return ballot.vote.leader == from;
  }
  return false;  // a number that is no state
}

// Who votes, and who may lead, changes with the ensemble, so each ballot is judged when it is used.
// One who votes may say that he observes, because he has not heard yet that he does.
const Ballot* Election::heard_of(ServerId peer) const {
  const auto found = heard_.find(peer);
  if (found == heard_.end() || !found->second || !membership_->is_known_voter(peer)) {
    return nullptr;
  }
  const Ballot& ballot = *found->second;
  const bool is_for_nobody = ballot.state == PeerState::looking && ballot.vote == Vote{};
  return is_for_nobody || membership_->is_known_candidate(ballot.vote.leader) ? &ballot : nullptr;
}

void Election::on_ballot(ServerId from, const Ballot& ballot, std::int64_t now_ms) {
  now_ms_ = now_ms;
  const auto peer = heard_.find(from);
  if (peer == heard_.end()) {
    return;
  }
  if (decision_ && ballot.state == PeerState::looking) {
    outgoing_.emplace_back(from, mine_);
  }
  if (is_plausible(from, ballot)) {
    peer->second = ballot;
    consider();
  }
}

void Election::on_tick(std::int64_t now_ms) {
  now_ms_ = now_ms;
  if (!is_looking()) {
    return;
  }
  consider();
  if (is_looking() && now_ms_ - sent_ms_ >= limits::ballot_resend_ms) {
    broadcast();
  }
}

void Election::reconsider() { consider(); }

// Everything that can have changed is drawn anew from what is known. A leader goes first: it does
// not propose itself any more, and who would turn to another candidate in between would be missing
// in its quorum.
void Election::consider() {
  if (!is_looking() || follow_a_leader()) {
    return;
  }
  const Ballot before = mine_;
  mine_.round = newest_round();
  mine_.vote = best_candidate();
  if (mine_ != before) {
    quorum_since_ms_.reset();
    broadcast();
  }
  if (mine_.round == before.round || !follow_a_leader()) {
    try_to_lead();
  }
}

std::uint64_t Election::newest_round() const {
  std::uint64_t newest = mine_.round;
  for (const auto& [peer, said] : heard_) {
    const Ballot* ballot = heard_of(peer);
    if (ballot != nullptr && ballot->state == PeerState::looking) {
      newest = std::max(newest, ballot->round);
    }
  }
  return newest;
}

bool Election::is_candidate() const {
  std::set<ServerId> linked{self_};
  for (const auto& [peer, ballot] : heard_) {
    linked.insert(peer);
  }
  return membership_->may_lead(self_) && membership_->contains_quorum(linked);
}

// The vote of the best candidate in this round.
Vote Election::best_candidate() const {
  Vote best = is_candidate() ? own_ : Vote{};
  for (const auto& [peer, said] : heard_) {
    const Ballot* ballot = heard_of(peer);
    if (ballot != nullptr && ballot->state == PeerState::looking && ballot->round == mine_.round &&
        ballot->vote.leader == peer) {
      best = std::max(best, ballot->vote);
    }
  }
  return best;
}

// True if there is one to follow.
bool Election::follow_a_leader() {
  const Ballot* leader = nullptr;
  for (const auto& [peer, said] : heard_) {
    const Ballot* ballot = heard_of(peer);
    if (ballot != nullptr && ballot->state == PeerState::leading &&
        (ballot->round == mine_.round ||
         membership_->is_followed_by_quorum(behind(peer, *ballot))) &&
        (leader == nullptr || ballot->vote > leader->vote)) {
      leader = ballot;
    }
  }
  if (leader != nullptr) {
    conclude(*leader);
  }
  return leader != nullptr;
}

// The leader itself, and those who say that they follow it.
std::set<ServerId> Election::behind(ServerId leader, const Ballot& its) const {
  std::set<ServerId> behind{leader};
  for (const auto& [peer, said] : heard_) {
    const bool has_settled =
        said && (said->state == PeerState::following || said->state == PeerState::observing);
    if (said && said->vote.leader == leader &&
        (said->round == its.round || (has_settled && said->vote.epoch == its.vote.epoch))) {
      behind.insert(peer);
    }
  }
  return behind;
}

bool Election::still_holds() const {
  if (!decision_) {
    return false;
  }
  if (decision_->leader == self_) {
    return membership_->contains_quorum(behind(self_, mine_));
  }
  const auto leader = heard_.find(decision_->leader);
  return leader != heard_.end() && leader->second && leader->second->state == PeerState::leading;
}

void Election::try_to_lead() {
  if (mine_.vote.leader != self_) {
    return;
  }
  std::set<ServerId> behind{self_};
  bool all = true;
  for (const auto& [peer, said] : heard_) {
    const Ballot* ballot = heard_of(peer);
    if (ballot != nullptr && ballot->state == PeerState::looking && ballot->round == mine_.round &&
        ballot->vote.leader == self_) {
      behind.insert(peer);
    } else if (membership_->may_lead(peer)) {
      all = false;
    }
  }
  if (!membership_->contains_quorum(behind)) {
    quorum_since_ms_.reset();
    return;
  }
  if (!quorum_since_ms_) {
    quorum_since_ms_ = now_ms_;
  }
  if (all || now_ms_ - *quorum_since_ms_ >= settle_ms_) {
    conclude(mine_);
  }
}

// `its` is the ballot of the leader, with its own vote.
void Election::conclude(const Ballot& its) {
  const ServerId leader = its.vote.leader;
  const PeerState as_learner =
      membership_->is_voter(self_) ? PeerState::following : PeerState::observing;
  mine_ = {.state = leader == self_ ? PeerState::leading : as_learner,
           .round = its.round,
           .vote = its.vote};
  decision_ = Decision{.leader = leader, .round = its.round};
  broadcast();
}

void Election::broadcast() {
  for (const auto& [peer, ballot] : heard_) {
    outgoing_.emplace_back(peer, mine_);
  }
  sent_ms_ = now_ms_;
}

std::vector<std::pair<ServerId, Ballot>> Election::take_outgoing() {
  return std::exchange(outgoing_, {});
}

}  // namespace zabfs::replication::zab
