#include <utility>

#include "replication/replica_state.hpp"

namespace zabfs::replication {

// Takes a snapshot one step further: begins one when enough has been applied since the last, hands
// the disk a slice when it has room for one, and ends it behind the last. Each call does one slice
// at the most, so that it never holds up the requests behind it.
void Replica::State::advance_snapshot() {
  if (!snapshot_) {
    // What was just recovered may owe a snapshot, but is not durable yet.
    if (applied_since_snapshot_ < options_.snapshot_every || !storage_.may_begin_snapshot()) {
      return;
    }
    applied_since_snapshot_ = 0;
    snapshot_.emplace(tree_, sessions_.to_bytes());
    storage_.begin_snapshot(snapshot_->zxid());
    ports_.trace.record(SnapshotBegan{.zxid = snapshot_->zxid()});
  }
  if (!storage_.wants_slice()) {
    return;
  }
  Bytes slice;
  const bool more = snapshot_->next_slice(slice);
  storage_.add_slice(std::move(slice));
  if (!more) {
    storage_.finish_snapshot(snapshot_->zxid());
    snapshot_.reset();
  }
}

}  // namespace zabfs::replication
