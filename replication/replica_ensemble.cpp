#include <xxhash.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "replication/model/check.hpp"
#include "replication/protocol/peer_frame.hpp"
#include "replication/replica_state.hpp"
#include "replication/zab/message_codec.hpp"

namespace zabfs::replication {

// --- links ---

void Replica::State::on_peer_up(ServerId server) {
  look_at_the_time();
  linked_.insert(server);
  peer_.on_link_up(server);
  carry_out_effects();
}

void Replica::State::on_peer_down(ServerId server) {
  linked_.erase(server);
  look_at_the_time();
  forget_learner(server);
  peer_.on_link_down(server, ports_.clock.monotonic_ms());
  carry_out_effects();
}

void Replica::State::on_peer_frame(ServerId server, ByteView payload) {
  look_at_the_time();
  if (!linked_.contains(server) || failure_) {
    return;
  }
  const auto message = zab::decode_message(payload);
  if (!message) {
    ports_.peers.drop(server);
    on_peer_down(server);
    return;
  }
  peer_.on_message(server, *message, ports_.clock.monotonic_ms());
  carry_out_effects();
}

// --- what zab asks for ---

// Carrying out an effect can make zab ask for more: those come after.
void Replica::State::carry_out_effects() {
  if (std::exchange(is_carrying_out_, true)) {
    return;
  }
  for (peer_.take_effects(effects_); !effects_.empty(); peer_.take_effects(effects_)) {
    for (zab::Effect& effect : effects_) {
      std::visit([this](auto& what) { carry_out(what); }, effect);
    }
  }
  is_carrying_out_ = false;
}

template <class Body>
void Replica::State::send(ServerId to, const Body& message) {
  if (linked_.contains(to)) {
    Bytes& out = ports_.peers.outbox(to);
    const std::size_t frame = protocol::begin_peer_frame(out);
    zab::append_message(out, message);
    protocol::end_peer_frame(out, frame);
  }
}

void Replica::State::carry_out(zab::Send& effect) {
  if (linked_.contains(effect.to) && (std::holds_alternative<zab::Difference>(effect.message) ||
                                      std::holds_alternative<zab::Truncate>(effect.message))) {
    metrics_.diff_count.add();
  }
  send(effect.to, effect.message);
}

void Replica::State::carry_out(zab::SendProposal& effect) { send(effect.to, *effect.proposal); }

void Replica::State::carry_out(zab::Disconnect& effect) {
  if (linked_.erase(effect.server) > 0) {
    forget_learner(effect.server);
    ports_.peers.drop(effect.server);
  }
}

void Replica::State::carry_out(zab::SaveEpochs& effect) {
  saving_ = store::Epochs{.accepted = effect.accepted, .current = effect.current};
  if (replacement_) {
    replacement_->is_adopted = storage_.is_replacement_durable_to(replacement_->taken_at);
  }
  storage_.save_epochs(*saving_);
}

void Replica::State::carry_out(zab::Append& effect) {
  const zab::Proposal& proposal = *effect.proposal;
  storage_.append(proposal.zxid, proposal.record, peer_.standing().committed);
  if (ports_.trace.wants_transactions()) {
    ports_.trace.record(
        Appended{.zxid = proposal.zxid,
                 .digest = XXH3_64bits(proposal.record.data(), proposal.record.size())});
  }
  const Zxid known =
      proposals_.empty() ? tree_.last_applied() : proposals_.back().transaction.header.zxid;
  const bool is_own = proposal.zxid <= known && !replacement_;
  if (!not_durable_since_us_) {
    not_durable_since_us_ = looked_us_;
  }
  if (!is_own) {
    metrics_.learner_proposal_received_count.add();
    learn(proposal);
  }
}

// A transaction that somebody else has proposed goes into the queue of those to be applied.
void Replica::State::learn(const zab::Proposal& proposal) {
  auto transaction = tree::decode_transaction(proposal.record);
  if (!transaction || transaction->header.zxid != proposal.zxid) {
    std::ostringstream sentence;
    sentence << "Transaction " << proposal.zxid
             << " is not one this version can read. Run the same version on all servers.";
    fail(sentence.str());
    return;
  }
  if (is_serving_) {  // What it catches up with is old.
    metrics_.proposal_latency.add(wall_us_since(transaction->header.time_ms));
  }
  const bool is_replaced = replacement_.has_value();
  auto& queue = is_replaced ? replacement_->proposals : proposals_;
  // Before this server served, nobody here can have asked for it: an origin then names a connection
  // of an earlier life.
  queue.push_back({.transaction = std::move(*transaction),
                   .origin = is_serving_ ? proposal.origin : zab::Origin{},
                   .bytes = proposal.record.size()});
  if (!is_replaced) {
    proposal_bytes_ += proposal.record.size();
    hear_of_proposal(queue.back());
  }
}

void Replica::State::carry_out(zab::TruncateAfter& effect) {
  CHECK(effect.keep >= tree_.last_applied(), "applied ", tree_.last_applied(), " keep ",
        effect.keep);
  if (!storage_.may_truncate_after(effect.keep)) {
    std::ostringstream sentence;
    sentence
        << "The leader's history ends for this server at " << effect.keep
        << ", but its own log does not have that, or knows more to be committed. Keep the data "
           "directory for an inquiry, empty it, and start the server again: it will take over "
           "the others' state.";
    fail(sentence.str());
    return;
  }
  storage_.truncate_after(effect.keep);
  truncated_to_ = effect.keep;
  while (!proposals_.empty() && proposals_.back().transaction.header.zxid > effect.keep) {
    proposal_bytes_ -= proposals_.back().bytes;
    proposals_.pop_back();
  }
  ports_.trace.record(HistoryTruncated{.keep = effect.keep});
}

void Replica::State::carry_out(zab::Barrier& effect) {
  const Zxid end = storage_.last();
  barriers_.push_back({.number = effect.number, .end = end, .is_truncated = end == truncated_to_});
}

// Not only when nothing is on its way: under load there always is something.
bool Replica::State::is_behind(const AwaitedBarrier& barrier) const {
  if (saving_) {
    return false;
  }
  if (replacement_) {
    return storage_.is_replacement_durable_to(barrier.end);
  }
  return storage_.is_flushed() || storage_.durable() > barrier.end ||
         (storage_.durable() == barrier.end && !barrier.is_truncated);
}

void Replica::State::carry_out(zab::CommitUpTo& effect) {
  count_commits(effect.up_to);
  committed_ = std::max(committed_, effect.up_to);
  if (effect.digest != 0 && effect.up_to > tree_.last_applied()) {
    expected_.push_back({.zxid = effect.up_to, .digest = effect.digest});
  }
  apply_committed();
}

void Replica::State::carry_out(zab::BeginLooking& effect) {
  stop_serving();
  metrics_.looking_count.add();
  looking_since_us_ = looked_us_;
  elected_us_.reset();
  ports_.trace.record(LookingBegan{.why = effect.why == nullptr ? "" : effect.why});
}

void Replica::State::carry_out(zab::BeginLeading& effect) {
  ports_.trace.record(LeadershipBegan{.epoch = effect.epoch, .history_end = tree_.last_applied()});
  count_established();
  begin_serving();
}

void Replica::State::carry_out(zab::BeginFollowing& effect) {
  ports_.trace.record(FollowingBegan{.leader = effect.leader, .epoch = effect.epoch});
  count_established();
  begin_serving();
}

void Replica::State::carry_out(zab::AnswerHeartbeat& effect) {
  zab::HeartbeatReply reply{.number = effect.number};
  for (auto& [id, connection] : connections_) {
    if (std::exchange(connection.was_heard, false)) {
      reply.alive.push_back(connection.session);
    }
  }
  zab::Send send{.to = effect.leader, .message = std::move(reply)};
  carry_out(send);
}

void Replica::State::carry_out(zab::HearOfSessions& effect) {
  for (const SessionId session : effect.alive) {
    hear_of(session);
  }
}

void Replica::State::carry_out(zab::Confirmed& effect) {
  while (!confirmations_.empty() && confirmations_.front().number <= effect.number) {
    const Confirmation confirmed = confirmations_.front();
    confirmations_.pop_front();
    tell(confirmed.origin,
         pipeline::Reached{.connection = confirmed.origin.connection, .until = confirmed.until});
  }
  confirmed_ = effect.number;
}

void Replica::State::carry_out(zab::DeliverForwarded& effect) {
  const auto message = pipeline::decode_forwarded(effect.payload);
  if (!message || !is_serving_) {
    return;
  }
  if (peer_.is_leading() && is_being_replaced()) {
    held_.emplace_back(effect.from, *message);
  } else if (peer_.is_leading()) {
    decide_request(effect.from, *message);
  } else {
    hear_outcome(*message);
  }
}

void Replica::State::carry_out(zab::Fail& effect) { fail(effect.sentence); }

void Replica::State::forward(ServerId to, const pipeline::ForwardedMessage& message) {
  zab::Send send{.to = to, .message = zab::Forwarded{.payload = pipeline::to_bytes(message)}};
  carry_out(send);
}

}  // namespace zabfs::replication
