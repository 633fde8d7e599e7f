#include "tests/simulator/checkers/primary_order.hpp"

namespace zabfs::test {

using namespace replication;

void PrimaryOrder::on_trace(ServerId at, const TraceEvent& event) {
  if (const auto* proposed = std::get_if<Proposed>(&event)) {
    const Zxid zxid = proposed->zxid;
    const auto [last, is_first] = last_proposed_.emplace(zxid.epoch(), zxid);
    if (is_first) {
      delivered_before_[zxid.epoch()] = prefix_.position_of(at);
    }
    if (is_first ? zxid.counter() != 1 : !last->second.is_followed_by(zxid)) {
      findings_.add("LocalPrimaryOrder", "server ", at, " proposes ", zxid, " after ",
                    last->second);
    }
    last->second = zxid;
  }
  look_at_new_history();
}

void PrimaryOrder::look_at_new_history() {
  const auto& history = prefix_.history();
  for (; seen_ < history.size(); ++seen_) {
    const Zxid zxid = history[seen_].zxid;
    const Zxid before = seen_ == 0 ? Zxid{} : history[seen_ - 1].zxid;
    if (zxid.epoch() < before.epoch()) {
      findings_.add("GlobalPrimaryOrder", zxid, " is delivered after ", before);
    } else if (!before.is_followed_by(zxid)) {
      findings_.add("LocalPrimaryOrder", zxid, " is delivered directly after ", before);
    }
    for (auto later = delivered_before_.upper_bound(zxid.epoch()); later != delivered_before_.end();
         ++later) {
      if (later->second <= seen_) {
        findings_.add("PrimaryIntegrity", "the primary of epoch ", later->first,
                      " proposed before it had delivered ", zxid);
      }
    }
  }
}

}  // namespace zabfs::test
