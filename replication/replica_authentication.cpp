#include <algorithm>
#include <utility>

#include "replication/model/limits.hpp"
#include "replication/replica_state.hpp"

namespace zabfs::replication {

using protocol::OpCode;

void Replica::State::on_connected(ConnectionId id, std::string address, Identities shown) {
  Connection& connection = connections_[id];
  connection.identities = {{.scheme = "ip", .id = address}};
  connection.address = std::move(address);
  gain(connection, std::move(shown));
}

// What is gained counts for what the client asks from here on, and not for what it has asked
// already: those requests remember what they may be decided with. So it may wait for its answer.
void Replica::State::authenticate(ConnectionId id, Connection& connection, std::int32_t xid,
                                  const protocol::AuthRequest& request) {
  auto gained =
      ports_.authenticator.authenticate(request.scheme, request.credentials, connection.identities);
  if (!gained || !gain(connection, std::move(*gained))) {
    metrics_.auth_failed_count.add();
    ports_.trace.record(ClientRefused{.connection = id, .why = "an authentication that failed"});
    audit_failed_authentication(connection);
    refuse_in_turn(id, connection, xid, OpCode::auth, ErrorCode::auth_failed);
    return;
  }
  await(id, connection,
        {.xid = xid, .op = OpCode::auth, .what = local_request(connection, request)});
}

// False if that is more than a connection may have.
bool Replica::State::gain(Connection& connection, Identities gained) {
  for (Identity& identity : gained) {
    if (std::ranges::find(connection.identities, identity) != connection.identities.end()) {
      continue;
    }
    if (identity.id.size() > limits::identity_bytes_max ||
        connection.identities.size() >= limits::identities_per_connection_max) {
      return false;
    }
    connection.identities.push_back(std::move(identity));
  }
  return true;
}

bool Replica::State::is_authenticated(const Connection& connection) const {
  return options_.required_schemes.empty() ||
         std::ranges::any_of(connection.identities, [this](const Identity& identity) {
           const auto& schemes = options_.required_schemes;
           return std::ranges::find(schemes, identity.scheme) != schemes.end();
         });
}

// Nothing that came behind this request is looked at any more.
void Replica::State::refuse_in_turn(ConnectionId id, Connection& connection, std::int32_t xid,
                                    OpCode op, ErrorCode error) {
  connection.is_refused = true;
  await(id, connection, {.xid = xid, .op = op, .what = pipeline::Refused{.error = error}});
}

}  // namespace zabfs::replication
