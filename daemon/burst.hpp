// Which writes share a sync: when a burst of them is over.
//
// Clients that ask one write at a time fall into two groups. While the writes of one are synced,
// those of the other wait, and then the first have to wait for these: everybody waits for two syncs
// and pays for one with half of the clients. But when the first group has its answers, its next
// writes are only some microseconds away. So the next batch waits for them, and one sync is for
// all.
//
//   disk done: n writes were unanswered before, fewer are now. (A read that waits behind a write of
//   its session is not one more client.)
//       n is 1     the lone writer: his next write goes to the disk at once
//       n > 1      the burst is over when n are unanswered again, or limits::burst_wait_us later
//       n is many  it is over at once: a sync is cheap among so many, and the disk had better work
//
// Clients that do something else between two writes do not come in time. After a wait in vain the
// next bursts are not waited for: one, then two, four and so on; after one that was not in vain,
// one again.
//
// There is no clock in it: its owner says when the time is over.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "replication/model/limits.hpp"

namespace zabfs::daemon {

class Burst {
 public:
  // The disk is done: `before` writes were unanswered, and `after` are. True if the next burst is
  // waited for; then on_time_over() is due in limits::burst_wait_us.
  bool begin(std::size_t before, std::size_t after) {
    awaited_ = 0;
    if (before <= 1 || before <= after || before > replication::limits::burst_requests_max) {
      return false;
    }
    if (to_skip_ > 0) {
      --to_skip_;
      return false;
    }
    awaited_ = before;
    return true;
  }

  // True if nothing is waited for (any more), now that `unanswered` writes are there.
  bool is_over(std::size_t unanswered) {
    if (awaited_ != 0 && unanswered >= awaited_) {
      awaited_ = 0;
      skip_next_ = 1;
    }
    return awaited_ == 0;
  }

  void on_time_over() {
    if (std::exchange(awaited_, 0) != 0) {
      to_skip_ = skip_next_;
      skip_next_ = std::min(skip_next_ * 2, replication::limits::bursts_skipped_max);
    }
  }

 private:
  std::size_t awaited_{};       // unanswered writes that end the burst; 0: it is over
  std::uint32_t to_skip_{};     // bursts that are not waited for
  std::uint32_t skip_next_{1};  // how many that will be after the next wait in vain
};

}  // namespace zabfs::daemon
