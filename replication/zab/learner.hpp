// What a leader knows of one learner. It lasts as long as the link it came over.
//
//   asked --NewEpoch--> invited --AckEpoch--> promised --(leader may synchronize)--+
//                                                                                  |
//      +--------- a snapshot is needed: awaiting_snapshot --first slice--> streaming
//      |                                                                           |
//      +--> synchronizing (NewLeader sent) --AckNewLeader--> synchronized --UpToDate--> active
//
// From streaming or synchronizing on it gets every proposal; from active on every commit.
#pragma once

#include <cstddef>
#include <cstdint>

#include "replication/model/ids.hpp"

namespace zabfs::replication::zab {

struct Learner {
  enum class Stage {
    asked,
    invited,
    promised,
    awaiting_snapshot,
    streaming,
    synchronizing,
    synchronized,
    active
  };

  Stage stage{Stage::asked};
  Epoch accepted{};          // when it asked
  Zxid last{};               // the end of its log when it promised
  std::uint64_t answered{};  // the newest heartbeat it answered
  std::int64_t heard_ms{};   // when that heartbeat was sent, or when it asked
  std::int64_t active_ms{};  // when it became active

  bool hears_proposals() const { return stage >= Stage::streaming; }
};

// How many learners a leader has.
struct LearnerCounts {
  std::size_t active{};  // up to date
  std::size_t active_observers{};
  std::size_t behind{};  // being brought up to date
};

}  // namespace zabfs::replication::zab
