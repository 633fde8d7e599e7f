// Which sessions have been silent for longer than their timeout. The leader's knowledge: a new
// leader gives every session its full timeout again.
//
// Deadlines are rounded up to multiples of a tick, so that sessions expire in batches: a session
// expires between its timeout and one tick more after it was last heard of. Hearing of a session
// only notes its new deadline. It stays filed under the old one until that passes and is then filed
// again, so a touch allocates nothing and moves nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "replication/model/ids.hpp"

namespace zabfs::replication::session {

class ExpiryQueue {
 public:
  // `tick_ms` is above 0.
  explicit ExpiryQueue(std::int64_t tick_ms) : tick_ms_(tick_ms) {}

  // The session was heard of at `now_ms`; it begins to be observed if it was not. A deadline never
  // moves to an earlier time.
  void touch(SessionId session, std::int64_t timeout_ms, std::int64_t now_ms);

  // Stops to observe the session, if it is.
  void remove(SessionId session);

  // The sessions whose deadline is not after `now_ms`, earliest deadline first, then by id. They
  // are no longer observed.
  std::vector<SessionId> overdue(std::int64_t now_ms);

  // Calls `visit(deadline_ms, session)` for every session observed, earliest filing first. What was
  // heard of since it was filed is visited with its later deadline.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [filed_ms, sessions] : filed_) {
      for (const SessionId session : sessions) {
        if (const auto found = deadlines_.find(session); found != deadlines_.end()) {
          visit(found->second, session);
        }
      }
    }
  }

  // Sessions observed.
  std::size_t size() const { return deadlines_.size(); }

 private:
  std::int64_t tick_ms_;
  std::unordered_map<SessionId, std::int64_t> deadlines_{};
  std::map<std::int64_t, std::vector<SessionId>> filed_{};
};

}  // namespace zabfs::replication::session
