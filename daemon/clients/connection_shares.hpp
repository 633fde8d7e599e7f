// What the connections of one table may take, and what all of them have taken together.
//
// A turn is shared fairly: what a connection takes in it (its requests, and the replies they get at
// once) is paid from a share. Who takes more than its share, which a single large request or reply
// can do, owes the rest and is not served until as many shares have made up for it, or until nobody
// else wants anything. How large a share is depends on how many connections took something in the
// turn before.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "replication/model/limits.hpp"
#include "replication/model/metrics.hpp"

namespace zabfs::daemon::clients {

struct ConnectionBounds {
  std::size_t per_address_max{};  // 0: no bound
  std::size_t total_max{replication::limits::connections_max};
  std::size_t frame_bytes_max{replication::limits::client_frame_bytes_max};
  std::int64_t sessionless_ms{replication::limits::sessionless_connection_ms};
  std::size_t outbox_bytes_max{replication::limits::outbox_bytes_max};      // of one
  std::size_t outboxes_bytes_max{replication::limits::outboxes_bytes_max};  // of all
  bool keeps_alive{};  // the kernel finds out whether silent clients are still there
};

class Turn {
 public:
  std::uint64_t number() const { return number_; }

  // In bytes, see limits::turn_shares.
  std::int64_t share() const { return share_; }

  // True once in a turn before which nobody took anything: whoever asks first owes nothing any
  // more.
  bool take_grace() { return std::exchange(has_grace_, false); }

  // A connection takes something for the first time in this turn.
  void add_taker() { ++takers_; }

  void begin_next() {
    ++number_;
    has_grace_ = takers_ == 0;
    const bool is_forgotten = number_ - crowded_turn_ > replication::limits::turns_remembered;
    if (takers_ >= crowd_ || is_forgotten) {
      crowd_ = std::max(takers_, 1UL);
      crowded_turn_ = number_;
    }
    share_ =
        crowd_ == 1
            ? replication::limits::turn_share_max
            : std::clamp(replication::limits::turn_shares / static_cast<std::int64_t>(crowd_),
                         replication::limits::turn_share_min, replication::limits::turn_share_max);
    takers_ = 0;
  }

 private:
  std::uint64_t number_{1};
  std::int64_t share_{replication::limits::turn_share_max};
  bool has_grace_{};
  std::size_t takers_{};
  std::size_t crowd_{1};          // the most takers of the turns that are remembered
  std::uint64_t crowded_turn_{};  // which of them had so many
};

// A connection's part of the turns.
class Account {
 public:
  // True once it has nothing left of its share of this turn.
  bool is_used_up(Turn& turn) {
    if (seen_ != turn.number()) {
      credit_ = grown(turn);
      seen_ = turn.number();
      has_taken_ = false;
    }
    if (credit_ <= 0 && !has_taken_ && turn.take_grace()) {
      credit_ = turn.share();
    }
    return credit_ <= 0;
  }

  // After is_used_up() has said no.
  void pay(Turn& turn, std::size_t bytes) {
    credit_ -= replication::limits::turn_request_cost + static_cast<std::int64_t>(bytes);
    if (!has_taken_) {
      has_taken_ = true;
      turn.add_taker();
    }
  }

 private:
  std::int64_t grown(const Turn& turn) const {
    constexpr std::uint64_t turns_counted_max = 1U << 20;  // enough for any debt
    const auto turns = std::min(turn.number() - seen_, turns_counted_max);
    return std::min(turn.share(), credit_ + static_cast<std::int64_t>(turns) * turn.share());
  }

  std::uint64_t seen_{};  // the turn that credit_ is of
  std::int64_t credit_{};
  bool has_taken_{};  // in that turn
};

struct ConnectionShares {
  const ConnectionBounds bounds;
  replication::Metrics& metrics;
  Turn turn{};
  std::size_t unsent_bytes{};  // what waits for all clients, as of when they were last looked at
};

}  // namespace zabfs::daemon::clients
