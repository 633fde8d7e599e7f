// Whom a znode lives for, as its owner field says it, in ZooKeeper's numbers:
//
//   0                    nobody: it lives until it is deleted
//   0x8000000000000000   a container: it goes some time after its last child
//   0xff000000000000ttl  it goes when it has no children and its data has not been set for `ttl` ms
//   any other            an ephemeral znode: it goes with this session
//
// No session has one of these numbers: its first byte is the server that opened it, which is 254 at
// most, and the others are never all zero.
#pragma once

#include <cstdint>

#include "replication/model/ids.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::replication::owner {

inline constexpr std::uint64_t ttl_mark = 0xff00'0000'0000'0000;

inline constexpr SessionId container{static_cast<std::int64_t>(0x8000'0000'0000'0000)};

// `ttl_ms` is 1 to limits::ttl_ms_max.
constexpr SessionId with_ttl(std::int64_t ttl_ms) {
  return {static_cast<std::int64_t>(ttl_mark | static_cast<std::uint64_t>(ttl_ms))};
}

constexpr bool is_container(SessionId owner) { return owner == container; }

constexpr bool has_ttl(SessionId owner) {
  return (static_cast<std::uint64_t>(owner.value) & ttl_mark) == ttl_mark;
}

constexpr std::int64_t ttl_ms(SessionId owner) { return owner.value & limits::ttl_ms_max; }

// True for an ephemeral znode.
constexpr bool is_session(SessionId owner) {
  return owner != SessionId{} && !is_container(owner) && !has_ttl(owner);
}

}  // namespace zabfs::replication::owner
