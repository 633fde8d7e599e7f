#include <algorithm>
#include <utility>
#include <variant>

#include "replication/model/limits.hpp"
#include "replication/protocol/codec.hpp"
#include "replication/replica_state.hpp"

namespace zabfs::replication {

namespace {

std::vector<std::int32_t> errors_of(const protocol::MultiResponse& multi) {
  std::vector<std::int32_t> errors;
  for (const auto& result : multi.results) {
    errors.push_back(static_cast<std::int32_t>(std::get<protocol::MultiError>(result.body).error));
  }
  return errors;
}

}  // namespace

void Replica::State::hear_of(SessionId session) {
  const std::int64_t now = ports_.clock.monotonic_ms();
  if (const auto owner = owners_.find(session); owner != owners_.end()) {
    expiry_.touch(session, owner->second.timeout_ms, now);
  } else if (const auto* known = sessions_.find(session)) {
    expiry_.touch(session, known->timeout_ms, now);
  }
}

bool Replica::State::owns(zab::Origin origin, SessionId session) const {
  const auto owner = owners_.find(session);
  return owner != owners_.end() && owner->second.origin == origin;
}

// What no learner asks.
template <class Other>
void Replica::State::decide(zab::Origin /*origin*/, const Other& /*message*/) {}

void Replica::State::decide(zab::Origin origin, const pipeline::Write& write) {
  auto request = protocol::decode_request(write.op, write.body);
  if (request && protocol::is_write(protocol::op_of(*request)) && !peer_.is_exhausted()) {
    decide_write(origin, {.session = write.session, .identities = write.identities}, *request);
  }
}

// A session that ends, or has moved to another connection, changes nothing any more.
void Replica::State::decide_write(zab::Origin origin, const pipeline::Client& client,
                                  protocol::Request& request) {
  if (const auto* reconfig = std::get_if<protocol::ReconfigRequest>(&request)) {
    decide_reconfig(origin, client, *reconfig);
    return;
  }
  pipeline::Failed failed{.connection = origin.connection, .until = peer_.proposed()};
  if (closing_.contains(client.session)) {
    failed.error = static_cast<std::int32_t>(ErrorCode::session_expired);
  } else if (!owns(origin, client.session)) {
    failed.error = static_cast<std::int32_t>(ErrorCode::session_moved);
  } else {
    const pipeline::Client asking{.session = client.session,
                                  .identities = client.identities,
                                  .knows_certificates = options_.knows_certificates};
    auto prepared = pipeline::prepare(request, asking, pending_, rules_);
    metrics_.prep_process_time.add(now_us() - looked_us_);
    if (auto* body = std::get_if<tree::TransactionBody>(&prepared)) {
      propose(client.session, std::move(*body), origin);
      return;
    }
    // Decided upon what is in flight: it may be said only once that is history.
    if (const auto* error = std::get_if<ErrorCode>(&prepared)) {
      failed.error = static_cast<std::int32_t>(*error);
    } else {
      failed.multi = errors_of(std::get<protocol::MultiResponse>(prepared));
    }
  }
  tell(origin, failed);
}

void Replica::State::decide(zab::Origin origin, const pipeline::Open& open) {
  if (peer_.is_exhausted()) {
    return;
  }
  // The server, the epoch and a count: no session of any epoch, on any server, has it again. One of
  // another ensemble could have, whose snapshot was restored.
  SessionId session{};
  do {
    const std::uint64_t unique = static_cast<std::uint64_t>(options_.id.value) << 56 |
                                 (std::uint64_t{peer_.standing().current.value} & 0xff'ffff) << 32 |
                                 ++sessions_opened_;
    session = {static_cast<std::int64_t>(unique)};
  } while (sessions_.find(session) != nullptr);
  tree::OpenSession opened{.timeout_ms = open.timeout_ms,
                           .password = Bytes(limits::session_password_bytes)};
  ports_.entropy.fill(opened.password);
  owners_[session] = {.origin = origin, .timeout_ms = open.timeout_ms};
  propose(session, std::move(opened), origin);
}

// The password is looked at before anything is done, so that a stranger cannot disturb the owner.
// Whatever the session still has in flight comes first, so that it reads its own writes.
void Replica::State::decide(zab::Origin origin, const pipeline::Attach& attach) {
  metrics_.revalidate_count.add();
  const auto* known = sessions_.find(attach.session);
  pipeline::Attached attached{
      .connection = origin.connection,
      .is_welcome = known != nullptr && !closing_.contains(attach.session) &&
                    session::is_same_password(attach.password, known->password)};
  if (attached.is_welcome) {
    attached.until = peer_.proposed();
    const auto owner = owners_.find(attach.session);
    if (owner != owners_.end()) {
      tell(owner->second.origin, pipeline::Detached{.connection = owner->second.origin.connection});
    }
    owners_[attach.session] = {.origin = origin, .timeout_ms = attach.timeout_ms};
    expiry_.touch(attach.session, attach.timeout_ms, ports_.clock.monotonic_ms());
  }
  tell(origin, attached);
}

void Replica::State::decide(zab::Origin origin, const pipeline::Close& close) {
  if (peer_.is_exhausted()) {
    return;
  }
  if (!owns(origin, close.session) || !closing_.insert(close.session).second) {
    tell(origin, pipeline::Failed{.connection = origin.connection,
                                  .until = peer_.proposed(),
                                  .error = static_cast<std::int32_t>(ErrorCode::session_moved)});
    return;
  }
  propose(close.session, prepare_close(close.session, pending_), origin);
}

// A leader that was deposed does not know it. So it asks a quorum, which has followed it until
// after the question came, and no later leader can have committed anything before that.
void Replica::State::decide(zab::Origin origin, const pipeline::Sync& /*sync*/) {
  confirmations_.push_back(
      {.number = peer_.confirm(), .origin = origin, .until = peer_.proposed()});
}

void Replica::State::tell(zab::Origin origin, const pipeline::ForwardedMessage& outcome) {
  if (origin.server == options_.id) {
    hear_outcome(outcome);
  } else {
    forward(origin.server, outcome);
  }
}

void Replica::State::decide_request(ServerId from, const pipeline::ForwardedMessage& message) {
  std::visit(
      [&](const auto& request) {
        decide({.server = from, .connection = request.connection}, request);
      },
      message);
}

}  // namespace zabfs::replication
