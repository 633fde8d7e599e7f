// What servers tell each other while they look for a leader, and which of two votes is better.
#pragma once

#include <compare>
#include <cstdint>
#include <tuple>

#include "replication/model/ids.hpp"

namespace zabfs::replication::zab {

// Who should lead, and the end of that server's durable history. Ordered by the history first, so
// the best vote is for a server that has lost nothing; the server's id breaks ties. Vote{} is for
// nobody and worse than any other.
struct Vote {
  ServerId leader{};
  Epoch epoch{};  // of the history; of the reign, once there is a leader
  Zxid last{};

  static auto fields(auto& v) { return std::tie(v.leader, v.epoch, v.last); }
  bool operator==(const Vote&) const = default;
  std::strong_ordering operator<=>(const Vote& other) const {
    return std::tie(epoch, last, leader) <=> std::tie(other.epoch, other.last, other.leader);
  }
};

// What a server is doing. The numbers are ZooKeeper's.
enum class PeerState : std::int32_t { looking = 0, following = 1, leading = 2, observing = 3 };

// What a server stands for at this moment. On a link each replaces the one before it.
struct Ballot {
  PeerState state{};
  std::uint64_t round{};  // of the sender's election; from 1, forgotten when its process ends
  Vote vote{};

  static auto fields(auto& b) { return std::tie(b.state, b.round, b.vote); }
  bool operator==(const Ballot&) const = default;
};

}  // namespace zabfs::replication::zab
