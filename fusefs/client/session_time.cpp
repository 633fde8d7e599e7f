// What becomes due: dialing, pings, giving a server up, and requests that nobody took in time.
#include <algorithm>
#include <limits>

#include "fusefs/client/limits.hpp"
#include "fusefs/client/session.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::fusefs::client {

namespace limits = replication::limits;
using replication::ErrorCode;

namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

}  // namespace

// How long an attempt may take before the next server gets its turn.
std::int64_t Session::patience_ms() const {
  constexpr std::int64_t attempts_within_timeout = 3;
  return id_.value == 0
             ? limits::connect_timeout_ms
             : std::min(limits::connect_timeout_ms, timeout_ms_ / attempts_within_timeout);
}

void Session::tick(std::int64_t now_ms) {
  if (is_closing_ && link_ != Link::none && now_ms >= close_by_ms_) {
    end(SessionState::closed);
  }
  if (link_ == Link::waiting && now_ms >= link_since_ms_) {
    dial(now_ms);
  } else if ((link_ == Link::dialing || link_ == Link::greeting) &&
             now_ms >= link_since_ms_ + patience_ms()) {
    lose_connection(now_ms);
  } else if (link_ == Link::attached && now_ms >= last_received_ms_ + timeout_ms_ / 3 * 2) {
    lose_connection(now_ms);
  } else if (link_ == Link::attached && now_ms >= last_sent_ms_ + timeout_ms_ / 3) {
    ping_is_due_ = true;
  }
  queue_.end_patience(now_ms);
  expire_unsent(now_ms);
}

void Session::expire_unsent(std::int64_t now_ms) {
  for (const auto* request = queue_.first_unsent();
       request != nullptr && now_ms >= request->submitted_ms + timeout_ms_;
       request = queue_.first_unsent()) {
    auto late = queue_.take_first_unsent();
    answer(late, ErrorCode::operation_timeout);
  }
}

std::int64_t Session::next_tick_ms() const {
  std::int64_t next = never;
  switch (link_) {
    case Link::none:
      return never;
    case Link::waiting:
      next = link_since_ms_;
      break;
    case Link::dialing:
    case Link::greeting:
      next = link_since_ms_ + patience_ms();
      break;
    case Link::attached:
      next = last_received_ms_ + timeout_ms_ / 3 * 2;
      if (!ping_is_due_) {
        next = std::min(next, last_sent_ms_ + timeout_ms_ / 3);
      }
      break;
  }
  if (const auto* request = queue_.first_unsent()) {
    next = std::min(next, request->submitted_ms + timeout_ms_);
    if (link_ == Link::attached && request->is_patient) {
      next = std::min(next, request->submitted_ms + fusefs::limits::patient_request_ms);
    }
  }
  return is_closing_ ? std::min(next, close_by_ms_) : next;
}

}  // namespace zabfs::fusefs::client
