// Makes a Client that lives on an io_context: the sockets, name lookups and timers of a Session.
//
// Everything the user submits during one turn of the loop leaves in one send, or in several if he
// says when, and all replies that have arrived are read at once. The io_context must be run by one
// thread only; the client makes no other (but Asio looks names up on one of its own).
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <optional>

#include "fusefs/client/client.hpp"
#include "fusefs/client/credentials.hpp"
#include "fusefs/client/endpoints.hpp"

namespace zabfs::fusefs::client {

struct ClientOptions {
  ConnectString servers{};
  std::int32_t timeout_ms{10'000};  // of the session, as asked for; the server has the last word
  Credentials credentials{};        // sent on every connection
  std::optional<std::uint64_t> seed{};  // of the order of the servers; drawn by lot if absent
  SessionIdentity resumed{};            // of the session that it goes on with; a new one without
};

// The client begins to connect at the next turn of the loop, so callbacks set before are in time.
// Destroying it drops the connection and all callbacks, and leaves the session to expire; destroy
// it before the io_context. A callback may destroy it.
std::unique_ptr<Client> make_client(boost::asio::io_context& io, ClientOptions options);

}  // namespace zabfs::fusefs::client
