#include "replication/zab/peer.hpp"

#include <utility>

#include "replication/model/check.hpp"
#include "replication/model/ensemble_text.hpp"

namespace zabfs::replication::zab {

Peer::Peer(const PeerOptions& options)
    : options_(options),
      standing_{.self = options.self,
                .membership = Membership(options.ensemble, options.self),
                .ensemble_text_in = options.ensemble_text_in,
                .timeouts = options.timeouts,
                .counter_max = options.counter_max,
                .history = History({}, options.history_bytes_max)},
      election_(options.self, standing_.membership) {}

void Peer::start(Recovered recovered) {
  standing_.accepted = recovered.accepted;
  standing_.current = recovered.current;
  standing_.committed = recovered.committed;
  standing_.history = standing_.history.starting_anew(recovered.committed);
  Membership membership = standing_.membership;
  membership.restart(recovered.ensemble);
  standing_.replace_membership(std::move(membership));
  for (auto& entry : recovered.tail) {
    const Zxid zxid = entry->zxid;
    CHECK(standing_.append(std::move(entry)), "transaction ", zxid, " has no ensemble");
  }
  look(nullptr);
}

// --- roles ---

void Peer::look(const char* why) {
  standing_.effects.emplace_back(BeginLooking{why});
  role_ = Looking{.settled_by = standing_.barrier()};
  is_announced_ = false;
}

void Peer::on_barrier(std::uint64_t number, std::int64_t now_ms) {
  if (auto* looking = std::get_if<Looking>(&role_)) {
    if (looking->settled_by == number) {
      looking->settled_by = 0;
      election_.begin({.leader = standing_.self,
                       .epoch = standing_.history_epoch(),
                       .last = standing_.history.last()},
                      now_ms);
      follow_decision(now_ms);
    }
  } else if (auto* following = std::get_if<Following>(&role_)) {
    following->on_barrier(number);
  }
}

void Peer::follow_decision(std::int64_t now_ms) {
  const auto* looking = std::get_if<Looking>(&role_);
  if (looking != nullptr && looking->settled_by == 0 && election_.decision()) {
    const ServerId leader = election_.decision()->leader;
    if (leader == standing_.self) {
      role_.emplace<Leading>(standing_, now_ms);
    } else if (linked_.contains(leader)) {
      role_.emplace<Following>(standing_, leader, now_ms);
    } else {
      look("the link to the server that it chose is gone");
    }
  }
  send_ballots();
}

// Once established, the ballot carries the new epoch, so that late joiners can add up votes.
void Peer::announce() {
  if (is_announced_ || !is_established()) {
    return;
  }
  is_announced_ = true;
  if (const auto* leading = std::get_if<Leading>(&role_)) {
    election_.settle(
        PeerState::leading,
        {.leader = standing_.self, .epoch = leading->epoch(), .last = standing_.committed});
  } else {
    const auto& following = std::get<Following>(role_);
    election_.settle(standing_.is_voter() ? PeerState::following : PeerState::observing,
                     {.leader = following.leader(),
                      .epoch = *following.established(),
                      .last = standing_.committed});
  }
  send_ballots();
}

bool Peer::is_established() const { return is_leading() || followed().has_value(); }

bool Peer::is_leading() const {
  const auto* leading = std::get_if<Leading>(&role_);
  return leading != nullptr && leading->is_established();
}

std::optional<ServerId> Peer::followed() const {
  const auto* following = std::get_if<Following>(&role_);
  return following != nullptr && following->established() ? std::optional(following->leader())
                                                          : std::nullopt;
}

void Peer::leave_if_over() {
  if (auto* leading = std::get_if<Leading>(&role_); leading != nullptr && leading->is_over()) {
    abdicate(leading->why_over());
  } else if (auto* following = std::get_if<Following>(&role_);
             following != nullptr && following->is_over()) {
    const char* why = following->why_over();
    following->leave(linked_.contains(following->leader()));
    look(why);
  }
  announce();
}

void Peer::abdicate(const char* why) {
  if (auto* leading = std::get_if<Leading>(&role_)) {
    leading->leave();
    look(why);
  }
}

// The promise is the same as to a candidate that was never heard of again.
void Peer::abdicate_above(Epoch epoch, const char* why) {
  if (standing_.accepted < epoch) {
    standing_.accepted = epoch;
    standing_.effects.emplace_back(SaveEpochs{epoch, standing_.current});
  }
  abdicate(why);
}

// --- links and messages ---

void Peer::on_link_up(ServerId server) {
  linked_.insert(server);
  send_ensemble(server);
  election_.link_up(server);
  send_ballots();
}

void Peer::on_link_down(ServerId server, std::int64_t now_ms) {
  linked_.erase(server);
  election_.link_down(server);
  if (auto* leading = std::get_if<Leading>(&role_)) {
    leading->on_link_down(server);
  }
  on_opinions_changed(now_ms);
}

// Who stands behind whom is known anew. Nobody waits for a leader that nobody follows.
void Peer::on_opinions_changed(std::int64_t now_ms) {
  if (std::holds_alternative<Leading>(role_) && !election_.still_holds()) {
    abdicate("no quorum is behind it any more");
  } else if (auto* following = std::get_if<Following>(&role_);
             following != nullptr && !election_.still_holds()) {
    const bool is_linked = linked_.contains(following->leader());
    following->leave(is_linked);
    look(is_linked ? "its leader does not lead any more" : "the link to its leader is gone");
  }
  follow_decision(now_ms);
}

void Peer::on_message(ServerId from, const Message& message, std::int64_t now_ms) {
  if (!linked_.contains(from)) {
    return;
  }
  if (const auto* ballot = std::get_if<Ballot>(&message)) {
    election_.on_ballot(from, *ballot, now_ms);
    on_opinions_changed(now_ms);
  } else if (const auto* known = std::get_if<KnownEnsemble>(&message)) {
    hear(*known, now_ms);
  } else if (auto* leading = std::get_if<Leading>(&role_)) {
    if (const auto* info = std::get_if<LearnerInfo>(&message)) {
      leading->on_learner(from, *info, now_ms);
    } else {
      leading->on_message(from, message);
    }
  } else if (auto* following = std::get_if<Following>(&role_);
             following != nullptr && following->leader() == from) {
    following->on_message(message, now_ms);
  } else if (std::holds_alternative<LearnerInfo>(message)) {
    // It takes this server for a leader that it is not, or not any more.
    standing_.effects.emplace_back(Disconnect{from});
  }
  leave_if_over();
}

void Peer::send_ballots() {
  for (const auto& [to, ballot] : election_.take_outgoing()) {
    if (linked_.contains(to)) {
      standing_.send(to, ballot);
    }
  }
}

// --- time and the disk ---

void Peer::on_tick(std::int64_t now_ms) {
  if (auto* leading = std::get_if<Leading>(&role_)) {
    leading->on_tick(now_ms);
  } else if (auto* following = std::get_if<Following>(&role_)) {
    following->on_tick(now_ms);
  } else {
    election_.on_tick(now_ms);
    follow_decision(now_ms);
  }
  leave_if_over();
}

void Peer::on_turn_end(std::int64_t now_ms) {
  if (auto* leading = std::get_if<Leading>(&role_)) {
    leading->on_turn_end(now_ms);
  }
}

void Peer::on_epochs_saved() {
  if (auto* leading = std::get_if<Leading>(&role_)) {
    leading->on_epochs_saved();
  } else if (auto* following = std::get_if<Following>(&role_)) {
    following->on_epochs_saved();
  }
  leave_if_over();
}

void Peer::on_durable(Zxid up_to) {
  standing_.durable = up_to;
  if (auto* leading = std::get_if<Leading>(&role_)) {
    leading->on_durable();
  } else if (auto* following = std::get_if<Following>(&role_)) {
    following->on_durable();
  }
  leave_if_over();
}

void Peer::on_snapshot_begun(ServerId learner, Zxid taken_at, std::string ensemble) {
  if (auto* leading = std::get_if<Leading>(&role_)) {
    leading->on_snapshot_begun(learner, taken_at, std::move(ensemble));
  }
}

void Peer::on_snapshot_sent(ServerId learner) {
  if (auto* leading = std::get_if<Leading>(&role_)) {
    leading->on_snapshot_sent(learner);
  }
}

void Peer::on_delivered(Zxid up_to, std::uint64_t digest) {
  standing_.history.trim(up_to);
  if (auto* leading = std::get_if<Leading>(&role_)) {
    leading->on_delivered(up_to, digest);
  }
}

void Peer::propose(Origin origin, Bytes record) {
  std::get<Leading>(role_).propose(origin, std::move(record));
}

LearnerCounts Peer::count_learners() const {
  const auto* leading = std::get_if<Leading>(&role_);
  return leading != nullptr ? leading->count_learners() : LearnerCounts{};
}

bool Peer::has_quorum_in_sync(const Ensemble& ensemble) const {
  const auto* leading = std::get_if<Leading>(&role_);
  return leading != nullptr && leading->has_quorum_in_sync(Quorums(ensemble, standing_.self));
}

// --- who there is ---

// What the servers began with, everybody knows himself.
void Peer::send_ensemble(ServerId to) {
  const Membership& membership = standing_.membership;
  if (membership.newest().version != Zxid{}) {
    standing_.send(
        to, KnownEnsemble{.in_force = to_text(membership.in_force()),
                          .next = membership.is_changing() ? to_text(membership.newest()) : ""});
  }
}

void Peer::on_ensemble_changed() {
  for (const ServerId server : linked_) {
    send_ensemble(server);
  }
  is_announced_ = false;  // this server may have become a voter, or none any more
  election_.reconsider();
  announce();
  send_ballots();
}

void Peer::hear(const KnownEnsemble& message, std::int64_t now_ms) {
  std::vector<Ensemble> ensembles;
  for (const std::string& text : {message.in_force, message.next}) {
    auto parsed = parse_ensemble(text);
    auto* ensemble = std::get_if<Ensemble>(&parsed);
    if (ensemble == nullptr || mistake_in(*ensemble)) {
      return;
    }
    if (!ensemble->members.empty()) {
      ensembles.push_back(std::move(*ensemble));
    }
  }
  if (ensembles.empty() || !standing_.membership.hear(ensembles)) {
    return;
  }
  standing_.effects.emplace_back(EnsembleChanged{});
  election_.reconsider();
  on_opinions_changed(now_ms);
}

// A link that is to be broken is as good as broken: nobody reports that it went down.
void Peer::take_effects(Effects& effects) {
  for (std::size_t i = 0; i < standing_.effects.size(); ++i) {
    if (const auto* broken = std::get_if<Disconnect>(&standing_.effects[i])) {
      const ServerId server = broken->server;
      linked_.erase(server);
      election_.link_down(server);
      send_ballots();
    } else if (std::holds_alternative<EnsembleChanged>(standing_.effects[i])) {
      on_ensemble_changed();
    }
  }
  effects.clear();
  effects.swap(standing_.effects);
}

}  // namespace zabfs::replication::zab
