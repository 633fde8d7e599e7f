// T4 of ZAB.md: what was logged and never committed is known as such after a start, may be taken
// back, and stays away whatever crashes in between.
#include <gtest/gtest.h>

#include <algorithm>

#include "replication/store/layout.hpp"
#include "replication/store/log_format.hpp"
#include "tests/replication/store/mortal_disk.hpp"
#include "tests/replication/store/one_life.hpp"

namespace zabfs::replication::store {
namespace {

using test::SimDisk;
using History = std::vector<Zxid>;

constexpr Zxid at(std::uint32_t epoch, std::uint32_t counter) { return Zxid::at({epoch}, counter); }

History tail_of(const OneLife& life) {
  History tail;
  for (const auto& transaction : life.recovery().tail) {
    tail.push_back(transaction.zxid);
  }
  return tail;
}

class StorageT4 : public testing::Test {
 protected:
  // Epoch 1: 1.1 to 1.10, of which 1.6 is known to be committed.
  void SetUp() override {
    OneLife life(disk_);
    life.settle();
    life.begin_reign();
    life.write(6);
    life.commit(at(1, 6));
    life.write(4);
    history_ = life.history();
    disk_.kill();
  }

  History prefix(std::ptrdiff_t count) const {
    return {history_.begin(), history_.begin() + count};
  }

  // Ends the life as the power would, when nothing is in flight.
  static void end(OneLife& life, SimDisk& disk) {
    life.settle();
    Random chance(7);
    disk.crash(chance);
  }

