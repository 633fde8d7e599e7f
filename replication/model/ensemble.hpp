// The ensemble: the servers that together are one service, and where each of them is.
//
// Voters elect the leader and decide what is committed; observers only follow. How much a voter
// counts is its weight, and a quorum is reckoned per group (zab/quorum.hpp), as in ZooKeeper's
// `weight.N` and `group.N`. The ensemble that a server begins with is the same on every server;
// each later one is a transaction, and its version is that transaction's zxid.
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

  std::string host{};             // a name, or an address without brackets
  std::uint16_t port{};           // where the other servers connect
  std::uint16_t election_port{};  // 0 if it was not given; kept for clients, and not used
  std::string client_address{};   // empty: all
  std::optional<std::uint16_t> client_port{};

  bool operator==(const Member&) const = default;
};

struct Ensemble {
  std::vector<Member> members{};  // empty: a server alone
  Zxid version{};                 // 0: the one that the servers began with

  bool operator==(const Ensemble&) const = default;
};

// The server's entry; null if it has none.
const Member* find_member(const Ensemble& ensemble, ServerId id);

// Why no server can be run with this list, as a sentence; nullopt if it can.
std::optional<std::string> mistake_in(const Ensemble& ensemble);

// The same for the server `self`, which must be in the list.
std::optional<std::string> mistake_in(const Ensemble& ensemble, ServerId self);

}  // namespace zabfs::replication
