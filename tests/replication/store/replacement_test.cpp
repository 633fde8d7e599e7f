// A leader's snapshot replaces a whole history (T3 of ZAB.md): a crash leaves the old one or the
// new one, whole, and with it the epochs that belong to it.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "replication/store/layout.hpp"
#include "tests/replication/store/mortal_disk.hpp"
#include "tests/replication/store/one_life.hpp"

namespace zabfs::replication::store {
namespace {

using test::SimDisk;
using History = std::vector<Zxid>;

constexpr Zxid at(std::uint32_t epoch, std::uint32_t counter) { return Zxid::at({epoch}, counter); }

// A leader's history in `epoch` that agrees with ours in the first transactions only.
History theirs_in(Epoch epoch, std::uint32_t count) {
  History history;
  for (std::uint32_t i = 1; i <= 8; ++i) {
    history.push_back(at(1, i));
  }
  for (std::uint32_t i = 1; i <= count; ++i) {
    history.push_back(Zxid::at(epoch, i));
  }
  return history;
}

// What a crash may leave of a history: any beginning of it with so many transactions.
struct Claim {
  History history{};
  std::size_t durable{};

  bool allows(const History& found) const {
    return durable <= found.size() && found.size() <= history.size() &&
           std::equal(found.begin(), found.end(), history.begin());
  }
};

std::size_t count_up_to(const History& history, Zxid last) {
  return static_cast<std::size_t>(std::ranges::upper_bound(history, last) - history.begin());
}

// A learner, and what has to be there after a crash.
class Learner {
 public:
  explicit Learner(SimDisk& disk) : life_(disk) {
    if (!life_.is_refused()) {
      life_.commit(life_.recovery().committed);
      counts_.history = life_.history();
    }
  }

  OneLife& life() { return life_; }
  Storage& storage() { return life_.storage(); }
  bool is_adopting() const { return adopted_.has_value(); }

  // To be called after every act and before a crash.
  void note() {
    if (is_adopting() && storage().epochs() == life_.asked_epochs()) {
      counts_ = *std::exchange(adopted_, std::nullopt);
    }
    if (is_adopting()) {
      adopted_->history = life_.history();
    } else {
      counts_.history = storage().is_replacing() ? counts_.history : life_.history();
      const auto durable = count_up_to(counts_.history, storage().durable());
      counts_.durable = std::max(counts_.durable, durable);
    }
  }

  // Promises the next epoch to its leader, who sends a snapshot.
  void begin(std::uint32_t count) {
    const Epoch next{life_.asked_epochs().accepted.value + 1};
    life_.save_epochs({.accepted = next, .current = life_.asked_epochs().current});
    current_of_old_ = life_.asked_epochs().current;
    life_.begin_replacement(theirs_in(next, count));
  }

  void adopt() {
    ASSERT_TRUE(storage().is_flushed());
    adopted_ = Claim{.history = life_.history(), .durable = life_.history().size()};
    const Epoch epoch = life_.asked_epochs().accepted;
    life_.save_epochs({.accepted = epoch, .current = epoch});
    EXPECT_FALSE(storage().is_replacing());
  }

  void expect_kept_by(const OneLife& next) {
    ASSERT_FALSE(next.is_refused()) << next.sentence();
    const bool is_old = counts_.allows(next.history());
    const bool is_new = adopted_ && adopted_->allows(next.history());
    EXPECT_TRUE(is_old || is_new) << "it ends at " << next.recovery().last;
    if (adopted_) {
      const Epoch current = is_new ? life_.asked_epochs().current
                                   : std::max(current_of_old_, next.recovery().last.epoch());
      EXPECT_EQ(next.recovery().epochs.current, current);
    }
  }

