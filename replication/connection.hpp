// A client's connection, as the replica knows it: who it is and what it still waits for.
//
//   greeting --(connect request, decided by the leader)--> attached --(close session, expiry,
//   another connection takes the
//                                              session, nonsense)--> gone
//
// Watches and identities belong to the connection, not to the session: they go with it (WIRE,
// sections 13 and 14).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <map>
#include <string>

#include "replication/model/acl.hpp"
#include "replication/model/ids.hpp"
#include "replication/pipeline/request_queue.hpp"
#include "replication/protocol/op_code.hpp"

namespace zabfs::replication {

// The answers of one connection: the last of them, and how long they took.
struct Conversation {
  protocol::OpCode last_op{};  // 0 before the first
  std::int32_t last_xid{-1};
  Zxid last_zxid{};
  std::int64_t answered_us{};  // when, on the monotonic clock
  std::uint64_t answers{};
  std::int64_t last_us{};  // from a request to its reply; likewise the others
  std::int64_t sum_us{};
  std::int64_t min_us{std::numeric_limits<std::int64_t>::max()};
  std::int64_t max_us{};
};

struct Connection {
  std::string address{};
  Identities identities{};    // grows only; the first is ("ip", address)
  SessionId session{};        // 0 until the connect request
  std::int32_t timeout_ms{};  // negotiated on this connection
  bool was_heard{};           // since the leader was last told
  bool is_refused{};          // it is answered and closed; what else it says is not heard
  std::size_t frame_bytes{};  // of the frame that came last
  pipeline::RequestQueue unanswered{};

  Conversation conversation{};

  // Those of them that the leader has yet to decide, in order. A queue's elements do not move.
  std::list<pipeline::PendingReply*> undecided{};

  // Syncs that were answered before the leader's word on them came; that word is for nobody.
  std::size_t syncs_answered_early{};
  std::size_t reconfigs_answered_early{};  // likewise

  // True between the connect request and the leader's decision about it.
  bool awaits_session() const { return session == SessionId{} && !unanswered.empty(); }

  // True between the connect request and its answer, which comes before any other.
  bool awaits_greeting() const { return !unanswered.empty() && unanswered.front().is_greeting(); }
};

using Connections = std::map<ConnectionId, Connection>;

}  // namespace zabfs::replication
