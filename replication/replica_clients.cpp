#include <algorithm>
#include <utility>

#include "replication/model/check.hpp"
#include "replication/model/limits.hpp"
#include "replication/protocol/codec.hpp"
#include "replication/protocol/frame.hpp"
#include "replication/replica_state.hpp"

namespace zabfs::replication {

using pipeline::PendingReply;
using protocol::OpCode;

pipeline::LocalRequest Replica::State::local_request(const Connection& connection,
                                                     protocol::Request request) {
  return {.request = std::move(request), .identities = connection.identities.size()};
}

void Replica::State::on_disconnected(ConnectionId id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) {
    return;
  }
  const Connection& connection = found->second;
  const auto attached = attached_.find(connection.session);
  if (attached != attached_.end() && attached->second == id) {
    attached_.erase(attached);
  }
  unanswered_ -= connection.unanswered.size();
  metrics_.stale_requests.add(connection.unanswered.size());
  for (const PendingReply& reply : connection.unanswered) {
    unanswered_bytes_ -= reply.bytes;
    note_answered(reply);
    metrics_.stale_requests_dropped.add(
        std::holds_alternative<pipeline::LocalRequest>(reply.what) ? 1 : 0);
  }
  watches_.remove_connection(id);
  connections_.erase(found);
}

void Replica::State::drop(ConnectionId id) {
  metrics_.connection_drop_count.add();
  on_disconnected(id);
  ports_.clients.close(id);
}

void Replica::State::refuse(ConnectionId id, const std::string& why) {
  ports_.trace.record(ClientRefused{.connection = id, .why = why});
  drop(id);
}

bool Replica::State::may_read(ConnectionId id, std::size_t bytes) const {
  const auto found = connections_.find(id);
  const bool is_large = bytes > limits::large_request_bytes;
  return found != connections_.end() && !found->second.awaits_session() &&
         found->second.unanswered.size() < limits::connection_requests_max &&
         unanswered_ < limits::requests_in_flight_max &&
         std::max(unanswered_bytes_, proposal_bytes_) < options_.request_bytes_max &&
         (!is_large || (unanswered_bytes_ < limits::large_requests_in_flight_bytes &&
                        large_writes_.may_take(now_us())));
}

void Replica::State::on_frame(ConnectionId id, ByteView payload) {
  look_at_the_time();
  const auto found = connections_.find(id);
  if (found == connections_.end() || found->second.is_refused) {
    return;
  }
  Connection& connection = found->second;
  metrics_.bytes_received_count.add(protocol::frame_header_bytes + payload.size());
  connection.frame_bytes = payload.size();
  if (!is_serving_ || is_being_replaced() || (peer_.is_leading() && peer_.is_exhausted())) {
    metrics_.cnxn_closed_without_zk_server_running.add();
    drop(id);  // ZooKeeper closes without a word while it does not serve
    return;
  }
  if (connection.session == SessionId{}) {
    greet(id, connection, payload);
    carry_out_effects();
    return;
  }
  const auto split = protocol::split_request(payload);
  if (!split) {
    refuse(id, "a request shorter than its header");
    return;
  }
  ++requests_received_;
  connection.was_heard = true;
  if (peer_.is_leading()) {
    expiry_.touch(connection.session, connection.timeout_ms, looked_ms_);
  }
  const auto& header = split->header;
  const OpCode op{header.op};
  if (op != OpCode::auth && op != OpCode::sasl && !is_authenticated(connection)) {
    refuse_in_turn(id, connection, header.xid, op, ErrorCode::session_closed_require_sasl_auth);
    return;
  }
  if (op == OpCode::ping && !connection.awaits_greeting()) {
    if (closing_.contains(connection.session)) {
      return;  // an answer would say that the session lives
    }
    // Promptly, even while a write is stuck: clients give up on a server that does not answer.
    Bytes& out = ports_.clients.outbox(id);
    const std::size_t before = out.size();
    pipeline::append_header(protocol::xid::ping, tree_.last_applied(), ErrorCode::ok, out);
    ++replies_sent_;
    count_answer(connection, header.xid, OpCode::ping, looked_us_, false, out.size() - before);
    return;
  }
  auto request = protocol::decode_request(header.op, split->body);
  if (request) {
    take_request(id, connection, header, split->body, std::move(*request));
    carry_out_effects();
  } else if (op == OpCode::auth) {
    refuse(id, "an authentication that is cut off");
  } else if (request.error() == ErrorCode::unimplemented) {
    refuse_in_turn(id, connection, header.xid, op, ErrorCode::unimplemented);
  } else {
    await(id, connection,
          {.xid = header.xid,
           .op = op,
           .until = tree_.last_applied(),
           .what = pipeline::FailedWrite{.error = request.error(), .multi = {}}});
  }
}

