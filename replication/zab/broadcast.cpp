#include "replication/zab/broadcast.hpp"

#include <algorithm>

#include "replication/model/check.hpp"

namespace zabfs::replication::zab {

Broadcast::Broadcast(Epoch epoch, Zxid history_end, const Membership& membership,
                     std::uint32_t counter_max)
    : membership_(&membership),
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

Zxid Broadcast::propose_ensemble() {
  before_ensemble_ = proposed_;
  return propose();
}

bool Broadcast::is_exhausted() const { return proposed_ == last_; }

void Broadcast::acknowledge(ServerId from, Zxid up_to) {
  CHECK(up_to <= proposed_, "acknowledged ", up_to, " but proposed only ", proposed_);
  Zxid& acknowledged = acknowledged_[from];
  acknowledged = std::max(acknowledged, up_to);
  recount();
}

void Broadcast::recount() {
  committed_ = std::max(committed_, membership_->committable(acknowledged_, before_ensemble_));
}

}  // namespace zabfs::replication::zab
