#include "replication/session/expiry_queue.hpp"

#include <algorithm>

namespace zabfs::replication::session {

void ExpiryQueue::touch(SessionId session, std::int64_t timeout_ms, std::int64_t now_ms) {
  const std::int64_t deadline = (now_ms + timeout_ms + tick_ms_ - 1) / tick_ms_ * tick_ms_;
  const auto [place, is_new] = deadlines_.try_emplace(session, deadline);
  if (is_new) {
    filed_[deadline].push_back(session);
  } else {
    place->second = std::max(place->second, deadline);
  }
}

void ExpiryQueue::remove(SessionId session) { deadlines_.erase(session); }

std::vector<SessionId> ExpiryQueue::overdue(std::int64_t now_ms) {
  std::vector<SessionId> expired;
  while (!filed_.empty() && filed_.begin()->first <= now_ms) {
    const auto due = filed_.extract(filed_.begin());
    const auto first = static_cast<std::ptrdiff_t>(expired.size());
    for (const SessionId session : due.mapped()) {
      const auto found = deadlines_.find(session);
      if (found == deadlines_.end()) {
        continue;
      }
      if (found->second > due.key()) {
        filed_[found->second].push_back(session);
      } else {
        expired.push_back(session);
        deadlines_.erase(found);
      }
    }
    std::sort(expired.begin() + first, expired.end());
  }
  return expired;
}

}  // namespace zabfs::replication::session