// The first frame of a connection. The leader decides, also about a session that comes back: this
// replica may not have heard yet that it was opened.
void Replica::State::greet(ConnectionId id, Connection& connection, ByteView payload) {
  if (connection.awaits_session()) {
    refuse(id, "a client that does not wait for its session");
    return;
  }
  auto request = protocol::decode_connect_request(payload);
  if (!request) {
    refuse(id, "a connect request that is not one");
    return;
  }
  if (Zxid::from_wire(std::max<std::int64_t>(request->last_zxid_seen, 0)) > tree_.last_applied()) {
    refuse(id, "a client that has seen more of history than this replica");
    return;
  }
  metrics_.connection_request_count.add();
  connection.timeout_ms = static_cast<std::int32_t>(std::clamp<std::int64_t>(
      request->timeout_ms, options_.session_timeout_min_ms, options_.session_timeout_max_ms));
  if (request->session_id == 0) {
    if (sessions_.size() >= limits::sessions_max) {
      refuse(id, "one session more than this service holds");
      return;
    }
    await_decision(connection, {.what = pipeline::AwaitedSession{
                                    .timeout_ms = connection.timeout_ms,
                                    .has_read_only_flag = request->has_read_only_flag}});
    this->request(pipeline::Open{.connection = id, .timeout_ms = connection.timeout_ms});
    return;
  }
  metrics_.connection_revalidate_count.add();
  Bytes password = std::move(request->password).value_or(Bytes{});
  await_decision(connection,
                 {.what = pipeline::Greeting{
                      .response = {.timeout_ms = connection.timeout_ms,
                                   .session_id = request->session_id,
                                   .password = password,
                                   .has_read_only_flag = request->has_read_only_flag}}});
  this->request(pipeline::Attach{.connection = id,
                                 .session = {request->session_id},
                                 .password = std::move(password),
                                 .timeout_ms = connection.timeout_ms});
}

void Replica::State::take_request(ConnectionId id, Connection& connection,
                                  const protocol::RequestHeader& header, ByteView body,
                                  protocol::Request request) {
  const OpCode op = protocol::op_of(request);
  const SessionId session = connection.session;
  if (closing_.contains(session)) {
    await(id, connection,
          {.xid = header.xid,
           .op = op,
           .until = peer_.proposed(),
           .what = pipeline::FailedWrite{.error = ErrorCode::session_expired, .multi = {}}});
  } else if (op == OpCode::auth) {
    authenticate(id, connection, header.xid, std::get<protocol::AuthRequest>(request));
  } else if (op == OpCode::close_session) {
    await_decision(connection, {.xid = header.xid, .op = op, .what = pipeline::AwaitedWrite{}});
    this->request(pipeline::Close{.connection = id, .session = session});
  } else if (op == OpCode::sync) {
    await_decision(
        connection,
        {.xid = header.xid, .op = op, .what = local_request(connection, std::move(request))});
    this->request(pipeline::Sync{.connection = id});
  } else if (protocol::is_write(op)) {
    pipeline::AwaitedWrite awaited;
    const bool is_reconfig = op == OpCode::reconfig;
    if (const auto* multi = std::get_if<protocol::MultiRequest>(&request)) {
      for (const auto& operation : multi->operations) {
        awaited.multi.push_back(std::visit([](const auto& o) { return o.op; }, operation));
      }
    }
    PendingReply reply{.xid = header.xid,
                       .op = op,
                       .what = is_reconfig ? pipeline::Awaited(local_request(connection, request))
                                           : pipeline::Awaited(std::move(awaited))};
    note_for_audit(reply, request);
    await_decision(connection, std::move(reply));
    if (peer_.is_leading()) {
      decide_write({.server = options_.id, .connection = id},
                   {.session = session, .identities = connection.identities}, request);
    } else {
      this->request(pipeline::Write{.connection = id,
                                    .session = session,
                                    .op = header.op,
                                    .identities = connection.identities,
                                    .body = {body.begin(), body.end()}});
    }
  } else {
    await(id, connection,
          {.xid = header.xid, .op = op, .what = local_request(connection, std::move(request))});
  }
}

