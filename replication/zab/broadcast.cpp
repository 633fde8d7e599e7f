#include "replication/zab/broadcast.hpp"

#include <algorithm>

#include "replication/model/check.hpp"
#include "replication/zab/quorum.hpp"

namespace zabfs::replication::zab {

Broadcast::Broadcast(Epoch epoch, Zxid history_end, const std::vector<ServerId>& voters,
                     std::uint32_t counter_max)
    : epoch_(epoch),
      last_(Zxid::at(epoch, counter_max)),
      proposed_(history_end),
      committed_(history_end) {
  CHECK(history_end.epoch() < epoch, "epoch ", epoch, " does not follow ", history_end);
  for (const ServerId voter : voters) {
    acknowledged_[voter] = history_end;
  }
}

Zxid Broadcast::propose() {
  CHECK(!is_exhausted(), "epoch ", epoch_, " has no counter left");
  proposed_ = proposed_.epoch() == epoch_ ? Zxid{proposed_.value + 1} : Zxid::at(epoch_, 1);
  return proposed_;
}

bool Broadcast::is_exhausted() const { return proposed_ == last_; }

void Broadcast::acknowledge(ServerId from, Zxid up_to) {
  CHECK(up_to <= proposed_, "acknowledged ", up_to, " but proposed only ", proposed_);
  const auto voter = acknowledged_.find(from);
  if (voter == acknowledged_.end()) {
    return;
  }
  voter->second = std::max(voter->second, up_to);
  std::vector<Zxid> reached;
  reached.reserve(acknowledged_.size());
  for (const auto& [server, zxid] : acknowledged_) {
    reached.push_back(zxid);
  }
  committed_ = std::max(committed_, reached_by_majority(reached));
}

}  // namespace zabfs::replication::zab
