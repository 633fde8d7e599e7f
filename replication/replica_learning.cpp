#include <algorithm>
#include <utility>
#include <variant>

#include "replication/replica_state.hpp"

namespace zabfs::replication {

namespace {

using pipeline::PendingReply;

// Takes the oldest undecided request for which `fits` holds out of those; null if there is none. Of
// one kind they are decided in order; but a sync waits for a quorum while writes behind it do not.
template <class Fits>
PendingReply* take_undecided(Connection& connection, const Fits& fits) {
  const auto found = std::ranges::find_if(connection.undecided,
                                          [&](const PendingReply* reply) { return fits(*reply); });
  if (found == connection.undecided.end()) {
    return nullptr;
  }
  PendingReply* const reply = *found;
  connection.undecided.erase(found);
  return reply;
}

bool is_transaction(const PendingReply& reply) { return reply.is_transaction(); }
bool is_sync(const PendingReply& reply) { return reply.op == protocol::OpCode::sync; }
bool is_reconfig(const PendingReply& reply) { return reply.op == protocol::OpCode::reconfig; }
bool is_return(const PendingReply& reply) {
  return std::holds_alternative<pipeline::Greeting>(reply.what);
}

}  // namespace

// To whoever leads: this server itself, or the one it follows.
void Replica::State::request(const pipeline::ForwardedMessage& message) {
  if (peer_.is_leading()) {
    decide_request(options_.id, message);
  } else if (const auto leader = peer_.followed()) {
    forward(*leader, message);
  }
}

// What no leader tells.
template <class Other>
void Replica::State::hear(const Other& /*message*/) {}

// The oldest request of the connection that was undecided is this transaction.
void Replica::State::hear_of_proposal(Proposal& proposal) {
  const ConnectionId id = proposal.origin.connection;
  const auto found = connections_.find(id);
  if (proposal.origin.server != options_.id || found == connections_.end()) {
    return;
  }
  Connection& connection = found->second;
  auto* reply = take_undecided(connection, is_transaction);
  if (reply == nullptr) {
    proposal.origin = {};  // nobody here has asked for it
    return;
  }
  const auto& [header, body] = proposal.transaction;
  if (std::holds_alternative<tree::OpenSession>(body)) {
    connection.session = header.session;
    attached_[header.session] = id;
  }
  decided(id, *reply, header.zxid);
}

void Replica::State::hear(const pipeline::Failed& outcome) {
  const auto found = connections_.find(outcome.connection);
  auto* reply =
      found == connections_.end() ? nullptr : take_undecided(found->second, is_transaction);
  if (reply == nullptr) {
    return;
  }
  pipeline::FailedWrite failure{.error = ErrorCode{outcome.error}};
  for (const std::int32_t error : outcome.multi) {
    failure.multi.results.push_back(
        {.op = protocol::OpCode::error, .body = protocol::MultiError{.error = ErrorCode{error}}});
  }
  reply->what = std::move(failure);
  decided(outcome.connection, *reply, outcome.until);
}

void Replica::State::hear(const pipeline::Attached& outcome) {
  const auto found = connections_.find(outcome.connection);
  auto* reply = found == connections_.end() ? nullptr : take_undecided(found->second, is_return);
  if (reply == nullptr) {
    return;
  }
  Connection& connection = found->second;
  auto& response = std::get<pipeline::Greeting>(reply->what).response;
  if (outcome.is_welcome) {
    const SessionId session{response.session_id};
    if (const auto other = attached_.find(session);
        other != attached_.end() && other->second != outcome.connection) {
      drop(ConnectionId{other->second});
    }
    connection.session = session;
    attached_[session] = outcome.connection;
  } else {
    response = {.password = Bytes(limits::session_password_bytes),
                .has_read_only_flag = response.has_read_only_flag};
  }
  decided(outcome.connection, *reply, outcome.until);
}

void Replica::State::hear(const pipeline::Reached& outcome) {
  const auto found = connections_.find(outcome.connection);
  if (found == connections_.end()) {
    return;
  }
  if (found->second.syncs_answered_early > 0) {
    --found->second.syncs_answered_early;
    return;
  }
  if (auto* reply = take_undecided(found->second, is_sync)) {
    decided(outcome.connection, *reply, outcome.until);
  }
}

// Only a write that its connection asked for behind it, and that was applied first, has answered it
// already: it is history, then, though not yet known to be on the disks of the new servers.
void Replica::State::hear(const pipeline::Reconfigured& outcome) {
  const auto found = connections_.find(outcome.connection);
  if (found == connections_.end()) {
    return;
  }
  if (found->second.reconfigs_answered_early > 0) {
    --found->second.reconfigs_answered_early;
    return;
  }
  if (auto* reply = take_undecided(found->second, is_reconfig)) {
    if (outcome.error != 0) {
      reply->what = pipeline::FailedWrite{.error = ErrorCode{outcome.error}, .multi = {}};
    }
    decided(outcome.connection, *reply, outcome.until);
  }
}

void Replica::State::hear(const pipeline::Detached& outcome) {
  if (connections_.contains(outcome.connection)) {
    drop(outcome.connection);
  }
}

void Replica::State::hear_outcome(const pipeline::ForwardedMessage& message) {
  std::visit([this](const auto& outcome) { hear(outcome); }, message);
}

}  // namespace zabfs::replication