 private:
  OneLife life_;
  Claim counts_;
  std::optional<Claim> adopted_;  // while that is on its way
  Epoch current_of_old_{};
};

// Lets the disk work until the new history is whole.
void receive(Learner& learner, SimDisk& disk) {
  bool is_truncated = false;
  for (int step = 0; !learner.storage().is_flushed(); ++step) {
    ASSERT_LT(step, 10'000);
    learner.life().advance_replacement();
    if (step % 7 == 0 && step < 60) {
      learner.life().append();
    }
    learner.storage().flush();
    disk.step();
    learner.note();
    if (!is_truncated && learner.storage().is_flushed()) {
      // What its leader did not commit is taken back here like elsewhere.
      learner.life().append();
      learner.life().truncate_to(learner.life().history().size() - 1);
      is_truncated = true;
    }
  }
}

// Our own history, with more than one segment, snapshots, a tail, and a snapshot that is open.
void live_alone(Learner& learner) {
  OneLife& life = learner.life();
  life.settle();
  life.begin_reign();
  life.commit({});
  life.write(8);
  life.commit(at(1, 8));
  life.take_snapshot();
  life.write(20);
  learner.note();
  life.advance_snapshot();
  life.append();
  life.storage().flush();
  life.append();
  learner.note();
}

class StorageReplacement : public testing::Test {
 protected:
  void SetUp() override { live_alone(learner_); }

  void replace() {
    learner_.begin(12);
    receive(learner_, disk_);
    learner_.adopt();
    learner_.note();
    life_.settle();
    disk_.run();
    learner_.note();
  }

  SimDisk disk_;
  Learner learner_{disk_};
  OneLife& life_{learner_.life()};
};

TEST_F(StorageReplacement, TheNewHistoryCountsAndTheOldOneIsGone) {
  replace();
  EXPECT_FALSE(learner_.is_adopting());
  EXPECT_EQ(life_.storage().durable(), life_.history().back());
  const auto listing = classify(disk_.list());
  EXPECT_EQ(listing->snapshots, (std::vector<SnapshotId>{{{1}, at(2, 12)}}));
  EXPECT_EQ(listing->segments.front(), (SegmentId{{1}, 0}));
  EXPECT_TRUE(listing->drafts.empty());
  disk_.kill();
  const OneLife next(disk_);
  ASSERT_FALSE(next.is_refused()) << next.sentence();
  EXPECT_EQ(next.recovery().snapshot, at(2, 12));
  EXPECT_EQ(next.history(), life_.history());
  EXPECT_EQ(next.recovery().epochs, (Epochs{.accepted = {2}, .current = {2}}));
}

TEST_F(StorageReplacement, AnEmptyLogBehindTheSnapshotIsWhole) {
  learner_.begin(12);
  while (!life_.storage().is_flushed()) {
    life_.advance_replacement();
    ASSERT_TRUE(disk_.step());
  }
  learner_.adopt();
  disk_.run();
  learner_.note();
  disk_.kill();
  OneLife next(disk_);
  ASSERT_FALSE(next.is_refused()) << next.sentence();
  EXPECT_EQ(next.history(), theirs_in({2}, 12));
  EXPECT_EQ(next.recovery().last, at(2, 12));
  next.settle();
  next.write(2);
  next.take_snapshot();
  disk_.kill();
  EXPECT_EQ(OneLife(disk_).recovery().snapshot, at(2, 14));
  // And that log may not be lost again.
  disk_.kill();
  disk_.erase(segment_name({{1}, 0}));
  const OneLife last(disk_);
  ASSERT_TRUE(last.is_refused());
  EXPECT_NE(last.sentence().find("The log ends at 2.12, before the snapshot of 2.14"),
            std::string::npos)
      << last.sentence();
}

TEST_F(StorageReplacement, EpochsThatAreSavedTooEarlyAdoptNothing) {
  const History ours = life_.history();
  learner_.begin(12);
  while (life_.advance_replacement() || disk_.step()) {
    EXPECT_TRUE(life_.storage().is_replacing());
    if (life_.storage().is_flushed()) {
      break;
    }
    life_.save_epochs(life_.asked_epochs());
  }
  disk_.run();
  EXPECT_TRUE(life_.storage().is_replacing());
  EXPECT_TRUE(life_.storage().is_flushed());
  disk_.kill();
  OneLife next(disk_);
  next.settle();
  EXPECT_EQ(next.history(), History(ours.begin(), ours.end() - 1)) << "all that was flushed";
  const auto listing = classify(disk_.list());
  for (const auto& segment : listing->segments) {
    EXPECT_EQ(segment.generation, Generation{}) << "what was not adopted is removed";
  }
}

// Slices are taken while the leader goes on, so the snapshot alone is nobody's state.
TEST_F(StorageReplacement, IsNotWholeBeforeTheLogReachesWhatTheSnapshotDid) {
  learner_.begin(12);
  while (!life_.storage().wants_replacement_slice()) {
    ASSERT_TRUE(disk_.step());
  }
  life_.storage().finish_replacement(at(2, 14));
  for (int i = 0; i < 2; ++i) {
    disk_.run();
    EXPECT_FALSE(life_.storage().is_flushed()) << i;
    life_.append();
    life_.storage().flush();
  }
  EXPECT_FALSE(life_.storage().may_truncate_after(at(2, 13))) << "the snapshot may hold 2.14";
  EXPECT_TRUE(life_.storage().may_truncate_after(at(2, 14)));
  disk_.run();
  EXPECT_TRUE(life_.storage().is_flushed());
}

TEST_F(StorageReplacement, AnAbandonedOneLeavesNothingAndTheOldLogGoesOn) {
  const History ours = life_.history();
  for (int slices = 0; slices < 4; ++slices) {
    learner_.begin(12);
    life_.append();
    life_.storage().flush();
    for (int i = 0; i < slices; ++i) {
      disk_.run();
      life_.advance_replacement();
    }
    life_.abandon_replacement();
    EXPECT_FALSE(life_.storage().is_replacing());
    EXPECT_EQ(life_.storage().last(), ours.back());
  }
  life_.append();
  life_.settle();
  disk_.run();
  const auto listing = classify(disk_.list());
  for (const auto& segment : listing->segments) {
    EXPECT_EQ(segment.generation, Generation{});
  }
  EXPECT_EQ(listing->snapshots.size(), 1U);
  EXPECT_TRUE(listing->drafts.empty());
  disk_.kill();
  EXPECT_EQ(OneLife(disk_).history(), life_.history());
}

TEST_F(StorageReplacement, ForgetsAnOpenSnapshotAndAllowsNone) {
  Storage& storage = life_.storage();
  EXPECT_TRUE(storage.is_writing_snapshot());
  learner_.begin(12);
  EXPECT_FALSE(storage.is_writing_snapshot());
  EXPECT_FALSE(storage.may_begin_snapshot());
  EXPECT_DEATH(storage.begin_snapshot(at(1, 8)), "broken invariant");
  EXPECT_DEATH(storage.begin_replacement(at(2, 1)), "broken invariant");
  receive(learner_, disk_);
  learner_.adopt();
  EXPECT_FALSE(storage.may_begin_snapshot()) << "not before that is durable";
  EXPECT_FALSE(storage.is_flushed());
  EXPECT_DEATH(storage.abandon_replacement(), "broken invariant");
  disk_.run();
  EXPECT_TRUE(storage.may_begin_snapshot());
  EXPECT_TRUE(storage.is_flushed());
}

// The old history counts until the file says otherwise: what is durable in the new one is not yet.
TEST_F(StorageReplacement, WhatItBringsIsDurableOnlyOnceItIsAdopted) {
  const Zxid ours = life_.storage().last();
  learner_.begin(12);
  receive(learner_, disk_);
  EXPECT_LE(life_.storage().durable(), ours);
  learner_.adopt();
  while (life_.storage().epochs() != life_.asked_epochs()) {
    EXPECT_LE(life_.storage().durable(), ours);
    ASSERT_TRUE(disk_.step());
  }
  EXPECT_EQ(life_.storage().durable(), life_.history().back());
}

// --- crashes ---

void live_through_replacements(Learner& learner, SimDisk& disk) {
  live_alone(learner);
  OneLife& life = learner.life();
  learner.begin(15);
  for (int i = 0; i < 9; ++i) {
    life.advance_replacement();
    life.append();
    life.storage().flush();
    disk.step();
    learner.note();
  }
  life.abandon_replacement();
  learner.note();
  life.append();
  life.settle();
  learner.note();
  for (int round = 0; round < 2; ++round) {
    learner.begin(12);
    receive(learner, disk);
    learner.adopt();
    life.commit(at(2, 1));
    for (int i = 0; i < 3; ++i) {
      life.append();
      life.storage().flush();
      learner.note();
      disk.step();
      learner.note();
    }
    while (learner.is_adopting()) {
      disk.step();
      learner.note();
    }
    life.write(2);
    learner.note();
    life.commit(life.history().back());
    life.take_snapshot();
  }
}

TEST(StorageReplacementCrash, AtEveryJobBoundaryLeavesTheOldHistoryOrTheNew) {
  MortalDisk whole;
  {
    Learner learner(whole);
    live_through_replacements(learner, whole);
  }
  for (std::size_t jobs = 0; jobs < whole.jobs_done(); ++jobs) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      SCOPED_TRACE(testing::Message() << "after job " << jobs << ", seed " << seed);
      MortalDisk disk;
      Learner learner(disk);
      disk.die_at(jobs);
      EXPECT_THROW(live_through_replacements(learner, disk), MortalDisk::Dead);
      learner.note();
      Random chance(seed);
      disk.crash(chance);
      disk.live_on();
      OneLife next(disk);
      ASSERT_NO_FATAL_FAILURE(learner.expect_kept_by(next));
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

// Something that might happen next.
void act(Learner& learner, SimDisk& disk, Random& chance, std::size_t& adoptions) {
  OneLife& life = learner.life();
  Storage& storage = learner.storage();
  switch (chance.below(20)) {
    case 0:
      if (!storage.is_replacing() && !learner.is_adopting() && storage.is_ready()) {
        learner.begin(1 + static_cast<std::uint32_t>(chance.below(40)));
      }
      break;
    case 1:
      if (storage.is_replacing() && chance.below(30) == 0) {
        life.abandon_replacement();
      }
      break;
    case 2:
    case 3:
      life.append();
      break;
    case 4:
      storage.flush();
      break;
    case 5:
    case 7:
    case 8:
    case 9:
      if (storage.is_replacing()) {
        life.advance_replacement();
      } else if (storage.is_writing_snapshot() || storage.may_begin_snapshot()) {
        life.advance_snapshot();
      }
      break;
    case 6:
      if (storage.is_replacing() && storage.is_flushed()) {
        ++adoptions;
        learner.adopt();
      }
      break;
    default:
      disk.step();
  }
}

TEST(StorageReplacementCrash, LeavesTheOldHistoryOrTheNewOverManyLives) {
  std::size_t adoptions = 0;
  std::size_t undecided = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Random chance(seed);
    SimDisk disk;
    std::unique_ptr<Learner> before;
    for (int lives = 0; lives < 6; ++lives) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << " life " << lives);
      auto learner = std::make_unique<Learner>(disk);
      ASSERT_FALSE(learner->life().is_refused()) << learner->life().sentence();
      if (before) {
        before->expect_kept_by(learner->life());
      }
      learner->life().settle();
      if (learner->life().asked_epochs() == Epochs{}) {
        learner->life().begin_reign();
      }
      learner->note();
      for (auto acts = chance.below(1'000); acts > 0; --acts) {
        act(*learner, disk, chance, adoptions);
        learner->note();
      }
      undecided += learner->is_adopting() ? 1U : 0U;
      if (chance.below(4) == 0) {
        disk.kill();
      } else {
        disk.crash(chance);
      }
      before = std::move(learner);
    }
  }
  EXPECT_GT(adoptions, 300U);
  EXPECT_GT(undecided, 30U);
}

}  // namespace
}  // namespace zabfs::replication::store
