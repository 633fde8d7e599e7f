// The sessions that live, as the log says: opened and closed by transactions, the same on every
// replica. When a session was last heard of is the leader's own knowledge; see expiry_queue.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "replication/model/result.hpp"

namespace zabfs::replication::session {

struct Session {
  std::int32_t timeout_ms{};
  Bytes password{};  // what a client shows to come back

  static auto fields(auto& s) { return std::tie(s.timeout_ms, s.password); }
  bool operator==(const Session&) const = default;
};

// Takes as long for a password that is nearly right as for any other.
bool is_same_password(ByteView one, ByteView other);

class SessionTable {
 public:
  // The session must not be open.
  void open(SessionId id, Session session);

  // The session must be open.
  void close(SessionId id);

  // Null if there is no such session. Good until it is closed.
  const Session* find(SessionId id) const;

  std::size_t size() const { return sessions_.size(); }

  // Every session, in the order of ids.
  const std::map<SessionId, Session>& sessions() const { return sessions_; }

  // Jute: a count, then id, timeout and password of each, ids ascending. The same bytes for equal
  // tables.
  Bytes to_bytes() const;

  // What to_bytes made, or marshalling_error for anything else, bytes left over included.
  static Result<SessionTable> from_bytes(ByteView bytes);

  // A number that equal tables share, whatever their history. Kept up to date by every change.
  std::uint64_t digest() const { return digest_; }

  bool operator==(const SessionTable&) const = default;

 private:
  std::map<SessionId, Session> sessions_{};
  std::uint64_t digest_{};
};

}  // namespace zabfs::replication::session
