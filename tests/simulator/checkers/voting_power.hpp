// Which servers together are enough, in the words of ZooKeeper's manual and without any code of
// zab's: more than half of the weight in more than half of the groups that have any.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>

#include "replication/model/ensemble.hpp"

namespace zabfs::test {

// True if the members for which `is_in(id)` holds are a quorum. Observers never count.
inline bool are_quorum(const replication::Ensemble& ensemble,
                       const std::function<bool(replication::ServerId)>& is_in) {
  struct Weight {
    std::uint64_t present{};
    std::uint64_t all{};
  };
  std::map<std::uint32_t, Weight> groups;
  for (const auto& member : ensemble.members) {
    if (!member.is_observer && member.weight > 0) {
      Weight& group = groups[member.group];
      group.all += member.weight;
      group.present += is_in(member.id) ? member.weight : 0;
    }
  }
  const auto won = std::ranges::count_if(
      groups, [](const auto& group) { return group.second.present > group.second.all / 2; });
  return static_cast<std::size_t>(won) > groups.size() / 2;
}

}  // namespace zabfs::test
