#include "replication/session/session_table.hpp"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <utility>

#include "replication/jute/jute_archive.hpp"
#include "replication/model/check.hpp"

namespace zabfs::replication::session {

bool is_same_password(ByteView one, ByteView other) {
  std::uint8_t difference = 0;
  for (std::size_t i = 0; i < std::min(one.size(), other.size()); ++i) {
    difference = static_cast<std::uint8_t>(difference | (one[i] ^ other[i]));
  }
  return one.size() == other.size() && difference == 0;
}
namespace {

std::uint64_t digest_of(SessionId id, const Session& session) {
  const std::array<std::int64_t, 2> words{id.value, session.timeout_ms};
  const std::uint64_t seed = XXH3_64bits(words.data(), sizeof(words));
  return XXH3_64bits_withSeed(session.password.data(), session.password.size(), seed);
}

}  // namespace

void SessionTable::open(SessionId id, Session session) {
  digest_ += digest_of(id, session);
  const bool is_new = sessions_.emplace(id, std::move(session)).second;
  CHECK(is_new, "session ", id, " is open");
}

void SessionTable::close(SessionId id) {
  const auto found = sessions_.find(id);
  CHECK(found != sessions_.end(), "session ", id, " is not open");
  digest_ -= digest_of(id, found->second);
  sessions_.erase(found);
}

const Session* SessionTable::find(SessionId id) const {
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : &found->second;
}

Bytes SessionTable::to_bytes() const {
  Bytes bytes;
  jute::JuteWriter to{bytes};
  to.integer(static_cast<std::int32_t>(sessions_.size()));
  for (const auto& [id, session] : sessions_) {
    to(id, session);
  }
  return bytes;
}

Result<SessionTable> SessionTable::from_bytes(ByteView bytes) {
  try {
    SessionTable table;
    jute::JuteReader from{bytes};
    const std::size_t count = from.element_count().value_or(0);
    for (std::size_t i = 0; i < count; ++i) {
      SessionId id{};
      Session session{};
      from(id, session);
      if (!table.sessions_.empty() && id <= table.sessions_.rbegin()->first) {
        return ErrorCode::marshalling_error;
      }
      table.open(id, std::move(session));
    }
    if (!from.rest().empty()) {
      return ErrorCode::marshalling_error;
    }
    return table;
  } catch (const cereal::Exception&) {
    return ErrorCode::marshalling_error;
  }
}

}  // namespace zabfs::replication::session
