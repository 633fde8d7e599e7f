#include "tests/replication/store/one_life.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "replication/jute/jute_archive.hpp"
#include "replication/ports/random.hpp"

namespace zabfs::replication::store {
namespace {

constexpr std::size_t slice_zxids_max = 10;

std::vector<Zxid> prefix_up_to(const std::vector<Zxid>& history, Zxid last) {
  return {history.begin(), std::ranges::upper_bound(history, last)};
}

}  // namespace

Bytes payload_of(Zxid zxid) {
  Random random(zxid.value);
  // Mostly small, so that batches hold several; sometimes longer than a sector.
  Bytes payload(1 + random.below(random.below(4) == 0 ? 700 : 60));
  for (auto& byte : payload) {
    byte = static_cast<std::uint8_t>(random.next());
  }
  return payload;
}

void Witness::on_snapshot(Zxid, Zxid reached) { reached_ = reached; }

std::optional<std::string> Witness::on_slice(ByteView slice) {
  jute::JuteReader reader(slice);
  std::vector<Zxid> zxids;
  reader(zxids);
  history.insert(history.end(), zxids.begin(), zxids.end());
  EXPECT_LE(history.back(), reached_);
  return std::nullopt;
}

std::optional<std::string> Witness::on_entry(Zxid zxid, ByteView payload) {
  EXPECT_TRUE(std::ranges::equal(payload, payload_of(zxid))) << zxid;
  if (history.empty() || history.back() < zxid) {
    history.push_back(zxid);
  } else {
    EXPECT_TRUE(std::ranges::binary_search(history, zxid)) << zxid;
  }
  return std::nullopt;
}

OneLife::OneLife(test::SimDisk& disk, const StorageOptions& options)
    : disk_(disk), storage_(disk, options), recovery_(storage_.recover(witness_)) {
  if (is_refused()) {
    return;
  }
  history_ = witness_.history;
  EXPECT_EQ(history_.empty() ? Zxid{} : history_.back(), recovery_->committed);
  for (const auto& [zxid, payload] : recovery_->tail) {
    EXPECT_EQ(payload, payload_of(zxid)) << zxid;
    EXPECT_TRUE(recovery_->committed < zxid && (history_.empty() || history_.back() < zxid))
        << zxid;
    history_.push_back(zxid);
  }
  asked_epochs_ = recovery_->epochs;
  EXPECT_EQ(history_.empty() ? Zxid{} : history_.back(), recovery_->last);
  disk_.on_done([this](Ticket ticket) {
    if (const auto written = storage_.on_disk_done(ticket)) {
      snapshots_written_.push_back(written->zxid);
    }
  });
}

void OneLife::begin_reign() {
  const Epoch next{asked_epochs_.accepted.value + 1};
  save_epochs({.accepted = next, .current = next});
}

void OneLife::save_epochs(const Epochs& epochs) {
  asked_epochs_ = epochs;
  storage_.save_epochs(epochs);
}

Zxid OneLife::append() {
  const Zxid last = history_.empty() ? Zxid{} : history_.back();
  const Zxid next = last.epoch() == asked_epochs_.accepted ? Zxid{last.value + 1}
                                                           : Zxid::at(asked_epochs_.accepted, 1);
  history_.push_back(next);
  storage_.append(next, payload_of(next), committed());
  return next;
}

void OneLife::truncate_to(std::size_t count) {
  history_.resize(count);
  storage_.truncate_after(history_.empty() ? Zxid{} : history_.back());
}

void OneLife::settle() {
  disk_.run();
  while (!storage_.is_flushed()) {
    storage_.flush();
    disk_.run();
  }
}

void OneLife::write(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    append();
    settle();
  }
}

bool OneLife::advance_snapshot() {
  if (!storage_.is_writing_snapshot()) {
    sliced_ = 0;
    storage_.begin_snapshot(applied());
    return true;
  }
  if (!storage_.wants_slice()) {
    return false;
  }
  if (const auto slice = next_slice(applied())) {
    storage_.add_slice(*slice);
  } else {
    storage_.finish_snapshot(applied());
  }
  return true;
}

std::optional<Bytes> OneLife::next_slice(Zxid last) {
  const auto state = prefix_up_to(history_, last);
  if (sliced_ == state.size()) {
    return std::nullopt;
  }
  const auto end = std::min(state.size(), sliced_ + slice_zxids_max);
  const std::vector<Zxid> zxids(state.begin() + static_cast<std::ptrdiff_t>(sliced_),
                                state.begin() + static_cast<std::ptrdiff_t>(end));
  Bytes slice;
  jute::JuteWriter writer(slice);
  writer(zxids);
  sliced_ = end;
  return slice;
}

void OneLife::begin_replacement(std::vector<Zxid> theirs) {
  replaced_ = std::exchange(history_, std::move(theirs));
  sliced_ = 0;
  storage_.begin_replacement(history_.back());
}

bool OneLife::advance_replacement() {
  if (!storage_.wants_replacement_slice()) {
    return false;
  }
  if (const auto slice = next_slice(history_.back())) {
    storage_.add_replacement_slice(*slice);
  } else {
    storage_.finish_replacement(history_.back());
  }
  return true;
}

void OneLife::abandon_replacement() {
  storage_.abandon_replacement();
  history_ = std::move(replaced_);
}

void OneLife::take_snapshot() {
  const auto written = snapshots_written_.size();
  while (snapshots_written_.size() == written) {
    if (!advance_snapshot()) {
      disk_.run();
    }
  }
  disk_.run();
}

}  // namespace zabfs::replication::store
