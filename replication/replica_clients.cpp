#include <algorithm>
#include <utility>

#include "replication/model/check.hpp"
#include "replication/model/limits.hpp"
#include "replication/protocol/codec.hpp"
#include "replication/replica_state.hpp"

namespace zabfs::replication {

using pipeline::PendingReply;
using protocol::OpCode;

void Replica::State::on_connected(ConnectionId id, std::string address) {
  connections_[id].address = std::move(address);
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
  watches_.remove_connection(id);
  connections_.erase(found);
}

void Replica::State::drop(ConnectionId id) {
  on_disconnected(id);
  ports_.clients.close(id);
}

void Replica::State::refuse(ConnectionId id, const std::string& why) {
  ports_.trace.record(ClientRefused{.connection = id, .why = why});
  drop(id);
}

bool Replica::State::may_read(ConnectionId id) const {
  const auto found = connections_.find(id);
  return found != connections_.end() &&
         found->second.unanswered.size() < limits::connection_requests_max &&
         unanswered_ < limits::requests_in_flight_max &&
         proposal_bytes_ < limits::request_bytes_in_flight_max;
}

void Replica::State::on_frame(ConnectionId id, ByteView payload) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) {
    return;
  }
  Connection& connection = found->second;
  if (phase_ != Phase::serving || broadcast_->is_exhausted()) {
    drop(id);  // ZooKeeper closes without a word while it does not serve
    return;
  }
  if (connection.session == SessionId{}) {
    greet(id, connection, payload);
    return;
  }
  const auto split = protocol::split_request(payload);
  if (!split) {
    refuse(id, "a request shorter than its header");
    return;
  }
  ++requests_received_;
  touch(connection);
  const auto& header = split->header;
  if (header.op == static_cast<std::int32_t>(OpCode::ping) && !connection.awaits_greeting()) {
    // Promptly, even while a write is stuck: clients give up on a server that does not answer.
    pipeline::append_header(header.xid, tree_.last_applied(), ErrorCode::ok,
                            ports_.clients.outbox(id));
    ++replies_sent_;
    return;
  }
  auto request = protocol::decode_request(header.op, split->body);
  if (request) {
    take_request(id, connection, header, std::move(*request));
    return;
  }
  const bool is_auth = header.op == static_cast<std::int32_t>(OpCode::auth);
  await(id, connection,
        {.xid = header.xid,
         .op = static_cast<OpCode>(header.op),
         .until = tree_.last_applied(),
         .what = pipeline::FailedWrite{.error = is_auth ? ErrorCode::auth_failed : request.error(),
                                       .multi = {}}});
}

void Replica::State::touch(const Connection& connection) {
  expiry_.touch(connection.session, connection.timeout_ms, ports_.clock.monotonic_ms());
}

// The first frame of a connection.
void Replica::State::greet(ConnectionId id, Connection& connection, ByteView payload) {
  const auto request = protocol::decode_connect_request(payload);
  if (!request) {
    refuse(id, "a connect request that is not one");
    return;
  }
  if (Zxid::from_wire(std::max<std::int64_t>(request->last_zxid_seen, 0)) > tree_.last_applied()) {
    refuse(id, "a client that has seen more of history than this replica");
    return;
  }
  connection.timeout_ms = static_cast<std::int32_t>(std::clamp<std::int64_t>(
      request->timeout_ms, options_.session_timeout_min_ms, options_.session_timeout_max_ms));
  if (request->session_id == 0) {
    open_session(id, connection, *request);
  } else {
    attach_session(id, connection, *request);
  }
}

