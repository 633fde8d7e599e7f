// The ensemble: the fixed list of servers that together are one service.
//
// Voters elect the leader and decide what is committed; observers only follow. How much a voter
// counts is its weight, and a quorum is reckoned per group (quorum.hpp), as in ZooKeeper's
// `weight.N` and `group.N`. Every server must be given the same list.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "replication/model/ids.hpp"

namespace zabfs::replication {

struct Member {
  ServerId id{};
  bool is_observer{};
  std::uint64_t weight{1};  // of a voter; with 0 it neither counts nor leads
  std::uint32_t group{};    // the same for all: no groups

  bool operator==(const Member&) const = default;
};

struct Ensemble {
  std::vector<Member> members{};  // empty: a server alone

  bool operator==(const Ensemble&) const = default;
};

// Why the server `self` can not be run with this list, as a sentence; nullopt if it can.
std::optional<std::string> mistake_in(const Ensemble& ensemble, ServerId self);

}  // namespace zabfs::replication
