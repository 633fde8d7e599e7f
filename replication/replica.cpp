#include "replication/replica.hpp"

#include <algorithm>
#include <utility>

#include "replication/apply.hpp"
#include "replication/model/check.hpp"
#include "replication/model/limits.hpp"
#include "replication/replica_state.hpp"

namespace zabfs::replication {

Replica::State::State(const ReplicaOptions& options, const ReplicaPorts& ports)
    : options_(options),
      ports_(ports),
      storage_(ports.disk, store::StorageOptions{.segment_bytes = options.log_segment_bytes,
                                                 .snapshots_kept = options.snapshots_kept}),
      quorums_(Ensemble{}, options.id),
      pending_(tree_),
      reader_(tree_, watches_),
      expiry_(options.tick_ms) {}

std::optional<std::string> Replica::State::start() {
  if (auto refusal = recover()) {
    return refusal;
  }
  begin_epoch();
  return std::nullopt;
}

// A new reign. Its epoch is durable before anything happens in it (Zab, phase 1: an epoch is
// promised only once), and so is the tail of the log that it continues.
void Replica::State::begin_epoch() {
  CHECK(proposals_.empty(), "an epoch begins with ", proposals_.size(), " proposals in flight");
  phase_ = Phase::starting;
  const Epoch next{std::max(epochs_.accepted, epochs_.current).value + 1};
  epochs_ = {.accepted = next, .current = next};
  storage_.save_epochs(epochs_);
}

void Replica::State::start_serving() {
  broadcast_.emplace(epochs_.current, tree_.last_applied(), quorums_,
                     options_.epoch_transactions_max);
  sessions_opened_ = 0;
  phase_ = Phase::serving;
  // Sessions restart their clocks: while nobody led, nobody could be heard (ZooKeeper does the
  // same).
  const std::int64_t now = ports_.clock.monotonic_ms();
  for (const auto& [id, session] : sessions_.sessions()) {
    expiry_.touch(id, session.timeout_ms, now);
  }
  ports_.trace.record(EpochBegan{.epoch = epochs_.current});
}

// The counter of this epoch is used up. As a leader that steps down would, it lets every client go;
// they come back to the next epoch with their sessions.
void Replica::State::stop_serving() {
  phase_ = Phase::ending;
  while (!connections_.empty()) {
    drop(ConnectionId{connections_.begin()->first});
  }
  waiters_.clear();
}

Zxid Replica::State::propose(SessionId session, tree::TransactionBody body, ConnectionId origin) {
  Proposal proposal{.transaction = {.header = {.zxid = broadcast_->propose(),
                                               .session = session,
                                               .time_ms = ports_.clock.wall_ms()},
                                    .body = std::move(body)},
                    .origin = origin};
  const Zxid zxid = proposal.transaction.header.zxid;
  pending_.commit(zxid);
  record_.clear();
  tree::append_transaction(record_, proposal.transaction);
  proposal.bytes = record_.size();
  proposal_bytes_ += proposal.bytes;
  storage_.append(zxid, record_, broadcast_->committed());
  proposals_.push_back(std::move(proposal));
  return zxid;
}

void Replica::State::on_disk_done(Ticket ticket) {
  if (const auto written = storage_.on_disk_done(ticket)) {
    ports_.trace.record(SnapshotFinished{.zxid = written->zxid, .bytes = written->bytes});
  }
  if (phase_ == Phase::starting) {
    if (storage_.is_ready() && storage_.epochs() == epochs_) {
      start_serving();
    }
  } else {
    broadcast_->acknowledge(options_.id, storage_.durable());
    apply_committed();
  }
  advance_snapshot();
}

void Replica::State::apply_committed() {
  while (!proposals_.empty() &&
         proposals_.front().transaction.header.zxid <= broadcast_->committed()) {
    const Proposal proposal = std::move(proposals_.front());
    proposals_.pop_front();
    proposal_bytes_ -= proposal.bytes;
    apply(proposal);
  }
  if (phase_ == Phase::ending && proposals_.empty()) {
    begin_epoch();
  }
}

// One transaction becomes visible: the tree, then watch events, then replies, in that order, so
// that nobody can read a change before he is told of it.
void Replica::State::apply(const Proposal& proposal) {
  const auto& [header, body] = proposal.transaction;
  zabfs::replication::apply(proposal.transaction, tree_, sessions_, applied_);
  pending_.applied(header.zxid);
  ++applied_since_snapshot_;
  std::optional<ConnectionId> ended;
  if (const auto* open = std::get_if<tree::OpenSession>(&body)) {
    expiry_.touch(header.session, open->timeout_ms, ports_.clock.monotonic_ms());
    ports_.trace.record(SessionOpened{.session = header.session, .timeout_ms = open->timeout_ms});
  } else if (std::holds_alternative<tree::CloseSession>(body)) {
    expiry_.remove(header.session);
    closing_.erase(header.session);
    if (const auto attached = attached_.find(header.session); attached != attached_.end()) {
      ended = attached->second;
    }
    ports_.trace.record(SessionClosed{.session = header.session,
                                      .expired = proposal.origin == ConnectionId{},
                                      .ephemerals = applied_.deleted_paths.size()});
  }
  notify(applied_);
  answer_origin(proposal);
  if (ended && connections_.contains(*ended)) {
    drop(*ended);
  }
  release_waiters();
}

void Replica::State::expire_sessions() {
  for (const SessionId session : expiry_.overdue(ports_.clock.monotonic_ms())) {
    if (broadcast_->is_exhausted()) {
      return;  // the next epoch gives everybody his full timeout anyway
    }
    if (sessions_.find(session) != nullptr && closing_.insert(session).second) {
      propose(session, prepare_close(session, pending_), {});
    }
  }
}

void Replica::State::on_tick() {
  if (phase_ == Phase::serving) {
    expire_sessions();
  }
}

void Replica::State::on_turn_end() {
  if (phase_ == Phase::serving && broadcast_->is_exhausted()) {
    stop_serving();
    apply_committed();
  }
  advance_snapshot();
  storage_.flush();
}

ReplicaStatus Replica::State::status() const {
  return {.serving = phase_ == Phase::serving,
          .last_applied = tree_.last_applied(),
          .digest = tree_.digest(),
          .znodes = tree_.node_count(),
          .ephemerals = tree_.ephemeral_count(),
          .watches = watches_.size(),
          .data_bytes = tree_.data_bytes(),
          .sessions = sessions_.size(),
          .connections = connections_.size(),
          .requests_outstanding = unanswered_,
          .requests_received = requests_received_,
          .replies_sent = replies_sent_};
}

Replica::Replica(const ReplicaOptions& options, const ReplicaPorts& ports)
    : state_(std::make_unique<State>(options, ports)) {}
Replica::~Replica() = default;

std::optional<std::string> Replica::start() { return state_->start(); }
void Replica::on_connected(ConnectionId connection, std::string address) {
  state_->on_connected(connection, std::move(address));
}
void Replica::on_frame(ConnectionId connection, ByteView payload) {
  state_->on_frame(connection, payload);
}
void Replica::on_disconnected(ConnectionId connection) { state_->on_disconnected(connection); }
void Replica::on_disk_done(Ticket ticket) { state_->on_disk_done(ticket); }
void Replica::on_tick() { state_->on_tick(); }
void Replica::on_turn_end() { state_->on_turn_end(); }
bool Replica::may_read(ConnectionId connection) const { return state_->may_read(connection); }
ReplicaStatus Replica::status() const { return state_->status(); }

}  // namespace zabfs::replication
