#include <algorithm>
#include <utility>

#include "replication/model/limits.hpp"
#include "replication/replica_state.hpp"

namespace zabfs::replication {

// Containers that are empty again, and znodes whose time to live is over. Only a leader that serves
// removes them, in transactions like any other, and a few at a time, so that clients do not wait.
void Replica::State::remove_expendable() {
  if (!is_serving_ || !peer_.is_leading() || is_being_replaced()) {
    return;
  }
  const std::int64_t now = ports_.clock.monotonic_ms();
  const tree::RemovalTerms terms{.now_ms = ports_.clock.wall_ms(),
                                 .never_used_ms = options_.container_never_used_ms};
  if (removals_.empty()) {
    if (now < removals_looked_ms_ + options_.removal_check_ms) {
      return;
    }
    removals_ = tree_.removable(
        terms, static_cast<std::size_t>(std::max<std::int64_t>(options_.removals_per_minute, 1)));
    std::ranges::reverse(removals_);  // taken from the end
    removals_looked_ms_ = now;
  }
  constexpr std::int64_t minute_ms = 60'000;
  std::int64_t count = std::min((now - removed_ms_) * options_.removals_per_minute / minute_ms,
                                limits::removals_at_once_max);
  if (count > 0) {
    removed_ms_ = now;
  }
  for (; count > 0 && !removals_.empty() && !peer_.is_exhausted() &&
         proposal_bytes_ < limits::request_bytes_in_flight_max;
       --count) {
    const std::string path = std::move(removals_.back());
    removals_.pop_back();
    if (auto body = pipeline::prepare_removal(path, tree_, terms, pending_)) {
      propose({}, std::move(*body), {});
    }
  }
}

}  // namespace zabfs::replication
