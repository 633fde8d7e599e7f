// T5 of ZAB.md: directories that no crash leaves behind. What was promised and is lost is refused
// with a sentence, and nothing is touched; what can be had in spite of the damage is had.
#include <gtest/gtest.h>

#include <algorithm>

#include "replication/store/layout.hpp"
#include "replication/store/log_format.hpp"
#include "tests/replication/store/one_life.hpp"

namespace zabfs::replication::store {
namespace {

using test::SimDisk;

class StorageT5 : public testing::Test {
 protected:
  // Two reigns, several segments, two snapshots and a purge; every batch is one transaction.
  void SetUp() override {
    OneLife life(disk_);
    life.settle();
    life.begin_reign();
    for (int i = 0; i < 3; ++i) {
      life.write(40);
      life.take_snapshot();
    }
    life.write(60);
    history_ = life.history();
    disk_.kill();
    relist();
    ASSERT_EQ(listing_.snapshots.size(), 2U);
    ASSERT_GT(listing_.segments.front(), SegmentId{}) << "older segments were purged";
    ASSERT_GE(previous_of(segment(2)), taken_at(1)) << "and newer ones than all snapshots";
  }

  void relist() { listing_ = *classify(disk_.list()); }

  Bytes whole(const FileName& file) const { return disk_.read(file, 0, disk_.size(file)); }

  void flip(const FileName& file, std::size_t at) {
    Bytes bytes = whole(file);
    bytes.at(at) ^= 0x10;
    disk_.put(file, bytes);
  }

  void cut(const FileName& file, std::size_t size) {
    Bytes bytes = whole(file);
    bytes.resize(size);
    disk_.put(file, bytes);
  }

  FileName segment(std::ptrdiff_t from_end) const {
    return segment_name(*(listing_.segments.end() - from_end));
  }

  // Where the log ended before a segment.
  Zxid previous_of(const FileName& file) const {
    return decode_segment_header(whole(file))->previous;
  }

  Zxid taken_at(std::size_t snapshot) const { return listing_.snapshots[snapshot].taken_at; }

  // The segment that would follow.
  SegmentId next_segment() const { return {.generation = {}, .first = history_.size()}; }

  // Offsets of the records of a segment, and of what follows them.
  std::vector<std::size_t> records_of(const FileName& file) const {
    const Bytes bytes = whole(file);
    const SegmentId id = decode_segment_header(bytes)->id;
    std::vector<std::size_t> offsets{segment_header_bytes};
    while (const auto record = record_at(bytes, id, offsets.back())) {
      offsets.push_back(record->end);
    }
    return offsets;
  }

  // Expects a sentence with all of `words`, and that nothing was asked of the disk.
  void expect_refused(const std::vector<std::string>& words) {
    OneLife life(disk_);
    ASSERT_TRUE(life.is_refused());
    for (const auto& word : words) {
      EXPECT_NE(life.sentence().find(word), std::string::npos) << word << " in " << life.sentence();
    }
    EXPECT_EQ(disk_.jobs_waiting(), 0U);
  }

  // Expects the first `count` transactions, and a storage that goes on working for another life.
  void expect_recovered(std::size_t count) {
    OneLife life(disk_);
    ASSERT_FALSE(life.is_refused()) << life.sentence();
    note_ = life.recovery().note;
    EXPECT_EQ(
        life.history(),
        std::vector<Zxid>(history_.begin(), history_.begin() + static_cast<std::ptrdiff_t>(count)));
    life.settle();
    life.begin_reign();
    life.write(3);
    disk_.kill();
    OneLife next(disk_);
    ASSERT_FALSE(next.is_refused()) << next.sentence();
    EXPECT_EQ(next.history(), life.history());
    EXPECT_EQ(next.recovery().note.find("Dropped"), std::string::npos) << next.recovery().note;
    disk_.kill();
  }

