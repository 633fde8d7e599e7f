#include "replication/zab/quorum.hpp"

#include <algorithm>
#include <functional>
#include <vector>

#include "replication/model/check.hpp"

namespace zabfs::replication::zab {

Zxid reached_by_majority(std::span<const Zxid> voters) {
  CHECK(!voters.empty(), "no voters");
  std::vector<Zxid> descending(voters.begin(), voters.end());
  const auto nth = descending.begin() + static_cast<std::ptrdiff_t>(majority_of(voters.size()) - 1);
  std::ranges::nth_element(descending, nth, std::greater<>{});
  return *nth;
}

}  // namespace zabfs::replication::zab
