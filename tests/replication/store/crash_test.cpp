// The storage over a disk that crashes: whatever it said was durable is there afterwards, and what
// is there is a beginning of what was written. A crash is never a reason to refuse.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "replication/store/layout.hpp"
#include "tests/replication/store/mortal_disk.hpp"
#include "tests/replication/store/one_life.hpp"

namespace zabfs::replication::store {
namespace {

using test::SimDisk;

// What a life has promised, and what it has asked for.
struct Claims {
  std::vector<Zxid> history{};
  Zxid durable{};
  Epochs promised{};
  Epochs asked{};
};

Claims claims_of(OneLife& life) {
  return {.history = life.history(),
          .durable = life.storage().durable(),
          .promised = life.storage().is_ready() ? life.storage().epochs() : Epochs{},
          .asked = life.asked_epochs()};
}

// True if `life` may follow a life that ended with `claims`.
void expect_kept(const OneLife& life, const Claims& claims) {
  ASSERT_FALSE(life.is_refused()) << life.sentence();
  const auto& found = life.history();
  ASSERT_LE(found.size(), claims.history.size());
  EXPECT_TRUE(std::equal(found.begin(), found.end(), claims.history.begin()));
  EXPECT_GE(life.recovery().last, claims.durable);
  const Epochs& epochs = life.recovery().epochs;
  EXPECT_GE(epochs.accepted, claims.promised.accepted);
  EXPECT_LE(epochs.accepted, claims.asked.accepted);
  EXPECT_EQ(epochs.current, epochs.accepted);
}

// Does something that a replica might do next.
void act(OneLife& life, SimDisk& disk, Random& chance) {
  const bool reigns = life.storage().is_ready() && life.asked_epochs().current.value > 0;
  switch (chance.below(10)) {
    case 0:
      if (chance.below(10) == 0 && life.storage().is_ready()) {
        life.begin_reign();
      }
      break;
    case 1:
    case 2:
    case 3:
      if (reigns) {
        life.append();
      }
      break;
    case 4:
      life.storage().flush();
      break;
    case 5:
      if (reigns && (life.storage().is_writing_snapshot() || chance.below(3) == 0)) {
        life.advance_snapshot();
      }
      break;
    default:
      disk.step();
  }
}

TEST(StorageCrash, LosesNothingThatWasPromisedOverManyLives) {
  std::size_t rolled = 0;
  std::size_t dropped = 0;
  std::size_t loaded = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random chance(seed);
    SimDisk disk;
    Claims claims;
    for (int lives = 0; lives < 8; ++lives) {
      OneLife life(disk);
      ASSERT_NO_FATAL_FAILURE(expect_kept(life, claims));
      dropped += life.recovery().note.empty() ? 0U : 1U;
      loaded += life.recovery().snapshot == Zxid{} ? 0U : 1U;
      // Also lives that end before recovery's own jobs are done.
      if (chance.below(8) > 0) {
        life.settle();
        life.begin_reign();
      }
      for (auto acts = chance.below(chance.below(2) == 0 ? 20 : 300); acts > 0; --acts) {
        act(life, disk, chance);
      }
      rolled += classify(disk.list())->segments.size();
      claims = claims_of(life);
      if (chance.below(4) == 0) {
        disk.kill();
      } else {
        disk.crash(chance);
      }
    }
  }
  // The walk was worth it.
  EXPECT_GT(rolled, 1'000U);
  EXPECT_GT(dropped, 50U);
  EXPECT_GT(loaded, 300U);
}

// A life in which everything happens: two reigns, segments that roll, snapshots, a purge.
void live_fully(OneLife& life) {
  life.settle();
  life.begin_reign();
  for (int round = 0; round < 4; ++round) {
    life.write(3);
    for (int i = 0; i < 12; ++i) {
      life.append();
    }
    life.settle();
    life.take_snapshot();
  }
  life.begin_reign();
  life.write(2);
}

TEST(StorageCrash, AtEveryJobBoundaryLosesNothingThatWasPromised) {
  MortalDisk whole;
  OneLife whole_life(whole);
  live_fully(whole_life);
  const auto listing = classify(whole.list());
  ASSERT_EQ(listing->snapshots.size(), small_options.snapshots_kept) << "the script purges";
  ASSERT_GT(listing->segments.front(), SegmentId{}) << "segments too";
  for (std::size_t jobs = 0; jobs < whole.jobs_done(); ++jobs) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      SCOPED_TRACE(testing::Message() << "after job " << jobs << ", seed " << seed);
      MortalDisk disk;
      OneLife life(disk);
      disk.die_at(jobs);
      EXPECT_THROW(live_fully(life), MortalDisk::Dead);
      const Claims claims = claims_of(life);
      Random chance(seed);
      disk.crash(chance);
      disk.live_on();
      OneLife next(disk);
      ASSERT_NO_FATAL_FAILURE(expect_kept(next, claims));
      next.settle();
      next.begin_reign();
      next.write(2);
      EXPECT_EQ(next.storage().durable(), next.history().back());
    }
  }
}

// T2 of ZAB.md: the one small file.
TEST(StorageT2, ACrashLeavesTheOldEpochsOrTheNew) {
  std::set<std::uint32_t> seen;
  for (int jobs = 0; jobs <= 5; ++jobs) {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      SimDisk disk;
      OneLife life(disk);
      life.settle();
      life.begin_reign();
      life.write(1);
      life.begin_reign();
      for (int i = 0; i < jobs; ++i) {
        ASSERT_TRUE(disk.step());
      }
      Random chance(seed);
      disk.crash(chance);
      OneLife next(disk);
      ASSERT_FALSE(next.is_refused()) << next.sentence();
      const auto current = next.recovery().epochs.current.value;
      EXPECT_TRUE(current == 1 || current == 2) << current;
      EXPECT_TRUE(current == 2 || jobs < 5) << "it was durable";
      seen.insert(current);
    }
  }
  EXPECT_EQ(seen.size(), 2U);
}

// A process that dies leaves its pages to the next one, and then the power fails: what the second
// process found is safe only once it says that it is ready (ZAB.md, H5).
TEST(StorageCrash, WhatWasFoundUnsyncedIsNotPromisedBeforeItIsSynced) {
  SimDisk disk;
  OneLife life(disk);
  life.settle();
  life.begin_reign();
  life.write(1);
  life.append();
  life.storage().flush();
  ASSERT_TRUE(disk.step());  // written, not synced
  disk.kill();
  OneLife next(disk);
  ASSERT_EQ(next.history().size(), 2U);
  EXPECT_FALSE(next.storage().is_ready());
  EXPECT_EQ(next.storage().durable(), Zxid{});
  next.settle();
  EXPECT_TRUE(next.storage().is_ready());
  EXPECT_EQ(next.storage().durable(), next.history().back());
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random chance(seed);
    disk.crash(chance);
    EXPECT_EQ(OneLife(disk).history().size(), 2U);
  }
}

}  // namespace
}  // namespace zabfs::replication::store
