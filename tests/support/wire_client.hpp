// A client of the protocol for tests: it speaks on one connection at a time, remembers what it
// asked, and decodes what comes back.
//
// It trusts nothing: a reply that was not asked for, out of turn, or that does not decode is
// complained about, which fails the running test unless somebody else hears complaints.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "replication/protocol/handshake.hpp"
#include "replication/protocol/requests.hpp"
#include "replication/protocol/responses.hpp"
#include "tests/support/client_transport.hpp"

namespace zabfs::test {

// What a client hears.
struct Reply {
  std::int32_t op{};  // of the request
  replication::protocol::ReplyHeader header{};
  std::optional<replication::protocol::Response> body{};  // nullopt for an error
};

struct Notice {
  replication::protocol::ReplyHeader header{};
  replication::protocol::WatcherEvent event{};
};

struct Closed {};

using Heard = std::variant<replication::protocol::ConnectResponse, Reply, Notice, Closed>;

class WireClient {
 public:
  using Complaint = std::function<void(const std::string&)>;

  // `world` outlives the client.
  explicit WireClient(ClientTransport& world, Complaint complain = nullptr);

  // Hangs up if connected, connects again, and sends the handshake. xids begin again at 1.
  void connect(const replication::protocol::ConnectRequest& handshake);

  // Hangs up, connects again, and sends nothing.
  void connect_silently();

  // Sends a request under the next xid, or the xid that its operation prescribes.
  void ask(const replication::protocol::Request& request);

  // Sends any operation and any bytes under the next xid.
  void ask_raw(std::int32_t op, replication::ByteView body);

  // Sends any frame at all; nothing is expected to be answered.
  void send(replication::ByteView payload);

  void disconnect();

  // Nothing can be sent on a connection that is not open.
  bool is_open() const { return connection_ && world_.is_open(*connection_); }

  // What has come since this was last asked, ending with Closed if the replica has closed.
  std::vector<Heard> hear();

 private:
  struct Asked {
    std::int32_t xid{};
    std::int32_t op{};
  };

  void ask(Asked asked, replication::ByteView body);
  Heard decode(replication::ByteView payload);
  Heard decode_reply(const replication::protocol::ReplyHeader& header, replication::ByteView body);

  ClientTransport& world_;
  Complaint complain_;
  std::optional<replication::ConnectionId> connection_;
  bool is_greeted_{};
  std::int32_t last_xid_{};
  std::deque<Asked> asked_;
  std::deque<Asked> pings_;  // answered out of turn
};

}  // namespace zabfs::test
