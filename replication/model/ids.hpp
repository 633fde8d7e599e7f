// The names of things: every identifier the service passes around, each its own type.
//
// Two kinds of identifier never compare, convert or add. Passing a session where a server is
// wanted is a compile error, not a finding in review.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <ostream>
#include <tuple>

namespace zabfs::replication {

template <class Tag, class Rep>
struct Id {
  Rep value{};

  friend constexpr auto operator<=>(Id, Id) = default;
  static auto fields(auto& id) { return std::tie(id.value); }
  friend std::ostream& operator<<(std::ostream& out, Id id) { return out << id.value; }
};

// A replica of the ensemble, from its `myid`: 1 to 254.
using ServerId = Id<struct ServerIdTag, std::int64_t>;

// A client's session. 0 means none. The high byte is the server that created it.
using SessionId = Id<struct SessionIdTag, std::int64_t>;

// A leader's reign. Durable before it is told to anybody (Zab, phase 1).
using Epoch = Id<struct EpochTag, std::uint32_t>;

// One client connection of this process; never reused while the process lives.
using ConnectionId = Id<struct ConnectionIdTag, std::uint64_t>;

// A transaction's place in history: the leader's epoch in the high 32 bits, a counter in the low
// 32. Counter 0 is never a transaction: it is the moment an epoch begins (NEWLEADER).
struct Zxid {
  std::uint64_t value{};

  static constexpr Zxid at(Epoch epoch, std::uint32_t counter) {
    return {std::uint64_t{epoch.value} << 32 | counter};
  }
  constexpr Epoch epoch() const { return {static_cast<std::uint32_t>(value >> 32)}; }
  constexpr std::uint32_t counter() const { return static_cast<std::uint32_t>(value); }

  // As the client protocol carries it: a signed long.
  constexpr std::int64_t wire() const { return static_cast<std::int64_t>(value); }
  static constexpr Zxid from_wire(std::int64_t value) { return {static_cast<std::uint64_t>(value)}; }

  // True if a log may hold `next` directly after `*this`: the following counter of the same epoch,
  // or the first counter of a later one.
  constexpr bool is_followed_by(Zxid next) const {
    return next.value == value + 1 ? next.counter() != 0
                                   : next.epoch() > epoch() && next.counter() == 1;
  }

  friend constexpr auto operator<=>(Zxid, Zxid) = default;
  static auto fields(auto& zxid) { return std::tie(zxid.value); }
  friend std::ostream& operator<<(std::ostream& out, Zxid zxid) {
    return out << zxid.epoch() << '.' << zxid.counter();
  }
};

}  // namespace zabfs::replication

template <class Tag, class Rep>
struct std::hash<zabfs::replication::Id<Tag, Rep>> {
  std::size_t operator()(zabfs::replication::Id<Tag, Rep> id) const noexcept {
    return std::hash<Rep>{}(id.value);
  }
};
