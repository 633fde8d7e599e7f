// At most so many of one thing per second: so that a client in a tight loop cannot fill the log.
//
// Time is given in, in milliseconds that never go back. What is held back is counted, and the count
// is handed out once, with the first thing that is let through again or when somebody asks.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

namespace zabfs::daemon {

class RateLimit {
 public:
  explicit RateLimit(std::uint64_t per_second_max) : per_second_max_(per_second_max) {}

  // True if one more may pass at `now_ms`.
  bool admits(std::int64_t now_ms) {
    if (now_ms - second_began_ms_ >= 1000) {
      second_began_ms_ = now_ms;
      passed_ = 0;
    }
    if (passed_ >= per_second_max_) {
      ++held_back_;
      return false;
    }
    ++passed_;
    return true;
  }

  // How many were held back since the last call, once their second is over; 0 before.
  std::uint64_t take_held_back(std::int64_t now_ms) {
    return now_ms - second_began_ms_ >= 1000 ? std::exchange(held_back_, 0) : 0;
  }

 private:
  std::uint64_t per_second_max_;
  std::int64_t second_began_ms_{-1000};
  std::uint64_t passed_{};
  std::uint64_t held_back_{};
};

}  // namespace zabfs::daemon
