#include "replication/replica.hpp"

#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "replication/apply.hpp"
#include "replication/model/check.hpp"
#include "replication/model/ensemble_text.hpp"
#include "replication/model/limits.hpp"
#include "replication/replica_state.hpp"

namespace zabfs::replication {

Replica::State::State(const ReplicaOptions& options, const ReplicaPorts& ports)
    : options_(options),
      ports_(ports),
      own_metrics_(ports.metrics == nullptr ? std::make_unique<Metrics>() : nullptr),
      metrics_(ports.metrics == nullptr ? *own_metrics_ : *ports.metrics),
      storage_(ports.disk, store::StorageOptions{.segment_bytes = options.log_segment_bytes,
                                                 .snapshots_kept = options.snapshots_kept}),
      peer_({.self = options.id,
             .ensemble = options.ensemble,
             .timeouts = {.peer_ms = options.peer_timeout_ms,
                          .init_ms = options.init_timeout_ms,
                          .sync_ms = options.sync_timeout_ms},
             .counter_max = options.epoch_transactions_max,
             .history_bytes_max = options.history_bytes,
             .ensemble_text_in = tree::ensemble_text_in}),
      rules_({.has_ttl = options.has_ttl,
              .enforces_quota = options.enforces_quota,
              .is_alone = options.ensemble.members.empty()}),
      pending_(tree_),
      reader_(tree_, watches_, options.ensemble.members.empty() ? "" : to_text(options.ensemble)),
      expiry_(options.tick_ms) {}

std::optional<std::string> Replica::State::start() {
  if (auto refusal = recover()) {
    return refusal;
  }
  carry_out_effects();
  return std::nullopt;
}

void Replica::State::begin_serving() {
  is_serving_ = true;
  serving_since_ms_ = looked_ms_;
  if (!peer_.is_leading()) {
    return;
  }
  CHECK(proposals_.empty(), "an epoch begins with ", proposals_.size(), " proposals in flight");
  sessions_opened_ = 0;
  removals_looked_ms_ = ports_.clock.monotonic_ms();
  removed_ms_ = removals_looked_ms_;
  // Sessions restart their clocks: while nobody led, nobody could be heard (ZooKeeper does the
  // same).
  expect_every_session();
  begin_with_ensemble();
}

void Replica::State::expect_every_session() {
  const std::int64_t now = ports_.clock.monotonic_ms();
  for (const auto& [id, session] : sessions_.sessions()) {
    expiry_.touch(id, session.timeout_ms, now);
  }
}

// Every client goes; they come back to whoever is up to date, with their sessions.
void Replica::State::stop_serving() {
  is_serving_ = false;
  while (!connections_.empty()) {
    drop(ConnectionId{connections_.begin()->first});
  }
  waiters_.clear();
  confirmations_.clear();
  reconfiguration_.reset();
  confirmed_ = 0;
  closing_.clear();
  owners_.clear();
  expected_.clear();
  pending_.clear();
  removals_.clear();
  restoration_.reset();
  held_.clear();
  interrupt_restoring();
  expiry_ = session::ExpiryQueue(options_.tick_ms);
  learners_without_snapshot_.clear();
  if (snapshot_for_) {
    stop_snapshot();
  }
}

Zxid Replica::State::propose(SessionId session, tree::TransactionBody body, zab::Origin origin) {
  Proposal proposal{.transaction = {.header = {.zxid = peer_.next_zxid(),
                                               .session = session,
                                               .time_ms = ports_.clock.wall_ms()},
                                    .body = std::move(body)},
                    .origin = origin,
                    .proposed_us = looked_us_};
  const Zxid zxid = proposal.transaction.header.zxid;
  pending_.commit(zxid);
  Bytes record;
  tree::append_transaction(record, proposal.transaction);
  proposal.bytes = record.size();
  metrics_.proposal_count.add();
  metrics_.proposal_size.add(record.size());
  proposal_bytes_ += proposal.bytes;
  if (ports_.trace.wants_transactions()) {
    ports_.trace.record(
        Proposed{.zxid = zxid, .digest = XXH3_64bits(record.data(), record.size())});
  }
  peer_.propose(origin, std::move(record));
  proposals_.push_back(std::move(proposal));
  hear_of_proposal(proposals_.back());
  return zxid;
}

void Replica::State::on_disk_done(Ticket ticket) {
  look_at_the_time();
  if (const auto written = storage_.on_disk_done(ticket)) {
    ports_.trace.record(SnapshotFinished{.zxid = written->zxid, .bytes = written->bytes});
    metrics_.snapshottime.add(looked_us_ - snapshot_began_us_);
    newest_snapshot_ = written->zxid;
  }
  report_disk();
  apply_committed();
  carry_out_effects();
  advance_replacement();
  advance_snapshot();
}

// Tells zab what has become durable.
void Replica::State::report_disk() {
  const std::int64_t now = ports_.clock.monotonic_ms();
  if (!storage_.is_ready()) {
    return;
  }
  if (storage_.durable() != reported_durable_) {
    const Zxid before = std::exchange(reported_durable_, storage_.durable());
    count_durable(before);
    peer_.on_durable(reported_durable_);
  }
  if (saving_ && storage_.are_epochs_saved()) {
    saving_.reset();
    if (replacement_ && replacement_->is_adopted) {
      adopt_replacement();
    }
    peer_.on_epochs_saved();
  }
  while (!barriers_.empty() && is_behind(barriers_.front())) {
    const std::uint64_t number = barriers_.front().number;
    barriers_.pop_front();
    peer_.on_barrier(number, now);
  }
  carry_out_effects();
}

void Replica::State::apply_committed() {
  const Zxid before = tree_.last_applied();
  const Zxid until = std::min(committed_, storage_.durable());
  const std::int64_t began_us = now_us();
  while (!proposals_.empty() && proposals_.front().transaction.header.zxid <= until && !failure_) {
    const Proposal proposal = std::move(proposals_.front());
    proposals_.pop_front();
    proposal_bytes_ -= proposal.bytes;
    apply(proposal);
  }
  if (tree_.last_applied() != before) {
    peer_.on_delivered(tree_.last_applied(), state_digest());
    metrics_.commit_process_time.add(now_us() - began_us);
    advance_reconfiguration();
  }
}

// One transaction becomes visible: the tree, then watch events, then replies, in that order, so
// that nobody can read a change before he is told of it.
void Replica::State::apply(const Proposal& proposal) {
  const auto& [header, body] = proposal.transaction;
  answer_in_front_of(proposal);
  zabfs::replication::apply(proposal.transaction, tree_, sessions_, applied_);
  pending_.applied(header.zxid);
  if (!std::holds_alternative<tree::OpenSession>(body) &&
      !std::holds_alternative<tree::CloseSession>(body)) {
    large_writes_.on_applied(proposal.bytes, looked_us_);
  }
  ++applied_since_snapshot_.transactions;
  applied_since_snapshot_.bytes += proposal.bytes;
  metrics_.propagation_latency.add(wall_us_since(header.time_ms));
  note_digest(header.zxid);
  if (applied_.restored) {
    ports_.trace.record(StateRestored{.zxid = header.zxid,
                                      .snapshot = applied_.restored->taken_at,
                                      .znodes = tree_.node_count()});
  }
  if (ports_.trace.wants_transactions()) {
    Bytes record;
    tree::append_transaction(record, proposal.transaction);
    ports_.trace.record(Delivered{.zxid = header.zxid,
                                  .digest = XXH3_64bits(record.data(), record.size()),
                                  .state = state_digest()});
  }
  compare_digest();
  if (failure_) {
    return;
  }
  std::optional<ConnectionId> ended;
  if (const auto* open = std::get_if<tree::OpenSession>(&body)) {
    if (peer_.is_leading()) {
      expiry_.touch(header.session, open->timeout_ms, ports_.clock.monotonic_ms());
    }
    ports_.trace.record(SessionOpened{.session = header.session, .timeout_ms = open->timeout_ms});
  } else if (std::holds_alternative<tree::CloseSession>(body)) {
    expiry_.remove(header.session);
    closing_.erase(header.session);
    owners_.erase(header.session);
    if (const auto attached = attached_.find(header.session); attached != attached_.end()) {
      ended = attached->second;
    }
    ports_.trace.record(SessionClosed{.session = header.session,
                                      .expired = proposal.origin == zab::Origin{},
                                      .ephemerals = applied_.deleted_paths.size()});
  }
  if (std::holds_alternative<tree::CloseSession>(body)) {
    audit_end(header.session);
  }
  if (peer_.is_leading() && !applied_.passed_quota.empty()) {
    ports_.trace.record(QuotaPassed{.path = applied_.passed_quota});
  }
  if (const auto* restore = std::get_if<tree::Restore>(&body)) {
    begin_with_restored_state(header.zxid, *restore);
  } else if (restoring_) {
    note_piece(body);
  }
  notify(applied_);
  answer_origin(proposal);
  if (ended && connections_.contains(*ended)) {
    drop(*ended);
  }
  release_waiters();
}

std::uint64_t Replica::State::state_digest() const {
  constexpr std::uint64_t odd = 0x9e37'79b9'7f4a'7c15;  // sessions and znodes never cancel out
  return tree_.digest() + odd * sessions_.digest();
}

// Equal histories make equal states. Where they do not, the program or the machine is at fault, and
// what this server tells its clients cannot be trusted any more.
void Replica::State::compare_digest() {
  while (!expected_.empty() && expected_.front().zxid <= tree_.last_applied()) {
    const ExpectedDigest expected = expected_.front();
    expected_.pop_front();
    if (expected.zxid == tree_.last_applied() && expected.digest != state_digest()) {
      ports_.trace.record(Diverged{.zxid = expected.zxid});
      metrics_.digest_mismatches_count.add();
      fail(
          "The state of this server differs from its leader's, although both have applied the "
          "same transactions. Keep the data directory for an inquiry, empty it, and start the "
          "server again: it will take over the others' state.");
    }
  }
}

void Replica::State::fail(const std::string& sentence) {
  if (!failure_) {
    failure_ = sentence;
    metrics_.unrecoverable_error_count.add();
    stop_serving();
  }
}

void Replica::State::expire_sessions() {
  if (!peer_.is_leading() || is_being_replaced()) {
    return;
  }
  for (const SessionId session : expiry_.overdue(ports_.clock.monotonic_ms())) {
    if (peer_.is_exhausted()) {
      return;  // the next epoch gives everybody his full timeout anyway
    }
    if (sessions_.find(session) != nullptr && closing_.insert(session).second) {
      metrics_.stale_sessions_expired.add();
      propose(session, prepare_close(session, pending_), {});
    }
  }
}

// Before anything is done: who has been paused for too long does not lead any more.
void Replica::State::look_at_the_time() {
  looked_us_ = now_us();
  const std::int64_t now = looked_us_ / 1'000;
  if (now != looked_ms_) {
    looked_ms_ = now;
    peer_.on_tick(now);
    carry_out_effects();
    count_election();
  }
}

void Replica::State::on_tick() {
  look_at_the_time();
  expire_sessions();
  remove_expendable();
  look_after_restorations();
  carry_out_effects();
}

void Replica::State::on_turn_end() {
  const std::int64_t now = ports_.clock.monotonic_ms();
  if (peer_.is_leading() && peer_.is_exhausted()) {
    peer_.abdicate("its epoch is used up");
  } else if (peer_.is_leading() && must_hand_over()) {
    peer_.abdicate("it has left the ensemble's voters");
  } else if (peer_.is_leading() && epoch_to_pass_) {
    peer_.abdicate_above(*epoch_to_pass_, "a restored state needs a later epoch");
  }
  epoch_to_pass_.reset();
  advance_restoration();
  advance_restoring();
  peer_.on_turn_end(now);
  carry_out_effects();
  report_disk();
  advance_replacement();
  advance_snapshot();
  carry_out_effects();
  watches_.on_turn_end();
  storage_.flush();
}

ReplicaStatus Replica::State::status() const {
  ServerRole role = ServerRole::looking;
  if (peer_.is_leading()) {
    role = ServerRole::leading;
  } else if (peer_.followed()) {
    role = peer_.standing().is_voter() ? ServerRole::following : ServerRole::observing;
  }
  const zab::LearnerCounts learners = peer_.count_learners();
  return {.serving = is_serving_,
          .role = role,
          .epoch = peer_.standing().current,
          .leader = peer_.is_leading() ? options_.id : peer_.followed(),
          .voters = peer_.voters(),
          .learners = learners.active,
          .observers = learners.active_observers,
          .learners_behind = learners.behind,
          .serving_since_ms = is_serving_ ? serving_since_ms_ : 0,
          .ensemble_version = peer_.standing().membership.in_force().version,
          .last_applied = tree_.last_applied(),
          .newest_snapshot = newest_snapshot_,
          .digest = tree_.digest(),
          .znodes = tree_.node_count(),
          .ephemerals = tree_.ephemeral_count(),
          .watches = watches_.size(),
          .data_bytes = tree_.data_bytes(),
          .sessions = sessions_.size(),
          .connections = connections_.size(),
          .requests_outstanding = unanswered_,
          .writes_outstanding = writes_unanswered_,
          .requests_received = requests_received_,
          .replies_sent = replies_sent_};
}

Replica::Replica(const ReplicaOptions& options, const ReplicaPorts& ports)
    : state_(std::make_unique<State>(options, ports)) {}
Replica::~Replica() = default;

std::optional<std::string> Replica::start() { return state_->start(); }
void Replica::on_connected(ConnectionId connection, std::string address, Identities shown) {
  state_->on_connected(connection, std::move(address), std::move(shown));
}
void Replica::on_frame(ConnectionId connection, ByteView payload) {
  state_->on_frame(connection, payload);
}
void Replica::on_disconnected(ConnectionId connection) { state_->on_disconnected(connection); }
void Replica::on_peer_up(ServerId server) { state_->on_peer_up(server); }
void Replica::on_peer_frame(ServerId server, ByteView payload) {
  state_->on_peer_frame(server, payload);
}
void Replica::on_peer_down(ServerId server) { state_->on_peer_down(server); }
void Replica::on_disk_done(Ticket ticket) { state_->on_disk_done(ticket); }
void Replica::on_tick() { state_->on_tick(); }
void Replica::on_turn_end() { state_->on_turn_end(); }
bool Replica::may_read(ConnectionId connection, std::size_t bytes) const {
  return state_->may_read(connection, bytes);
}
ReplicaStatus Replica::status() const { return state_->status(); }
Inspection Replica::inspect() const { return state_->inspect(); }
void Replica::take_snapshot() { state_->take_snapshot(); }
void Replica::restore(std::unique_ptr<RestorableState> state, RestorationDone done) {
  state_->restore(std::move(state), std::move(done));
}
void Replica::reset_counts() { state_->reset_counts(); }
void Replica::reset_conversations() { state_->reset_conversations(); }
const std::optional<std::string>& Replica::failure() const { return state_->failure(); }

}  // namespace zabfs::replication