  SimDisk disk_;
  History history_;
};

TEST_F(StorageT4, AStartTellsWhatIsCommittedFromWhatIsNot) {
  OneLife life(disk_);
  EXPECT_EQ(life.recovery().committed, at(1, 6));
  EXPECT_EQ(life.recovery().last, at(1, 10));
  EXPECT_EQ(life.recovery().entries, 6U);
  EXPECT_EQ(tail_of(life), (History{at(1, 7), at(1, 8), at(1, 9), at(1, 10)}));
  EXPECT_EQ(life.history(), history_);
}

TEST_F(StorageT4, ASnapshotProvesWhatItHoldsToBeCommitted) {
  {
    OneLife life(disk_);
    life.settle();
    life.commit(at(1, 9));
    life.take_snapshot();
    disk_.kill();
  }
  OneLife life(disk_);
  EXPECT_EQ(life.recovery().snapshot, at(1, 9));
  EXPECT_EQ(life.recovery().committed, at(1, 9));
  EXPECT_EQ(tail_of(life), History{at(1, 10)});
  EXPECT_FALSE(life.storage().may_truncate_after(at(1, 8)));
  EXPECT_TRUE(life.storage().may_truncate_after(at(1, 9)));
}

// A new leader sends its whole history before it can say of a transaction that it is committed, and
// a learner is told of commits before it has them.
TEST_F(StorageT4, AMarkIsAtMostItsOwnTransaction) {
  {
    OneLife life(disk_);
    life.settle();
    life.commit(at(1, 99));
    life.write(1);
    disk_.kill();
  }
  OneLife life(disk_);
  EXPECT_EQ(life.recovery().committed, at(1, 11));
  EXPECT_EQ(tail_of(life), History{});
}

TEST_F(StorageT4, WhatIsTruncatedIsGoneAndTheLogGoesOn) {
  {
    OneLife life(disk_);
    life.settle();
    life.truncate_to(8);
    EXPECT_FALSE(life.storage().is_flushed());
    EXPECT_EQ(life.storage().last(), at(1, 8));
    EXPECT_EQ(life.storage().durable(), at(1, 8)) << "more is not promised any more";
    end(life, disk_);
  }
  {
    OneLife life(disk_);
    EXPECT_EQ(life.history(), prefix(8));
    EXPECT_EQ(tail_of(life), (History{at(1, 7), at(1, 8)}));
    life.settle();
    life.begin_reign();
    life.commit(at(1, 7));
    life.write(2);
    end(life, disk_);
  }
  OneLife life(disk_);
  EXPECT_EQ(tail_of(life), (History{at(1, 8), at(2, 1), at(2, 2)}));
}

// Another leader may have what the last one ordered to take back.
TEST_F(StorageT4, TheSameTransactionMayComeAgain) {
  {
    OneLife life(disk_);
    life.settle();
    life.commit(at(1, 6));
    life.truncate_to(7);
    life.write(2);  // 1.8 and 1.9 again, and not 1.10
    EXPECT_EQ(life.history(), prefix(9));
    life.truncate_to(7);
    life.append();
    end(life, disk_);
  }
  OneLife life(disk_);
  EXPECT_EQ(life.history(), prefix(8));
}

TEST_F(StorageT4, EverythingMayBeTakenBackWhenNothingIsCommitted) {
  SimDisk disk;
  {
    OneLife life(disk);
    life.settle();
    life.begin_reign();
    life.commit({});
    life.write(3);
    life.truncate_to(0);
    end(life, disk);
  }
  OneLife life(disk);
  EXPECT_EQ(life.history(), History{});
  EXPECT_EQ(life.recovery().last, Zxid{});
}

TEST_F(StorageT4, NothingElseIsTruncated) {
  OneLife life(disk_);
  life.settle();
  Storage& storage = life.storage();
  for (const Zxid zxid : {Zxid{}, at(1, 5), at(1, 11), at(2, 1)}) {
    EXPECT_FALSE(storage.may_truncate_after(zxid)) << zxid;
    EXPECT_DEATH(storage.truncate_after(zxid), "broken invariant") << zxid;
  }
  storage.truncate_after(at(1, 10));
  EXPECT_TRUE(storage.is_flushed()) << "there is nothing behind it to take back";
}

// A truncation is a record: the epochs file remembers that it was there, although the log is
// shorter now than the transactions it had.
TEST_F(StorageT4, TheLossOfATruncationIsNoticed) {
  {
    OneLife life(disk_);
    life.settle();
    life.truncate_to(8);
    life.settle();
    life.begin_reign();
    life.settle();
    disk_.run();
    disk_.kill();
    ASSERT_FALSE(OneLife(disk_).is_refused()) << "the logical end is behind what it once was";
    disk_.kill();
  }
  disk_.erase(segment_name(classify(disk_.list())->segments.back()));
  OneLife life(disk_);
  ASSERT_TRUE(life.is_refused());
  EXPECT_NE(life.sentence().find("was written when it had 11"), std::string::npos)
      << life.sentence();
}

// The log begins anew behind a snapshot of a transaction that was logged twice.
TEST_F(StorageT4, APurgeKeepsWhatASnapshotNeedsInSpiteOfTruncations) {
  SimDisk disk;
  OneLife life(disk);
  life.settle();
  life.begin_reign();
  for (int round = 0; round < 12; ++round) {
    const auto committed = life.history().size();
    life.commit(life.history().empty() ? Zxid{} : life.history().back());
    life.write(10);
    life.truncate_to(committed + 4);
    life.write(10);
    life.commit(life.history().back());
    life.write(2);
    life.take_snapshot();
    if (round % 3 == 0) {
      life.begin_reign();
    }
    // Every kept snapshot is enough to start from, if the newer ones are damaged.
    SimDisk copy = disk;
    copy.kill();
    auto listing = *classify(copy.list());
    while (!listing.snapshots.empty()) {
      const OneLife next(copy);
      ASSERT_FALSE(next.is_refused()) << next.sentence();
      EXPECT_EQ(next.history(), life.history());
      copy.kill();
      copy.erase(snapshot_name(listing.snapshots.back()));
      listing.snapshots.pop_back();
    }
  }
  EXPECT_GT(classify(disk.list())->segments.front().first, 0U);
  disk.kill();
}

TEST_F(StorageT4, ATailThatNoServerHasInFlightIsRefused) {
  const auto read = [&](std::size_t tail_bytes_max) {
    return read_log(disk_, classify(disk_.list())->segments, {.tail_bytes_max = tail_bytes_max},
                    [](Zxid, ByteView) { return std::nullopt; });
  };
  std::size_t bytes = 0;
  const auto all = read(limits::log_tail_bytes_max);
  ASSERT_TRUE(all);
  for (const auto& transaction : all->tail) {
    bytes += record_header_bytes + transaction.payload.size();
  }
  EXPECT_TRUE(read(bytes));
  const auto refused = read(bytes - 1);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().sentence.find("after 1.6"), std::string::npos)
      << refused.error().sentence;
}

TEST_F(StorageT4, ALogThatDoesNotBeginWhereItsGenerationDoesIsRefused) {
  disk_.put(epochs_file,
            encode(EpochRecord{.epochs = {.accepted = {1}, .current = {1}}, .origin = at(1, 1)}));
  OneLife life(disk_);
  ASSERT_TRUE(life.is_refused());
  EXPECT_NE(life.sentence().find("Transactions are missing"), std::string::npos) << life.sentence();
}

// --- crashes ---

// The histories that the storage was asked for, one after the other, and which of them it has said
// to be durable.
struct Asked {
  std::vector<History> histories{{}};
  std::size_t durable{};  // index
  Zxid claimed{};         // of the last history, by durable()
  Zxid committed{};

