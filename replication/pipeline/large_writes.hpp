// When a large write may be taken, so that it does not hold up everybody's small ones.
//
// A log is written in order: whatever comes behind a value of a megabyte waits until that is on the
// disk, some forty times as long as a small write takes alone. So a large write that had company
// pays for itself in small ones: the next is taken when as many small writes of anybody have been
// applied as its bytes stand for. Who writes large values alone, or beside somebody who pauses, is
// not held back; nobody is for longer than limits::large_write_wait_us.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "replication/model/limits.hpp"

namespace zabfs::replication::pipeline {

class LargeWrites {
 public:
  // A write of `bytes` was taken from a client of this server, at `now_us` on the monotonic clock.
  void on_taken(std::size_t bytes, std::int64_t now_us) {
    if (bytes <= limits::large_request_bytes) {
      on_small(now_us);
      return;
    }
    ++unanswered_;
    owed_bytes_ = has_company_ ? owed_bytes_ + static_cast<std::int64_t>(bytes)
                               : static_cast<std::int64_t>(bytes);
    has_company_ = false;
    taken_us_ = now_us;
  }

  // A write of `bytes` that was taken is answered, or its client is gone.
  void on_answered(std::size_t bytes, std::int64_t now_us) {
    if (bytes > limits::large_request_bytes) {
      --unanswered_;
      active_us_ = now_us;
    }
  }

  // A write of `bytes`, whoever asked for it, has been applied.
  void on_applied(std::size_t bytes, std::int64_t now_us) {
    if (bytes <= limits::large_request_bytes) {
      on_small(now_us);
      owed_bytes_ =
          std::max<std::int64_t>(owed_bytes_ - limits::large_bytes_for_each_small_write, 0);
    }
  }

  // True if a large one may be taken at `now_us`.
  bool may_take(std::int64_t now_us) const {
    const bool is_idle = unanswered_ == 0 && now_us - active_us_ >= limits::large_write_pause_us;
    return !has_company_ || owed_bytes_ == 0 || is_idle ||
           now_us - taken_us_ >= limits::large_write_wait_us;
  }

 private:
  void on_small(std::int64_t now_us) {
    has_company_ = true;
    active_us_ = now_us;
  }

  std::size_t unanswered_{};   // large ones
  std::int64_t owed_bytes_{};  // of large ones, which small ones have not made up for
  bool has_company_{};         // there was a small one since the last large one was taken
  std::int64_t active_us_{};   // the last small one, or the end of a large one
  std::int64_t taken_us_{};    // the last large one
};

}  // namespace zabfs::replication::pipeline
