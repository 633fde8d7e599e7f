// Business of clients between a learner and its leader.
//
// A client's replica answers reads itself. What changes the service, and what only the leader can
// know, goes to the leader, which decides it as if the client were its own. The outcome comes back
// on the same link, in the order of the decisions:
//
//   request      outcome
//   Write        a proposal with the client as its origin, or Failed
//   Open         a proposal with the client as its origin
//   Attach       Attached
//   Close        a proposal with the client as its origin, or Failed
//   Write        of a reconfig: Reconfigured
//   RestorePiece nothing, unless it is RestoreRefused: the piece is seen when it is applied
//   RestoreEnd   likewise
//   Sync         Reached, once a quorum has confirmed that the leader still leads
//
// Every outcome but a proposal names a point of history that the learner must have delivered before
// the client hears of it.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "replication/model/acl.hpp"
#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "replication/model/result.hpp"

namespace zabfs::replication::pipeline {

struct Write {
  ConnectionId connection{};
  SessionId session{};
  std::int32_t op{};
  Identities identities{};  // of the client when it asked
  Bytes body{};             // the request behind its header, as the client sent it

  static auto fields(auto& m) {
    return std::tie(m.connection, m.session, m.op, m.identities, m.body);
  }
  bool operator==(const Write&) const = default;
};

struct Open {
  ConnectionId connection{};
  std::int32_t timeout_ms{};

  static auto fields(auto& m) { return std::tie(m.connection, m.timeout_ms); }
  bool operator==(const Open&) const = default;
};

// The leader alone judges the password: this replica may not have heard of the session yet.
struct Attach {
  ConnectionId connection{};
  SessionId session{};
  Bytes password{};
  std::int32_t timeout_ms{};

  static auto fields(auto& m) {
    return std::tie(m.connection, m.session, m.password, m.timeout_ms);
  }
  bool operator==(const Attach&) const = default;
};

struct Close {
  ConnectionId connection{};
  SessionId session{};

  static auto fields(auto& m) { return std::tie(m.connection, m.session); }
  bool operator==(const Close&) const = default;
};

struct Sync {
  ConnectionId connection{};

  static auto fields(auto& m) { return std::tie(m.connection); }
  bool operator==(const Sync&) const = default;
};

// `multi` has the error of each operation, if the request was a multi.
struct Failed {
  ConnectionId connection{};
  Zxid until{};
  std::int32_t error{};
  std::vector<std::int32_t> multi{};

  static auto fields(auto& m) { return std::tie(m.connection, m.until, m.error, m.multi); }
  bool operator==(const Failed&) const = default;
};

struct Attached {
  ConnectionId connection{};
  Zxid until{};
  bool is_welcome{};

  static auto fields(auto& m) { return std::tie(m.connection, m.until, m.is_welcome); }
  bool operator==(const Attached&) const = default;
};

struct Reached {
  ConnectionId connection{};
  Zxid until{};

  static auto fields(auto& m) { return std::tie(m.connection, m.until); }
  bool operator==(const Reached&) const = default;
};

// The session of this connection has been attached elsewhere.
struct Detached {
  ConnectionId connection{};

  static auto fields(auto& m) { return std::tie(m.connection); }
  bool operator==(const Detached&) const = default;
};

// The ensemble is as was wanted, and a quorum of it will know that whatever happens; or the error.
struct Reconfigured {
  ConnectionId connection{};
  Zxid until{};
  std::int32_t error{};

  static auto fields(auto& m) { return std::tie(m.connection, m.until, m.error); }
  bool operator==(const Reconfigured&) const = default;
};

// A piece of a state to be restored, the first of which has the number 0. See ../restoration.hpp.
struct RestorePiece {
  ConnectionId connection{};  // none
  std::string name{};         // of the restore
  std::int32_t number{};
  Zxid snapshot{};  // the highest zxid in that state
  Bytes bytes{};

  static auto fields(auto& m) {
    return std::tie(m.connection, m.name, m.number, m.snapshot, m.bytes);
  }
  bool operator==(const RestorePiece&) const = default;
};

// That were all pieces: the state shall take the place of everything.
struct RestoreEnd {
  ConnectionId connection{};  // none
  std::string name{};
  std::int32_t pieces{};

  static auto fields(auto& m) { return std::tie(m.connection, m.name, m.pieces); }
  bool operator==(const RestoreEnd&) const = default;
};

// Nothing will come of that restore.
struct RestoreRefused {
  ConnectionId connection{};  // none
  std::string name{};
  std::string why{};  // a sentence

  static auto fields(auto& m) { return std::tie(m.connection, m.name, m.why); }
  bool operator==(const RestoreRefused&) const = default;
};

// The place in this list is the number on the wire: append, never reorder.
using ForwardedMessage =
    std::variant<Write, Open, Attach, Close, Sync, Failed, Attached, Reached, Detached,
                 Reconfigured, RestorePiece, RestoreEnd, RestoreRefused>;

Bytes to_bytes(const ForwardedMessage& message);

// What to_bytes made, or marshalling_error for anything else, bytes left over included.
Result<ForwardedMessage> decode_forwarded(ByteView bytes);

}  // namespace zabfs::replication::pipeline