void Replica::State::await(ConnectionId id, Connection& connection, PendingReply reply) {
  reply.asked_us = looked_us_;
  if (connection.unanswered.empty() && reply.until <= tree_.last_applied()) {
    if (!answer(id, connection, reply)) {
      drop(id);
    }
    return;
  }
  if (reply.until > tree_.last_applied()) {
    wait_until(reply.until, id);
  }
  enqueue(connection, std::move(reply));
}

void Replica::State::await_decision(Connection& connection, PendingReply reply) {
  reply.asked_us = looked_us_;
  reply.until = pipeline::undecided;
  connection.undecided.push_back(&enqueue(connection, std::move(reply)));
}

PendingReply& Replica::State::enqueue(Connection& connection, PendingReply reply) {
  reply.bytes = connection.frame_bytes;
  unanswered_bytes_ += reply.bytes;
  ++unanswered_;
  if (protocol::is_write(reply.op)) {
    ++writes_unanswered_;
    large_writes_.on_taken(reply.bytes, looked_us_);
  }
  connection.unanswered.push_back(std::move(reply));
  return connection.unanswered.back();
}

PendingReply Replica::State::dequeue(Connection& connection) {
  PendingReply reply = std::move(connection.unanswered.front());
  connection.unanswered.pop_front();
  unanswered_bytes_ -= reply.bytes;
  --unanswered_;
  note_answered(reply);
  return reply;
}

void Replica::State::note_answered(const PendingReply& reply) {
  if (protocol::is_write(reply.op)) {
    --writes_unanswered_;
    large_writes_.on_answered(reply.bytes, now_us());
  }
}

// The connection may be gone afterwards.
void Replica::State::decided(ConnectionId id, PendingReply& reply, Zxid until) {
  reply.until = until;
  if (reply.is_transaction()) {
    return;
  }
  if (until > tree_.last_applied()) {
    wait_until(until, id);
  } else {
    answer_ready(id);
  }
}

// Decisions come in order, but for confirmations, which may name an earlier point than the errors
// decided while they were waited for.
void Replica::State::wait_until(Zxid until, ConnectionId id) {
  const auto place = std::ranges::upper_bound(waiters_, until, {}, &Waiter::until);
  waiters_.insert(place, {.until = until, .connection = id});
}

void Replica::State::answer_ready(ConnectionId id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) {
    return;
  }
  auto& queue = found->second.unanswered;
  while (!queue.empty() && !queue.front().is_transaction() &&
         queue.front().until <= tree_.last_applied()) {
    const PendingReply reply = dequeue(found->second);
    if (!answer(id, found->second, reply)) {
      drop(id);
      return;
    }
  }
}

// Answers what needs no transaction. False if the connection must be closed afterwards.
bool Replica::State::answer(ConnectionId id, Connection& connection, const PendingReply& reply) {
  Bytes& out = ports_.clients.outbox(id);
  const std::size_t before = out.size();
  const bool stays = append_answer(id, connection, reply, out);
  ++replies_sent_;
  count_answer(connection, reply.xid, reply.op, reply.asked_us,
               std::holds_alternative<pipeline::FailedWrite>(reply.what), out.size() - before);
  return stays;
}

