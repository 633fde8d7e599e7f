// Worlds from seeds, in which a replica crashes under load. Each seed is a test of its own.
//
//   ZABFS_SEED=7                one seed: replication_tests --gtest_filter='*CrashSimulation*'
//   ZABFS_SEED=1000 ZABFS_SEEDS=5000     many
#include "tests/simulator/crash_simulation.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>

namespace zabfs::test {
namespace {

constexpr std::uint32_t endless = std::numeric_limits<std::uint32_t>::max();
constexpr int rounds_per_seed = 10;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

// The chosen seeds, or the `usual` number of them from 1 on.
auto seeds(std::uint64_t usual) {
  const std::uint64_t first = from_environment("ZABFS_SEED", 1);
  const bool is_chosen = std::getenv("ZABFS_SEED") != nullptr;
  return testing::Range(first, first + from_environment("ZABFS_SEEDS", is_chosen ? 1 : usual));
}

std::string command_for(std::uint64_t seed) {
  return "to repeat: ZABFS_SEED=" + std::to_string(seed) +
         " replication_tests --gtest_filter='*CrashSimulation*'";
}

class CrashSimulationTest : public testing::TestWithParam<std::uint64_t> {
 protected:
  void run(const CrashSimulation::Options& options) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, command_for(GetParam()));
    CrashSimulation simulation(options);
    for (int round = 0; round < rounds_per_seed && !HasFailure(); ++round) {
      simulation.run_round();
    }
  }
};

TEST_P(CrashSimulationTest, NothingAnybodyHeardOfIsLost) {
  run({.seed = GetParam(), .epoch_transactions_max = endless, .events_max = 600});
}

// The counter of an epoch is used up again and again, with crashes at every one of its last values.
TEST_P(CrashSimulationTest, AnEpochThatIsUsedUpIsFollowedByTheNext) {
  run({.seed = GetParam(),
       .epoch_transactions_max = static_cast<std::uint32_t>(1 + GetParam() % 40),
       .events_max = 200});
}

class LargeTreeTest : public CrashSimulationTest {};

// A snapshot takes many slices, and the tree changes between them.
TEST_P(LargeTreeTest, ASnapshotShowsOneMomentWhileTheTreeChanges) {
  run({.seed = GetParam(),
       .epoch_transactions_max = endless,
       .events_max = 400,
       .znodes_at_first = 6000});
}

INSTANTIATE_TEST_SUITE_P(CrashSimulation, LargeTreeTest, seeds(2),
                         testing::PrintToStringParamName());
INSTANTIATE_TEST_SUITE_P(Seeds, CrashSimulationTest, seeds(20), testing::PrintToStringParamName());

TEST(CrashSimulation, EveryKindOfDisasterHappens) {
  CrashSimulation simulation({.seed = 1, .epoch_transactions_max = 100, .events_max = 900});
  for (int round = 0; round < rounds_per_seed; ++round) {
    simulation.run_round();
  }
  const auto& totals = simulation.totals();
  EXPECT_GT(totals.replies, 100U);
  EXPECT_GT(totals.histories_cut, 0U);
  EXPECT_GT(totals.sessions_expired, 0U);
  EXPECT_GT(totals.snapshots, 5U);
  EXPECT_GT(totals.epochs_begun, 12U);
}

TEST(CrashSimulation, TheSameSeedIsTheSameWorld) {
  const auto diary_of = [](std::uint64_t seed) {
    CrashSimulation simulation({.seed = seed, .epoch_transactions_max = 100, .events_max = 300});
    for (int round = 0; round < 3; ++round) {
      simulation.run_round();
    }
    return simulation.diary();
  };
  const std::string diary = diary_of(1);
  EXPECT_GT(diary.size(), 1000U);
  EXPECT_EQ(diary, diary_of(1));
  EXPECT_NE(diary, diary_of(2));
}

}  // namespace
}  // namespace zabfs::test
