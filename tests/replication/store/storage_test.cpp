// What the storage asks of the disk: how many jobs, in which order, and when it says "durable".
#include "replication/store/storage.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>

#include "replication/store/layout.hpp"
#include "replication/store/log_format.hpp"
#include "tests/replication/store/one_life.hpp"

namespace zabfs::replication::store {
namespace {

// Remembers the kinds of jobs, one letter each: Create Write Sync Truncate rename(N) Remove(X)
// sync Directory.
class RecordingDisk : public test::SimDisk {
 public:
  void submit(std::vector<DiskJob> jobs, Ticket ticket) override {
    for (const auto& job : jobs) {
      kinds_ += "CWSTNXD"[job.index()];
    }
    kinds_ += ' ';
    SimDisk::submit(std::move(jobs), ticket);
  }

  // The submissions since the last call.
  std::string taken() { return std::exchange(kinds_, {}); }

 private:
  std::string kinds_;
};

class StorageJobs : public testing::Test {
 protected:
  void SetUp() override {
    life_.settle();
    life_.begin_reign();
    life_.settle();
    disk_.taken();
  }

  RecordingDisk disk_;
  OneLife life_{disk_};
};

TEST_F(StorageJobs, AFreshDirectoryIsReadyAfterOneSync) {
  RecordingDisk disk;
  OneLife life(disk);
  EXPECT_TRUE(life.recovery().fresh);
  EXPECT_EQ(life.recovery().epochs, Epochs{});
  EXPECT_EQ(disk.taken(), "D ");
  EXPECT_FALSE(life.storage().is_ready());
  disk.run();
  EXPECT_TRUE(life.storage().is_ready());
}

TEST_F(StorageJobs, TheUsualBatchIsOneWriteAndOneSync) {
  life_.write(1);
  EXPECT_EQ(disk_.taken(), "CWWSD ") << "a segment begins";
  for (int i = 0; i < 5; ++i) {
    life_.write(1);
    EXPECT_EQ(disk_.taken(), "WS ");
  }
}

TEST_F(StorageJobs, ZerosAreWrittenAheadAStretchAtATime) {
  life_.write(1);
  const FileName file = segment_name(SegmentId{});
  std::set<std::uint64_t> sizes;
  for (int i = 0; i < 30; ++i) {
    sizes.insert(disk_.size(file));
    life_.write(1);
  }
  EXPECT_GT(sizes.size(), 1U);
  EXPECT_LT(sizes.size(), 6U) << "few batches make the file longer";
  EXPECT_GT(*sizes.begin(), small_options.zeros_ahead_bytes);
}

TEST_F(StorageJobs, AFullSegmentIsFollowedByTheNext) {
  while (classify(disk_.list())->segments.size() < 3) {
    life_.write(1);
  }
  const auto listing = classify(disk_.list());
  for (std::size_t i = 0; i < 2; ++i) {
    const auto size = disk_.size(segment_name(listing->segments[i]));
    EXPECT_LE(size, small_options.segment_bytes);
    EXPECT_GT(size, small_options.segment_bytes / 2);
  }
}

TEST_F(StorageJobs, WhatIsAppendedDuringABatchIsTheNextBatch) {
  life_.append();
  life_.storage().flush();
  const Zxid in_flight = life_.history().back();
  life_.append();
  life_.append();
  life_.storage().flush();
  const Zxid last = life_.history().back();
  disk_.run();
  EXPECT_EQ(life_.storage().durable(), in_flight);
  disk_.taken();
  life_.storage().flush();
  EXPECT_EQ(disk_.taken(), "WS ");
  EXPECT_EQ(life_.storage().durable(), in_flight) << "written is not durable";
  disk_.run();
  EXPECT_EQ(life_.storage().durable(), last);
}

TEST_F(StorageJobs, NothingIsDurableBeforeTheLastJobOfItsBatch) {
  life_.append();
  life_.storage().flush();
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(disk_.step());
    EXPECT_EQ(life_.storage().durable(), Zxid{});
  }
  disk_.step();
  EXPECT_EQ(life_.storage().durable(), life_.history().back());
}

TEST_F(StorageJobs, ABatchIsBounded) {
  for (int i = 0; i < 100; ++i) {
    life_.append();
  }
  life_.storage().flush();
  disk_.run();
  EXPECT_GT(life_.storage().durable(), life_.history().front());
  EXPECT_LT(life_.storage().durable(), life_.history().back());
  const FileName file = segment_name(SegmentId{});
  EXPECT_LE(disk_.size(file),
            segment_header_bytes + small_options.batch_bytes_max + small_options.zeros_ahead_bytes);
}

TEST_F(StorageJobs, EpochsAreReplacedByRenameAndKnownAfterTheDirectoryIsSynced) {
  const Epochs before = life_.storage().epochs();
  life_.begin_reign();
  EXPECT_EQ(disk_.taken(), "CWSND ");
  EXPECT_EQ(life_.storage().epochs(), before);
  disk_.run();
  EXPECT_EQ(life_.storage().epochs(), life_.asked_epochs());
}

TEST_F(StorageJobs, SlicesAlternateWithBatches) {
  life_.write(25);
  disk_.taken();
  EXPECT_TRUE(life_.advance_snapshot());
  EXPECT_FALSE(life_.storage().wants_slice()) << "the header is not on disk yet";
  disk_.run();
  EXPECT_TRUE(life_.advance_snapshot());
  life_.append();
  life_.storage().flush();
  EXPECT_FALSE(life_.storage().wants_slice());
  disk_.run();
  EXPECT_TRUE(life_.storage().wants_slice());
  life_.take_snapshot();
  const std::string jobs = disk_.taken();
  EXPECT_NE(jobs.find("CW WS WS "), std::string::npos) << jobs;
  EXPECT_NE(jobs.find("WSND "), std::string::npos) << jobs;
  EXPECT_EQ(life_.snapshots_written().size(), 1U);
}

TEST_F(StorageJobs, PurgeKeepsEnoughForTheOldestKeptSnapshot) {
  for (int i = 0; i < 6; ++i) {
    life_.write(25);
    life_.take_snapshot();
  }
  EXPECT_NE(disk_.taken().find(" XDX"), std::string::npos) << "snapshots first, and surely";
  const auto listing = classify(disk_.list());
  ASSERT_EQ(listing->snapshots.size(), small_options.snapshots_kept);
  const auto previous = [&](std::size_t segment) {
    return decode_segment_header(disk_.read(segment_name(listing->segments[segment]), 0, 4'096))
        ->previous;
  };
  EXPECT_LE(previous(0), listing->snapshots[0].taken_at);
  EXPECT_GT(previous(1), listing->snapshots[0].taken_at) << "no more than is needed";
}

TEST_F(StorageJobs, AStartNeverWritesIntoAnEarlierSegment) {
  life_.write(3);
  const FileName file = segment_name(SegmentId{});
  disk_.kill();
  OneLife next(disk_);
  next.settle();
  const auto size = disk_.size(file);
  EXPECT_LT(size, small_options.segment_bytes);
  next.begin_reign();
  next.write(3);
  EXPECT_EQ(disk_.size(file), size);
  EXPECT_EQ(classify(disk_.list())->segments.size(), 2U);
}

// A learner logs what a new leader sends before it records that it has taken that over.
TEST_F(StorageJobs, TheCurrentEpochIsAtLeastThatOfTheLastTransaction) {
  life_.write(2);
  Storage& storage = life_.storage();
  storage.save_epochs({.accepted = {3}, .current = {1}});
  storage.append(Zxid::at({3}, 1), payload_of(Zxid::at({3}, 1)), {});
  life_.settle();
  EXPECT_EQ(storage.epochs(), (Epochs{.accepted = {3}, .current = {1}}));
  disk_.kill();
  const OneLife next(disk_);
  ASSERT_FALSE(next.is_refused()) << next.sentence();
  EXPECT_EQ(next.recovery().epochs, (Epochs{.accepted = {3}, .current = {3}}));
}

TEST_F(StorageJobs, BrokenPromisesToTheStorageEndTheProgram) {
  life_.write(2);
  Storage& storage = life_.storage();
  EXPECT_DEATH(storage.append(Zxid::at({1}, 9), {}, {}), "broken invariant");
  EXPECT_DEATH(storage.append(Zxid::at({2}, 1), {}, {}), "accepted epoch");
  EXPECT_DEATH(storage.begin_snapshot(Zxid::at({1}, 9)), "broken invariant");
  EXPECT_DEATH(storage.add_slice({}), "broken invariant");
  EXPECT_DEATH(storage.save_epochs({}), "broken invariant");
}

}  // namespace
}  // namespace zabfs::replication::store