void Replica::State::open_session(ConnectionId id, Connection& connection,
                                  const protocol::ConnectRequest& request) {
  if (sessions_.size() >= limits::sessions_max) {
    refuse(id, "one session more than this service holds");
    return;
  }
  // The server, the epoch and a count: no session of any epoch, on any server, has it again.
  const std::uint64_t unique = static_cast<std::uint64_t>(options_.id.value) << 56 |
                               (std::uint64_t{epochs_.current.value} & 0xff'ffff) << 32 |
                               ++sessions_opened_;
  connection.session = {static_cast<std::int64_t>(unique)};
  tree::OpenSession open{.timeout_ms = connection.timeout_ms,
                         .password = Bytes(limits::session_password_bytes)};
  ports_.entropy.fill(open.password);
  attached_[connection.session] = id;
  const Zxid zxid = propose(connection.session, std::move(open), id);
  await(id, connection,
        {.until = zxid,
         .what = pipeline::AwaitedSession{.timeout_ms = connection.timeout_ms,
                                          .has_read_only_flag = request.has_read_only_flag}});
}

// The password is looked at before anything is done, so that a stranger cannot disturb the owner.
void Replica::State::attach_session(ConnectionId id, Connection& connection,
                                    const protocol::ConnectRequest& request) {
  const SessionId session{request.session_id};
  const auto* known = sessions_.find(session);
  const bool welcome = known != nullptr && !closing_.contains(session) && request.password &&
                       *request.password == known->password;
  pipeline::Greeting greeting{.response = {.password = Bytes(limits::session_password_bytes),
                                           .has_read_only_flag = request.has_read_only_flag}};
  if (welcome) {
    if (const auto other = attached_.find(session); other != attached_.end()) {
      drop(ConnectionId{other->second});
    }
    connection.session = session;
    attached_[session] = id;
    touch(connection);
    greeting.response.timeout_ms = connection.timeout_ms;
    greeting.response.session_id = session.value;
    greeting.response.password = known->password;
  }
  // Whatever the session still has in flight comes first, so that it reads its own writes.
  const Zxid until = welcome ? broadcast_->proposed() : Zxid{};
  await(id, connection, {.until = until, .what = std::move(greeting)});
}

void Replica::State::take_request(ConnectionId id, Connection& connection,
                                  const protocol::RequestHeader& header,
                                  protocol::Request request) {
  const OpCode op = protocol::op_of(request);
  if (closing_.contains(connection.session)) {
    await(id, connection,
          {.xid = header.xid,
           .op = op,
           .until = broadcast_->proposed(),
           .what = pipeline::FailedWrite{.error = ErrorCode::session_expired, .multi = {}}});
  } else if (op == OpCode::close_session) {
    close_session(id, connection, header.xid);
  } else if (protocol::is_write(op)) {
    take_write(id, connection, header, std::move(request));
  } else {
    // A sync is a read that waits for everything proposed before it.
    const Zxid until = op == OpCode::sync ? broadcast_->proposed() : Zxid{};
    await(id, connection,
          {.xid = header.xid,
           .op = op,
           .until = until,
           .what = pipeline::LocalRequest{.request = std::move(request)}});
  }
}

void Replica::State::take_write(ConnectionId id, Connection& connection,
                                const protocol::RequestHeader& header, protocol::Request request) {
  PendingReply reply{.xid = header.xid, .op = protocol::op_of(request)};
  pipeline::AwaitedWrite awaited;
  if (const auto* multi = std::get_if<protocol::MultiRequest>(&request)) {
    for (const auto& operation : multi->operations) {
      awaited.multi.push_back(std::visit([](const auto& o) { return o.op; }, operation));
    }
  }
  auto prepared = pipeline::prepare(request, connection.session, pending_);
  if (auto* body = std::get_if<tree::TransactionBody>(&prepared)) {
    reply.until = propose(connection.session, std::move(*body), id);
    reply.what = std::move(awaited);
  } else {
    // Decided upon what is in flight: it may be said only once that is history.
    reply.until = broadcast_->proposed();
    pipeline::FailedWrite failure;
    if (const auto* error = std::get_if<ErrorCode>(&prepared)) {
      failure.error = *error;
    } else {
      failure.multi = std::get<protocol::MultiResponse>(std::move(prepared));
    }
    reply.what = std::move(failure);
  }
  await(id, connection, std::move(reply));
}

void Replica::State::close_session(ConnectionId id, Connection& connection, std::int32_t xid) {
  closing_.insert(connection.session);
  const Zxid zxid = propose(connection.session, prepare_close(connection.session, pending_), id);
  await(id, connection,
        {.xid = xid, .op = OpCode::close_session, .until = zxid, .what = pipeline::AwaitedWrite{}});
}

void Replica::State::await(ConnectionId id, Connection& connection, PendingReply reply) {
  if (connection.unanswered.empty() && !reply.is_transaction() &&
      reply.until <= tree_.last_applied()) {
    if (!answer(id, connection, reply)) {
      drop(id);
    }
    return;
  }
  if (!reply.is_transaction() && reply.until > tree_.last_applied()) {
    waiters_.push_back({.until = reply.until, .connection = id});
  }
  connection.unanswered.push_back(std::move(reply));
  ++unanswered_;
}

void Replica::State::answer_ready(ConnectionId id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) {
    return;
  }
  auto& queue = found->second.unanswered;
  while (!queue.empty() && !queue.front().is_transaction() &&
         queue.front().until <= tree_.last_applied()) {
    const PendingReply reply = std::move(queue.front());
    queue.pop_front();
    --unanswered_;
    if (!answer(id, found->second, reply)) {
      drop(id);
      return;
    }
  }
}