bool Replica::State::append_answer(ConnectionId id, const Connection& connection,
                                   const PendingReply& reply, Bytes& out) {
  if (const auto* local = std::get_if<pipeline::LocalRequest>(&reply.what)) {
    const IdentitiesView identities(connection.identities);
    reader_.answer(local->request, reply.xid, id, connection.session,
                   identities.first(local->identities), out);
    audit_local(connection, reply);
    return true;
  }
  if (const auto* greeting = std::get_if<pipeline::Greeting>(&reply.what)) {
    protocol::append_frame(out, greeting->response);
    return connection.session != SessionId{};
  }
  if (const auto* refused = std::get_if<pipeline::Refused>(&reply.what)) {
    // ZooKeeper answers an operation or a scheme it does not know with such a zxid, then closes.
    protocol::append_reply(out, {.xid = reply.xid,
                                 .zxid = refused->error == ErrorCode::unimplemented ? -1 : 0,
                                 .error = static_cast<std::int32_t>(refused->error)});
    return false;
  }
  pipeline::append_failure(reply.xid, tree_.last_applied(),
                           std::get<pipeline::FailedWrite>(reply.what), out);
  audit_failure(connection, reply);
  return true;
}

// A sync in front of it needs no other confirmation: the leader got the sync before it proposed
// this, and a quorum has acknowledged this to it since. Reads behind that sync must not see this
// yet.
void Replica::State::answer_in_front_of(const Proposal& proposal) {
  const auto found = connections_.find(proposal.origin.connection);
  if (proposal.origin.server != options_.id || found == connections_.end()) {
    return;
  }
  Connection& connection = found->second;
  for (PendingReply& reply : connection.unanswered) {
    if (reply.is_transaction()) {
      break;
    }
    const bool is_sync = reply.op == OpCode::sync;
    if (!is_sync && reply.op != OpCode::reconfig) {
      continue;
    }
    if (reply.until == pipeline::undecided) {
      std::erase(connection.undecided, &reply);
      ++(is_sync ? connection.syncs_answered_early : connection.reconfigs_answered_early);
    }
    reply.until = tree_.last_applied();
  }
  answer_ready(found->first);
}

void Replica::State::answer_origin(const Proposal& proposal) {
  const ConnectionId origin = proposal.origin.connection;
  const auto found = connections_.find(origin);
  if (proposal.origin.server != options_.id || found == connections_.end()) {
    return;
  }
  Connection& connection = found->second;
  const Zxid zxid = proposal.transaction.header.zxid;
  CHECK(!connection.unanswered.empty() && connection.unanswered.front().until == zxid,
        "transaction ", zxid, " is not what connection ", origin, " waits for first");
  const PendingReply reply = dequeue(connection);
  ++replies_sent_;
  Bytes& out = ports_.clients.outbox(origin);
  const std::size_t before = out.size();
  if (const auto* session = std::get_if<pipeline::AwaitedSession>(&reply.what)) {
    const auto& open = std::get<tree::OpenSession>(proposal.transaction.body);
    protocol::append_frame(
        out, protocol::ConnectResponse{.timeout_ms = session->timeout_ms,
                                       .session_id = connection.session.value,
                                       .password = open.password,
                                       .has_read_only_flag = session->has_read_only_flag});
  } else {
    pipeline::append_write_reply(reply, proposal.transaction, applied_, out);
    audit_success(connection, reply, proposal.transaction.body);
  }
  count_answer(connection, reply.xid, reply.op, reply.asked_us, true, out.size() - before);
  if (reply.op == OpCode::close_session) {
    drop(origin);
  } else {
    answer_ready(origin);
  }
}

void Replica::State::release_waiters() {
  while (!waiters_.empty() && waiters_.front().until <= tree_.last_applied()) {
    const ConnectionId id = waiters_.front().connection;
    waiters_.pop_front();
    answer_ready(id);
  }
}

}  // namespace zabfs::replication