  void note(OneLife& life) {
    if (histories.back() != life.history()) {
      histories.push_back(life.history());
    }
    if (life.storage().is_flushed()) {
      durable = histories.size() - 1;
    }
    claimed = life.storage().durable();
    committed = std::max(committed, life.committed());
  }
};

void expect_one_of(const OneLife& life, const Asked& asked) {
  ASSERT_FALSE(life.is_refused()) << life.sentence();
  const auto first = asked.histories.begin() + static_cast<std::ptrdiff_t>(asked.durable);
  EXPECT_NE(std::find(first, asked.histories.end(), life.history()), asked.histories.end())
      << "it ends at " << life.recovery().last;
  EXPECT_GE(life.recovery().last, asked.claimed);
  EXPECT_LE(life.recovery().committed, asked.committed);
}

// Something that a learner of changing leaders might do next.
void act(OneLife& life, SimDisk& disk, Random& chance) {
  const auto size = life.history().size();
  switch (chance.below(12)) {
    case 0:
      if (chance.below(8) == 0) {
        life.begin_reign();
      }
      break;
    case 1:
    case 2:
    case 3:
      life.append();
      break;
    case 4:
      if (size > 0) {
        const Zxid some = life.history()[chance.below(size)];
        life.commit(std::clamp(some, life.committed(),
                               std::max(life.committed(), life.storage().durable())));
      }
      break;
    case 5: {
      const auto keep = chance.below(size + 1);
      const Zxid zxid = keep == 0 ? Zxid{} : life.history()[keep - 1];
      if (zxid >= life.committed() && life.storage().may_truncate_after(zxid)) {
        life.truncate_to(keep);
      }
      break;
    }
    case 6:
      life.storage().flush();
      break;
    case 7:
      if (life.storage().is_writing_snapshot() || chance.below(3) == 0) {
        life.advance_snapshot();
      }
      break;
    default:
      disk.step();
  }
}

TEST(StorageTruncationCrash, LeavesOneOfTheHistoriesAskedForOverManyLives) {
  std::size_t truncated = 0;
  std::size_t undone = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Random chance(seed);
    SimDisk disk;
    Asked asked;
    for (int lives = 0; lives < 8; ++lives) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << " life " << lives);
      OneLife life(disk);
      ASSERT_NO_FATAL_FAILURE(expect_one_of(life, asked));
      undone += life.history() == asked.histories.back() ? 0U : 1U;
      // What is known again may be less than what was known before, and nothing behind that was
      // promised to stay.
      asked = {.histories = {life.history()}, .committed = life.recovery().committed};
      life.commit(life.recovery().committed);
      life.settle();
      asked.note(life);
      if (life.asked_epochs() == Epochs{}) {
        life.begin_reign();
      }
      for (auto acts = chance.below(200); acts > 0; --acts) {
        act(life, disk, chance);
        truncated += life.history().size() < asked.histories.back().size() ? 1U : 0U;
        asked.note(life);
      }
      if (chance.below(4) == 0) {
        disk.kill();
      } else {
        disk.crash(chance);
      }
    }
  }
  EXPECT_GT(truncated, 1'000U);
  EXPECT_GT(undone, 300U);
}

// Truncations alone and in a batch, within a segment and as the first record of one, twice in a
// row, and across epochs.
void live_through_truncations(OneLife& life, Asked& asked) {
  const auto settle = [&] {
    life.settle();
    asked.note(life);
  };
  const auto write = [&](int count) {
    for (int i = 0; i < count; ++i) {
      life.append();
      asked.note(life);
    }
    settle();
  };
  const auto truncate_by = [&](std::size_t count) {
    life.truncate_to(life.history().size() - count);
    asked.note(life);
  };
  life.settle();
  life.begin_reign();
  life.commit({});
  write(5);
  truncate_by(2);
  settle();
  write(3);
  life.commit(life.history()[2]);
  life.begin_reign();
  truncate_by(1);
  write(6);
  truncate_by(4);
  truncate_by(2);
  life.begin_reign();
  write(30);
  life.commit(life.history()[20]);
  life.take_snapshot();
  truncate_by(9);
  write(2);
}

