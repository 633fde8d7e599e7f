#include "replication/zab/quorum.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <span>

#include "replication/model/check.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::replication::zab {

Quorums::Quorums(const Ensemble& ensemble, ServerId self) {
  const auto mistake = mistake_in(ensemble);
  CHECK(!mistake, *mistake);
  std::vector<Member> members = ensemble.members;
  if (members.empty()) {
    members.push_back({.id = self});
  }
  std::ranges::sort(members, std::less<>{}, &Member::id);
  std::map<std::uint32_t, Group> groups;
  std::set<std::uint64_t> weights;
  for (const Member& member : members) {
    if (member.is_observer) {
      continue;
    }
    voters_.push_back(member.id);
    if (member.weight > 0) {
      Group& group = groups[member.group];
      group.shares.push_back({.server = member.id, .weight = member.weight, .place = shares_++});
      group.weight += member.weight;
      weights.insert(member.weight);
    }
  }
  for (auto& [number, group] : groups) {
    groups_.push_back(std::move(group));
  }
  is_plain_majority_ = groups_.size() == 1 && weights.size() == 1;
}

template <class Has>
bool Quorums::is_quorum(const Has& has) const {
  std::size_t won = 0;
  for (const Group& group : groups_) {
    std::uint64_t weight = 0;
    for (const Share& share : group.shares) {
      weight += has(share) ? share.weight : 0;
    }
    if (2 * weight > group.weight) {
      ++won;
    }
  }
  return 2 * won > groups_.size();
}

bool Quorums::contains_quorum(const std::set<ServerId>& servers) const {
  return is_quorum([&](const Share& share) { return servers.contains(share.server); });
}

bool Quorums::is_voter(ServerId server) const {
  return std::ranges::binary_search(voters_, server);
}

bool Quorums::may_lead(ServerId server) const {
  return std::ranges::any_of(groups_, [server](const Group& group) {
    return std::ranges::find(group.shares, server, &Share::server) != group.shares.end();
  });
}

Zxid Quorums::reached_by_quorum(const std::map<ServerId, Zxid>& reached) const {
  std::array<Zxid, limits::server_id_max> buffer;  // by Share::place; of every voter there may be
  const std::span<Zxid> at = std::span(buffer).first(shares_);
  for (const Group& group : groups_) {
    for (const Share& share : group.shares) {
      const auto found = reached.find(share.server);
      at[share.place] = found == reached.end() ? Zxid{} : found->second;
    }
  }
  if (is_plain_majority_) {
    const auto slowest = at.begin() + static_cast<std::ptrdiff_t>(shares_ / 2);
    std::ranges::nth_element(at, slowest, std::greater<>{});
    return *slowest;
  }
  Zxid newest{};
  for (const Zxid candidate : at) {
    if (candidate > newest &&
        is_quorum([&](const Share& share) { return at[share.place] >= candidate; })) {
      newest = candidate;
    }
  }
  return newest;
}

}  // namespace zabfs::replication::zab
