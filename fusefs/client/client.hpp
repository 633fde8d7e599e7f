// The client of a ZooKeeper ensemble (zabd or Apache): asynchronous, pipelined, keeps its session.
//
// Calls never block. Requests leave in the order of the calls and are answered in that order. All
// calls and callbacks happen on one thread: the one that runs the transport.
//
// What happens when the connection is lost: the client reconnects by itself, to the next server,
// and re-attaches its session. Reads that had no answer are sent again. A write that had been sent
// and had no answer fails with connection_loss: its outcome is unknown, and the client never
// repeats it. What was not sent yet waits, for at most the session timeout since the call; then it
// fails with operation_timeout. When the session expires everything waiting fails with
// session_expired, and so does every later call.
//
// Watches (the `watch` field of exists, getData and getChildren requests) fire once, through
// `on_event`, before any reply that is as new as the change. They survive reconnection: the client
// re-registers them with the last zxid it saw, and changes missed in between are reported then.
//
// AddWatchRequest sets a watch that stays until RemoveWatchesRequest takes it away; that takes
// one-shot watches away too. It survives reconnection, but what it would have reported meanwhile is
// not reported: who relies on it reads again when the state is connected again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "replication/model/result.hpp"
#include "replication/protocol/requests.hpp"
#include "replication/protocol/responses.hpp"

namespace zabfs::fusefs::client {

enum class SessionState {
  connecting,  // no session yet, or no connection at the moment
  connected,
  expired,  // for ever: make a new client
  refused,  // for ever: no session yet, and a server does not accept the credentials
  closed,   // by close()
};

// A request in flight. 0 is none.
struct RequestId {
  std::uint64_t value{};
  bool operator==(const RequestId&) const = default;
};

// A reply: the body, and the zxid of its header.
struct Reply {
  replication::protocol::Response body{};
  replication::Zxid zxid{};
};

using ReplyCallback = std::function<void(replication::Result<Reply>)>;

// A watch fired. The zxid is absent with Apache ZooKeeper before 3.9.
struct WatchNotice {
  replication::protocol::EventType type{};
  std::string path{};
  std::optional<replication::Zxid> zxid{};
};

using EventCallback = std::function<void(std::span<const WatchNotice>)>;

// What takes a session over to another process. Whoever has the password has the session.
struct SessionIdentity {
  replication::SessionId session{};  // 0: there is none yet
  replication::Bytes password{};
  replication::Zxid last_zxid{};  // a server that has not reached it is refused
};

class Client {
 public:
  virtual ~Client() = default;

  // Sends `request`; `callback` is called exactly once, never from inside this call, unless the
  // request is forgotten first.
  virtual RequestId submit(replication::protocol::Request request, ReplyCallback callback) = 0;

  // The same for what nobody waits for: it leaves with the next request, or after
  // limits::patient_request_ms.
  virtual RequestId submit_patiently(replication::protocol::Request request,
                                     ReplyCallback callback) {
    return submit(std::move(request), std::move(callback));
  }

  // Sends what was submitted now, and not when the loop comes to it. Calls nobody back; never from
  // inside a callback.
  virtual void send_now() {}

  // The callback of `id` will not be called. If the request had not left it never will; if it had,
  // its effect stands. Unknown ids are ignored.
  virtual void forget(RequestId id) = 0;

  // Called for the watches that fire, and at every change of state. Set them before start. Events
  // that came one right behind the other are told in one call, in their order: so are all of one
  // transaction, as far as they came together.
  virtual void on_event(EventCallback callback) = 0;
  virtual void on_state(std::function<void(SessionState)> callback) = 0;

  virtual SessionState state() const = 0;

  // The session, 0 before the first connection; its negotiated timeout in milliseconds.
  virtual replication::SessionId session() const = 0;
  virtual std::int32_t timeout_ms() const = 0;

  // The server it is connected to, as host:port; empty without a connection.
  virtual std::string server() const = 0;

  // The znode of the ensemble that every path begins at; empty for its root. A path with two
  // slashes in front begins at the root all the same.
  virtual const std::string& chroot() const = 0;

  // Milliseconds since a server was last heard. After timeout_ms() of them the session may be over
  // without our knowing.
  virtual std::int64_t silence_ms() const = 0;

  // The watches that were set, and have not fired or been removed.
  virtual std::size_t watches() const = 0;

  // While there is no connection: of the one-shot watches, only those of paths for which
  // `is_needed` says so will be set again on the next one.
  virtual void keep_watches(const std::function<bool(std::string_view)>& is_needed) = 0;

  // For a client in another process, when this one is gone.
  virtual SessionIdentity identity() const { return {.session = session()}; }

  // The newest zxid any reply carried.
  virtual replication::Zxid last_zxid() const = 0;

  // Ends the session at the server (its ephemeral znodes go), then closes. `done` is called once,
  // after at most a second.
  virtual void close(std::function<void()> done) = 0;
};

}  // namespace zabfs::fusefs::client
