// Which servers are enough: quorums of an ensemble, with weights and groups. Arithmetic only,
// without messages; nothing changes after construction.
//
// A quorum has more than half of the groups, and in each of these more than half of its weight.
// Without groups all voters are one group, and with equal weights that is the plain majority. Any
// two quorums share a voter (Zab, section 3), because they share a group. Groups of weight 0 are
// left out.
//
// Observers are never counted, whatever is asked (ZOOKEEPER-2959); nor are unknown servers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "replication/model/ensemble.hpp"
#include "replication/model/ids.hpp"

namespace zabfs::replication::zab {

class Quorums {
 public:
  // As `self` sees them, who need not be a member: an ensemble without members is `self` alone.
  // There must be no mistake_in(ensemble).
  Quorums(const Ensemble& ensemble, ServerId self);

  bool contains_quorum(const std::set<ServerId>& servers) const;

  // A voter of weight 0 is a voter, though it never makes a difference.
  bool is_voter(ServerId server) const;

  // True for voters whose weight is above 0.
  bool may_lead(ServerId server) const;

  // Ascending.
  const std::vector<ServerId>& voters() const { return voters_; }

  // The newest zxid such that the servers that have reached it, or more, contain a quorum; Zxid{}
  // if there is none. A server that is not listed has reached nothing. Allocates nothing.
  Zxid reached_by_quorum(const std::map<ServerId, Zxid>& reached) const;

 private:
  // One voter of weight above 0.
  struct Share {
    ServerId server{};
    std::uint64_t weight{};
    std::size_t place{};  // counts the shares of all groups, from 0
  };

  struct Group {
    std::vector<Share> shares{};
    std::uint64_t weight{};  // of all its shares; above 0
  };

  // True if the shares for which `has(share)` holds are a quorum.
  template <class Has>
  bool is_quorum(const Has& has) const;

  std::vector<ServerId> voters_;
  std::vector<Group> groups_;
  std::size_t shares_{};      // of all groups
  bool is_plain_majority_{};  // one group of equal weights: counting voters is enough
};

}  // namespace zabfs::replication::zab