// Answers what needs no transaction. False if the connection must be closed afterwards.
bool Replica::State::answer(ConnectionId id, Connection& connection, const PendingReply& reply) {
  Bytes& out = ports_.clients.outbox(id);
  ++replies_sent_;
  if (const auto* local = std::get_if<pipeline::LocalRequest>(&reply.what)) {
    reader_.answer(local->request, reply.xid, id, out);
    return true;
  }
  if (const auto* greeting = std::get_if<pipeline::Greeting>(&reply.what)) {
    protocol::append_frame(out, greeting->response);
    return connection.session != SessionId{};
  }
  const auto& failure = std::get<pipeline::FailedWrite>(reply.what);
  if (failure.error == ErrorCode::unimplemented || failure.error == ErrorCode::auth_failed) {
    // ZooKeeper answers an operation or a scheme it does not know with such a zxid, then closes.
    protocol::append_reply(out, {.xid = reply.xid,
                                 .zxid = failure.error == ErrorCode::unimplemented ? -1 : 0,
                                 .error = static_cast<std::int32_t>(failure.error)});
    return false;
  }
  pipeline::append_failure(reply.xid, tree_.last_applied(), failure, out);
  return true;
}

void Replica::State::answer_origin(const Proposal& proposal) {
  const auto found = connections_.find(proposal.origin);
  if (found == connections_.end()) {
    return;
  }
  Connection& connection = found->second;
  const Zxid zxid = proposal.transaction.header.zxid;
  CHECK(!connection.unanswered.empty() && connection.unanswered.front().until == zxid,
        "transaction ", zxid, " is not what connection ", proposal.origin, " waits for first");
  const PendingReply reply = std::move(connection.unanswered.front());
  connection.unanswered.pop_front();
  --unanswered_;
  ++replies_sent_;
  Bytes& out = ports_.clients.outbox(proposal.origin);
  if (const auto* session = std::get_if<pipeline::AwaitedSession>(&reply.what)) {
    const auto& open = std::get<tree::OpenSession>(proposal.transaction.body);
    protocol::append_frame(
        out, protocol::ConnectResponse{.timeout_ms = session->timeout_ms,
                                       .session_id = connection.session.value,
                                       .password = open.password,
                                       .has_read_only_flag = session->has_read_only_flag});
  } else {
    pipeline::append_write_reply(reply, proposal.transaction, applied_, out);
  }
  if (reply.op == OpCode::close_session) {
    drop(proposal.origin);
  } else {
    answer_ready(proposal.origin);
  }
}

void Replica::State::release_waiters() {
  while (!waiters_.empty() && waiters_.front().until <= tree_.last_applied()) {
    const ConnectionId id = waiters_.front().connection;
    waiters_.pop_front();
    answer_ready(id);
  }
}

void Replica::State::notify(const tree::Applied& applied) {
  for (const tree::Event& event : applied.events) {
    watches_.fire(event, fired_);
    for (const ConnectionId watcher : fired_) {
      protocol::append_event(
          ports_.clients.outbox(watcher),
          {.type = static_cast<std::int32_t>(event.kind), .path = std::string(event.path)},
          tree_.last_applied().wire());
    }
  }
}

}  // namespace zabfs::replication
