#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "replication/protocol/peer_frame.hpp"
#include "replication/replica_state.hpp"

namespace zabfs::replication {

// Takes a snapshot one step further: begins one when somebody needs it, hands the disk or the
// learner a slice when there is room for one, and ends it behind the last. Each call does one slice
// at the most, so that it never holds up the requests behind it. There is one at a time.
void Replica::State::advance_snapshot() {
  if (!snapshot_) {
    begin_snapshot();
  }
  if (!snapshot_) {
    return;
  }
  if (snapshot_for_) {
    advance_learner_snapshot();
  } else if (storage_.wants_slice()) {
    Bytes slice;
    const bool more = snapshot_->next_slice(slice);
    storage_.add_slice(std::move(slice));
    if (!more) {
      storage_.finish_snapshot(snapshot_->zxid());
      snapshot_.reset();
    }
  }
}

tree::SliceBounds Replica::State::slice_bounds() const {
  return {.bytes = options_.snapshot_slice_bytes, .bytes_max = options_.snapshot_slice_bytes_max};
}

void Replica::State::take_snapshot() { wants_snapshot_ = true; }

// A learner's comes first: it has nothing, while a start only takes longer.
void Replica::State::begin_snapshot() {
  if (!learners_without_snapshot_.empty()) {
    snapshot_for_ = learners_without_snapshot_.front();
    learners_without_snapshot_.pop_front();
    snapshot_.emplace(tree_, sessions_.to_bytes(), slice_bounds());
    metrics_.snap_count.add();
    peer_.on_snapshot_begun(*snapshot_for_, snapshot_->zxid(), ensemble_text_of_tree());
    carry_out_effects();
    return;
  }
  if (newest_snapshot_ == tree_.last_applied()) {
    wants_snapshot_ = false;  // It is there.
  }
  // What was just recovered may owe a snapshot, but is not durable yet.
  const bool is_much =
      snapshot_due_.bytes > 0 && applied_since_snapshot_.bytes >= snapshot_due_.bytes;
  const bool is_due = wants_snapshot_ || is_much ||
                      applied_since_snapshot_.transactions >= snapshot_due_.transactions;
  if (!is_due || !storage_.may_begin_snapshot()) {
    return;
  }
  applied_since_snapshot_ = {};
  draw_next_snapshot();
  wants_snapshot_ = false;
  snapshot_.emplace(tree_, sessions_.to_bytes(), slice_bounds());
  storage_.begin_snapshot(snapshot_->zxid());
  snapshot_began_us_ = looked_us_;
  ports_.trace.record(SnapshotBegan{.zxid = snapshot_->zxid()});
}

void Replica::State::draw_next_snapshot() {
  const auto some_of = [this](std::uint64_t most) {
    std::uint64_t chance = 0;
    std::array<std::uint8_t, sizeof(chance)> bytes{};
    ports_.entropy.fill(bytes);
    std::memcpy(&chance, bytes.data(), sizeof(chance));
    const std::uint64_t half = most / 2;
    return most == 0 ? 0 : half + 1 + chance % (most - half);
  };
  snapshot_due_ = {.transactions = options_.snapshot_every, .bytes = options_.snapshot_log_bytes};
  if (!options_.ensemble.members.empty()) {
    snapshot_due_ = {.transactions = some_of(snapshot_due_.transactions),
                     .bytes = some_of(snapshot_due_.bytes)};
  }
}

// A leader that does not serve yet has few turns and nobody to hold up, and the learner's time is
// limited: so it sends as much as the link may have waiting.
void Replica::State::advance_learner_snapshot() {
  const ServerId learner = *snapshot_for_;
  do {
    if (ports_.peers.unsent(learner) > limits::learner_stream_bytes_ahead) {
      return;
    }
    zab::SnapshotSlice slice;
    const bool more = snapshot_->next_slice(slice.bytes);
    zab::Send send{.to = learner, .message = std::move(slice)};
    carry_out(send);
    if (!more) {
      stop_snapshot();
      peer_.on_snapshot_sent(learner);
      carry_out_effects();
      return;
    }
  } while (!is_serving_ && linked_.contains(learner));
}

void Replica::State::carry_out(zab::StreamSnapshot& effect) {
  learners_without_snapshot_.push_back(effect.learner);
}

void Replica::State::forget_learner(ServerId server) {
  std::erase(learners_without_snapshot_, server);
  std::erase_if(held_, [server](const auto& asked) { return asked.first == server; });
  if (snapshot_for_ == server) {
    stop_snapshot();
  }
  if (restoration_ && restoration_->origin.server == server && !is_being_replaced()) {
    restoration_.reset();
  }
}

void Replica::State::stop_snapshot() {
  snapshot_.reset();
  snapshot_for_.reset();
}

}  // namespace zabfs::replication
