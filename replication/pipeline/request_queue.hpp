// The requests of one connection that are not answered yet, in the order they came.
//
// Replies leave in that order (DESIGN, promise 2). Each waits for a point of history: a write for
// its own transaction; an error for everything it was decided upon, because until that is committed
// the state it speaks of might never have been; a sync for everything proposed before it; a read
// only for the requests in front of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <memory>
#include <variant>
#include <vector>

#include "replication/model/error_code.hpp"
#include "replication/model/ids.hpp"
#include "replication/protocol/handshake.hpp"
#include "replication/protocol/requests.hpp"
#include "replication/protocol/responses.hpp"

namespace zabfs::replication::pipeline {

// A write whose transaction is in flight. Its reply is made when that is applied.
struct AwaitedWrite {
  std::vector<protocol::OpCode> multi{};  // the operations of a multi, checks included
};

// A new session whose transaction is in flight.
struct AwaitedSession {
  std::int32_t timeout_ms{};
  bool has_read_only_flag{};
};

// A write that failed. `multi` holds the results if it was a multi.
struct FailedWrite {
  ErrorCode error{};
  protocol::MultiResponse multi{};
};

// A request that ends its connection: an operation that nobody serves, or credentials that nobody
// accepts.
struct Refused {
  ErrorCode error{};
};

// Something this replica answers from memory when its turn has come.
struct LocalRequest {
  protocol::Request request{};
  std::size_t identities{};  // of its connection, how many it had when it asked
};

// A handshake that needs no transaction: a session came back, or was refused.
struct Greeting {
  protocol::ConnectResponse response{};
};

using Awaited =
    std::variant<AwaitedWrite, AwaitedSession, FailedWrite, Refused, LocalRequest, Greeting>;

// The point of history of what the leader has yet to decide: never reached.
inline constexpr Zxid undecided{std::numeric_limits<std::uint64_t>::max()};

struct AuditedOperation;

struct PendingReply {
  std::int32_t xid{};
  protocol::OpCode op{};
  Zxid until{};             // may be answered once this is applied
  std::int64_t asked_us{};  // when the request came, on the monotonic clock
  std::size_t bytes{};      // of the request
  Awaited what{};

  // What the audit will say, if there is one.
  std::shared_ptr<const std::vector<AuditedOperation>> audited{};

  // True if only the transaction `until` itself can answer it.
  bool is_transaction() const {
    return std::holds_alternative<AwaitedWrite>(what) ||
           std::holds_alternative<AwaitedSession>(what);
  }

  // True for the answer to a handshake.
  bool is_greeting() const {
    return std::holds_alternative<AwaitedSession>(what) || std::holds_alternative<Greeting>(what);
  }
};

// Most connections wait for nothing, and an empty list takes no memory, which a deque does.
using RequestQueue = std::list<PendingReply>;

}  // namespace zabfs::replication::pipeline
