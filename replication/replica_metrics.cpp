#include <algorithm>

#include "replication/model/limits.hpp"
#include "replication/replica_state.hpp"

namespace zabfs::replication {

namespace {

// A reply of so few bytes that is given at once takes less time than asking the clock is worth:
// most requests are such reads, and would spend a twentieth of their time on it.
constexpr std::size_t quick_answer_bytes = 4'096;

}  // namespace

void Replica::State::count_answer(Connection& connection, std::int32_t xid, protocol::OpCode op,
                                  std::int64_t asked_us, bool is_update, std::size_t bytes) {
  const bool is_quick = asked_us == looked_us_ && bytes <= quick_answer_bytes;
  const std::int64_t now = is_quick ? looked_us_ : now_us();
  const std::int64_t took = now - asked_us;
  (is_update ? metrics_.updatelatency : metrics_.readlatency).add(took);
  metrics_.response_bytes.add(bytes);
  metrics_.client_response_size.add(bytes);
  Conversation& conversation = connection.conversation;
  conversation.last_op = op;
  conversation.last_xid = xid;
  conversation.last_zxid = tree_.last_applied();
  conversation.answered_us = now;
  ++conversation.answers;
  conversation.last_us = took;
  conversation.sum_us += took;
  conversation.min_us = std::min(conversation.min_us, took);
  conversation.max_us = std::max(conversation.max_us, took);
}

void Replica::State::count_watches(tree::EventKind event, std::size_t fired) {
  const auto count = static_cast<std::int64_t>(fired);
  switch (event) {
    case tree::EventKind::created:
      metrics_.node_created_watch_count.add(count);
      break;
    case tree::EventKind::data_changed:
      metrics_.node_changed_watch_count.add(count);
      break;
    case tree::EventKind::deleted:
      metrics_.node_deleted_watch_count.add(count);
      break;
    case tree::EventKind::children_changed:
      metrics_.node_children_watch_count.add(count);
      break;
  }
}

// Of what was not committed so far: how long that took since it was proposed.
void Replica::State::count_commits(Zxid up_to) {
  const auto zxid_of = [](const Proposal& proposal) { return proposal.transaction.header.zxid; };
  const auto end = std::ranges::upper_bound(proposals_, up_to, {}, zxid_of);
  const auto first = std::ranges::upper_bound(proposals_, committed_, {}, zxid_of);
  if (first >= end) {
    return;
  }
  const std::int64_t now = now_us();
  for (auto proposal = first; proposal != end; ++proposal) {
    if (peer_.is_leading()) {
      metrics_.commit_count.add();
      metrics_.quorum_ack_latency.add(now - proposal->proposed_us);
    } else {
      metrics_.learner_commit_received_count.add();
      metrics_.commit_propagation_latency.add(wall_us_since(proposal->transaction.header.time_ms));
    }
  }
}

void Replica::State::count_durable(Zxid before) {
  const Zxid durable = reported_durable_;
  if (durable.epoch() == before.epoch() && durable > before) {
    metrics_.sync_processor_batch_size.add(static_cast<std::int64_t>(durable.value - before.value));
  }
  if (not_durable_since_us_) {
    metrics_.sync_process_time.add(looked_us_ - *not_durable_since_us_);
    not_durable_since_us_.reset();
    if (durable < storage_.last()) {
      not_durable_since_us_ = looked_us_;
    }
  }
}

void Replica::State::count_election() {
  if (!elected_us_ && !peer_.is_looking()) {
    elected_us_ = looked_us_;
    metrics_.election_time.add(*elected_us_ - looking_since_us_);
  }
}

void Replica::State::count_established() {
  count_election();
  metrics_.leader_unavailable_time.add(looked_us_ - looking_since_us_);
  if (!peer_.is_leading()) {
    auto& time =
        peer_.standing().is_voter() ? metrics_.follower_sync_time : metrics_.observer_sync_time;
    time.add(looked_us_ - elected_us_.value_or(looked_us_));
  }
}

// The wall clock of the leader that gave the time may differ from this one's.
std::int64_t Replica::State::wall_us_since(std::int64_t wall_ms) const {
  return (ports_.clock.wall_ms() - wall_ms) * 1'000;
}

// At zxids that are the same on every server, so that operators can compare them.
void Replica::State::note_digest(Zxid zxid) {
  if (zxid.value % limits::noted_digests_apart == 0) {
    noted_digests_.emplace_back(zxid, state_digest());
    if (noted_digests_.size() > limits::noted_digests_max) {
      noted_digests_.pop_front();
    }
  }
}

Inspection Replica::State::inspect() const {
  return {.tree = tree_,
          .watches = watches_,
          .sessions = sessions_,
          .expiry = expiry_,
          .connections = connections_,
          .digests = noted_digests_};
}

void Replica::State::reset_counts() {
  requests_received_ = 0;
  replies_sent_ = 0;
  metrics_.reset();
}

void Replica::State::reset_conversations() {
  for (auto& [id, connection] : connections_) {
    connection.conversation = {};
  }
}

}  // namespace zabfs::replication
