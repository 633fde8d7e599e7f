#include "replication/zab/broadcast.hpp"

#include <algorithm>

#include "replication/model/check.hpp"

namespace zabfs::replication::zab {

Broadcast::Broadcast(Epoch epoch, Zxid history_end, const Quorums& quorums,
                     std::uint32_t counter_max)
    : quorums_(&quorums),
      epoch_(epoch),
      last_(Zxid::at(epoch, counter_max)),
      proposed_(history_end),
      committed_(history_end) {
  CHECK(history_end.epoch() < epoch, "epoch ", epoch, " does not follow ", history_end);
}

Zxid Broadcast::next() const {
  CHECK(!is_exhausted(), "epoch ", epoch_, " has no counter left");
  return proposed_.epoch() == epoch_ ? Zxid{proposed_.value + 1} : Zxid::at(epoch_, 1);
}

Zxid Broadcast::propose() { return proposed_ = next(); }

bool Broadcast::is_exhausted() const { return proposed_ == last_; }

void Broadcast::acknowledge(ServerId from, Zxid up_to) {
  CHECK(up_to <= proposed_, "acknowledged ", up_to, " but proposed only ", proposed_);
  if (!quorums_->is_voter(from)) {
    return;
  }
  Zxid& acknowledged = acknowledged_[from];
  acknowledged = std::max(acknowledged, up_to);
  committed_ = std::max(committed_, quorums_->reached_by_quorum(acknowledged_));
}

}  // namespace zabfs::replication::zab