TEST(StorageTruncationCrash, AtEveryJobBoundaryLeavesOneOfTheHistoriesAskedFor) {
  MortalDisk whole;
  {
    OneLife life(whole);
    Asked asked;
    live_through_truncations(life, asked);
  }
  ASSERT_GT(classify(whole.list())->segments.size(), 1U);
  for (std::size_t jobs = 0; jobs < whole.jobs_done(); ++jobs) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      SCOPED_TRACE(testing::Message() << "after job " << jobs << ", seed " << seed);
      MortalDisk disk;
      OneLife life(disk);
      Asked asked;
      disk.die_at(jobs);
      EXPECT_THROW(live_through_truncations(life, asked), MortalDisk::Dead);
      asked.note(life);
      Random chance(seed);
      disk.crash(chance);
      disk.live_on();
      OneLife next(disk);
      ASSERT_NO_FATAL_FAILURE(expect_one_of(next, asked));
      // And the log goes on from there.
      next.settle();
      next.begin_reign();
      next.write(2);
      disk.kill();
      const OneLife last(disk);
      ASSERT_FALSE(last.is_refused()) << last.sentence();
      EXPECT_EQ(last.history(), next.history());
    }
  }
}

// --- damage ---

// Puts a record with a right checksum behind the log.
void add_record(SimDisk& disk, const LogEntry& entry) {
  const SegmentId id = classify(disk.list())->segments.back();
  Bytes segment = disk.read(segment_name(id), 0, disk.size(segment_name(id)));
  std::size_t end = segment_header_bytes;
  while (const auto record = record_at(segment, id, end)) {
    end = record->end;
  }
  segment.resize(end);
  Bytes record;
  append_record(record, entry);
  const auto offset = static_cast<std::uint32_t>(end);
  seal_batch(record, {.segment = id, .batch = offset, .offset = offset});
  segment.insert(segment.end(), record.begin(), record.end());
  disk.put(segment_name(id), segment);
}

TEST_F(StorageT4, ARecordThatContradictsTheLogIsRefused) {
  const Zxid known = at(1, 6);
  const Bytes payload{1};
  const auto truncation = [](Zxid zxid, Zxid committed) {
    return LogEntry{.kind = RecordKind::truncation, .zxid = zxid, .committed = committed};
  };
  const auto transaction = [&](Zxid committed) {
    return LogEntry{.zxid = at(1, 11), .committed = committed, .payload = payload};
  };
  const std::vector<std::pair<LogEntry, std::string>> cases{
      {truncation(at(1, 5), known), "truncated behind 1.5"},     // committed
      {truncation(at(1, 11), known), "truncated behind 1.11"},   // not there
      {truncation(at(2, 1), known), "truncated behind 2.1"},     // likewise
      {truncation(at(1, 8), at(1, 5)), "truncated behind 1.8"},  // less committed than before
      {truncation(at(1, 8), at(1, 9)), "truncated behind 1.8"},  // more than it keeps
      {transaction(at(1, 5)), "says that 1.5 was committed"},    // less than before
      {transaction(at(1, 12)), "says that 1.12 was committed"},  // more than there is
      {transaction(at(1, 4711)), "says that 1.4711 was committed"},
      {{.kind = RecordKind{3}, .zxid = at(1, 11), .committed = known}, "of a kind"},
      {{.kind = RecordKind::truncation, .zxid = at(1, 8), .committed = known, .payload = payload},
       "of a kind"},
  };
  for (const auto& [entry, words] : cases) {
    SimDisk disk = disk_;
    add_record(disk, entry);
    OneLife life(disk);
    ASSERT_TRUE(life.is_refused()) << words;
    EXPECT_NE(life.sentence().find(words), std::string::npos) << life.sentence();
    EXPECT_EQ(disk.jobs_waiting(), 0U);
  }
  add_record(disk_, truncation(at(1, 8), known));
  EXPECT_EQ(OneLife(disk_).history(), prefix(8)) << "this one is right";
}

}  // namespace
}  // namespace zabfs::replication::store