  SimDisk disk_;
  std::vector<Zxid> history_;
  Listing listing_;
  std::string note_;
};

TEST_F(StorageT5, AnUndamagedDirectoryIsRecoveredWithoutANote) {
  expect_recovered(history_.size());
  EXPECT_EQ(note_, "");
}

TEST_F(StorageT5, ALastSegmentWithoutARecordIsDropped) {
  const Bytes header =
      encode({.id = next_segment(), .previous = history_.back(), .committed = history_.back()});
  Bytes half_a_header = header;
  half_a_header.resize(20);
  Bytes torn_record = header;
  torn_record.resize(200, 0x77);
  for (const auto& content : {Bytes{}, Bytes(9'000), header, half_a_header, torn_record}) {
    SCOPED_TRACE(content.size());
    const SimDisk untouched = disk_;
    disk_.put(segment_name(next_segment()), content);
    expect_recovered(history_.size());
    disk_ = untouched;
  }
}

TEST_F(StorageT5, ATornLastRecordIsDropped) {
  const auto offsets = records_of(segment(1));
  const auto last = offsets[offsets.size() - 2];
  for (auto size = last + 1; size < offsets.back(); size += 5) {
    SCOPED_TRACE(size);
    const SimDisk untouched = disk_;
    cut(segment(1), size);
    expect_recovered(history_.size() - 1);
    EXPECT_NE(note_.find(segment(1) + " from offset " + std::to_string(last)), std::string::npos)
        << note_;
    disk_ = untouched;
  }
}

TEST_F(StorageT5, AFlippedBitBeforeTheLastBatchIsRefused) {
  const auto offsets = records_of(segment(1));
  for (std::size_t at = 0; at < offsets[offsets.size() - 2]; at += 3) {
    SCOPED_TRACE(at);
    flip(segment(1), at);
    expect_refused({segment(1)});
    flip(segment(1), at);
  }
}

TEST_F(StorageT5, AFlippedBitInAnEarlierSegmentIsRefused) {
  for (std::size_t at = 0; at < disk_.size(segment(2)); at += 3) {
    SCOPED_TRACE(at);
    flip(segment(2), at);
    expect_refused({segment(2)});
    flip(segment(2), at);
  }
}

TEST_F(StorageT5, TheRefusalOfAHoleSaysWhereItIsAndWhatToDo) {
  const auto offsets = records_of(segment(1));
  flip(segment(1), offsets[1] + 5);
  std::ostringstream after;
  after << "after transaction " << Zxid{previous_of(segment(1)).value + 1};
  expect_refused({segment(1) + " is damaged at offset " + std::to_string(offsets[1]), after.str(),
                  "promised to clients", "Restore the data directory from a backup"});
}

TEST_F(StorageT5, AMissingSegmentIsRefused) {
  disk_.erase(segment(2));
  expect_refused({"Transactions are missing", segment(1)});
}

TEST_F(StorageT5, ASegmentCutAtARecordIsRefused) {
  const auto offsets = records_of(segment(2));
  cut(segment(2), offsets[offsets.size() - 2]);
  expect_refused({"Transactions are missing", segment(1)});
}

TEST_F(StorageT5, ARenamedSegmentIsRefused) {
  const Bytes bytes = whole(segment(1));
  disk_.erase(segment(1));
  disk_.put(segment_name(next_segment()), bytes);
  expect_refused({"must have been renamed", segment(1)});
}

TEST_F(StorageT5, ADamagedNewestSnapshotIsPassedOver) {
  const FileName newest = snapshot_name(listing_.snapshots[1]);
  for (std::size_t at = 0; at < disk_.size(newest); at += 37) {
    SCOPED_TRACE(at);
    const SimDisk untouched = disk_;
    flip(newest, at);
    expect_recovered(history_.size());
    EXPECT_NE(note_.find(newest), std::string::npos) << note_;
    disk_ = untouched;
  }
}

TEST_F(StorageT5, ADamagedSnapshotNeverCountsAsKept) {
  flip(snapshot_name(listing_.snapshots[1]), 50);
  {
    OneLife life(disk_);
    life.settle();
    life.begin_reign();
    life.write(5);
    life.take_snapshot();
    history_ = life.history();
    disk_.kill();
  }
  // The good old one is still there, and the log still reaches back to it.
  relist();
  EXPECT_EQ(listing_.snapshots.size(), 3U);
  flip(snapshot_name(listing_.snapshots[2]), 50);
  expect_recovered(history_.size());
}

TEST_F(StorageT5, WithoutAnyWholeSnapshotAPurgedLogIsRefused) {
  for (const auto& snapshot : listing_.snapshots) {
    flip(snapshot_name(snapshot), 50);
  }
  expect_refused({snapshot_name(listing_.snapshots[1]), "was passed over",
                  "Transactions are missing between 0.0"});
  for (const auto& snapshot : listing_.snapshots) {
    disk_.erase(snapshot_name(snapshot));
  }
  expect_refused({"Transactions are missing between 0.0"});
}

TEST_F(StorageT5, ALogFromTheFirstTransactionOnNeedsNoSnapshot) {
  disk_ = SimDisk{};
  OneLife life(disk_);
  life.settle();
  life.begin_reign();
  life.write(30);
  life.take_snapshot();
  history_ = life.history();
  disk_.kill();
  disk_.erase(snapshot_name({{}, history_.back()}));
  expect_recovered(history_.size());
}

TEST_F(StorageT5, ALogThatEndsBeforeItsSnapshotIsRefused) {
  for (const auto& id : listing_.segments) {
    if (previous_of(segment_name(id)) >= taken_at(0)) {
      disk_.erase(segment_name(id));
    }
  }
  expect_refused({"The log ends at", "snapshot"});
  relist();
  for (const auto& id : listing_.segments) {
    disk_.erase(segment_name(id));
  }
  expect_refused({"The log ends at 0.0", "snapshot"});
}

// The slices of a snapshot are taken while the log goes on.
TEST_F(StorageT5, ALogThatEndsBeforeWhatItsSnapshotReachedIsRefused) {
  OneLife life(disk_);
  life.settle();
  life.begin_reign();
  life.settle();
  EXPECT_TRUE(life.advance_snapshot());
  const Zxid begun_at = life.history().back();
  life.write(5);
  life.take_snapshot();
  history_ = life.history();
  disk_.kill();
  relist();
  disk_.erase(segment(1));
  std::ostringstream reached;
  reached << "the snapshot of " << begun_at << " was finished when it had reached "
          << history_.back();
  expect_refused({reached.str(), "the end of the log is gone"});
}

TEST_F(StorageT5, ALogThatPassesOverItsSnapshotIsRefused) {
  {
    OneLife life(disk_);
    life.settle();
    life.begin_reign();
    life.write(3);
    disk_.kill();
  }
  // Between the end of the first reign and the second.
  const Zxid strange = Zxid::at({1}, 9'999);
  SnapshotEncoder encoder;
  Bytes snapshot = encoder.header({{}, strange});
  const Bytes trailer = encoder.trailer(strange);
  snapshot.insert(snapshot.end(), trailer.begin(), trailer.end());
  disk_.put(snapshot_name({{}, strange}), snapshot);
  expect_refused({"does not contain 1.9999"});
}

TEST_F(StorageT5, AnEmptyLogIsRefusedIfTheEpochsRememberOne) {
  OneLife life(disk_);
  life.settle();
  life.begin_reign();
  life.settle();
  disk_.run();
  disk_.kill();
  for (const auto& file : disk_.list()) {
    if (file != epochs_file) {
      disk_.erase(file);
    }
  }
  std::ostringstream reached;
  reached << "was written when it had " << history_.size();
  expect_refused({"The log ends at 0.0", reached.str()});
}

TEST_F(StorageT5, MissingOrDamagedEpochsAreRefused) {
  const Bytes good = whole(epochs_file);
  for (std::size_t at = 0; at < good.size(); ++at) {
    flip(epochs_file, at);
    expect_refused({"epochs is damaged"});
    disk_.put(epochs_file, good);
  }
  disk_.erase(epochs_file);
  expect_refused({"epochs is missing", "promises"});
}

TEST_F(StorageT5, EpochsOlderThanTheLogAreRefused) {
  const Bytes old = whole(epochs_file);
  {
    OneLife life(disk_);
    life.settle();
    life.begin_reign();
    life.write(1);
    disk_.kill();
  }
  disk_.put(epochs_file, old);
  expect_refused({"only epoch 1 was accepted"});
}

TEST_F(StorageT5, FilesOfOthersAreLeftAloneUnlessTheyLookLikeOurs) {
  disk_.put("myid", {'1'});
  disk_.put(snapshot_draft, {1, 2, 3});
  expect_recovered(history_.size());
  EXPECT_EQ(whole("myid"), Bytes{'1'});
  const auto files = disk_.list();
  EXPECT_EQ(std::ranges::count(files, snapshot_draft), 0);
  disk_.put("log.100000001", {});
  expect_refused({"log.100000001", "did not write"});
}

TEST_F(StorageT5, TwoHistoriesMixedAreRefusedInSpiteOfRightChecksums) {
  const FileName file = segment(1);
  const auto end = static_cast<std::uint32_t>(records_of(file).back());
  for (const Zxid zxid : {history_.back(), Zxid{history_.back().value + 2}, Zxid::at({2}, 2)}) {
    Bytes record;
    const Bytes payload = payload_of(zxid);
    append_record(record, {.zxid = zxid, .committed = history_.back(), .payload = payload});
    seal_batch(record, {.segment = listing_.segments.back(), .batch = end, .offset = end});
    const Bytes good = whole(file);
    Bytes mixed = good;
    mixed.resize(end);
    mixed.insert(mixed.end(), record.begin(), record.end());
    disk_.put(file, mixed);
    expect_refused({file, "no order of transactions"});
    disk_.put(file, good);
  }
}

TEST_F(StorageT5, AnotherFormatVersionIsNotMistakenForDamage) {
  disk_.put(segment_name(next_segment()),
            encode({.version = 3, .id = next_segment(), .previous = history_.back()}));
  expect_refused({"has format 3"});
}

// Says that something it was given makes no sense.
class Critic : public RecoverySink {
 public:
  void on_snapshot(Zxid, Zxid) override {}
  std::optional<std::string> on_slice(ByteView) override { return slice_objection; }
  std::optional<std::string> on_entry(Zxid, ByteView) override { return "what is this?"; }

  std::optional<std::string> slice_objection{};
};

TEST_F(StorageT5, BytesThatTheReplicaCannotReadAreRefusedWithTheirPlace) {
  Critic critic;
  const auto bad_entry = Storage(disk_, small_options).recover(critic);
  ASSERT_FALSE(bad_entry);
  EXPECT_NE(bad_entry.error().sentence.find("what is this?"), std::string::npos);
  EXPECT_NE(bad_entry.error().sentence.find("in log."), std::string::npos);
  critic.slice_objection = "no tree";
  const auto bad_slice = Storage(disk_, small_options).recover(critic);
  ASSERT_FALSE(bad_slice);
  EXPECT_NE(bad_slice.error().sentence.find(snapshot_name(listing_.snapshots[1])),
            std::string::npos);
}

}  // namespace
}  // namespace zabfs::replication::store
