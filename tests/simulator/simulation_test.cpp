// Worlds from seeds: fixed ones, and one that is new every time.
//
//   ZABFS_SEED=7                     one seed
//   ZABFS_SEED=1000 ZABFS_SEEDS=500  many
//
// `simulate` runs the same worlds, longer and with a diary.
#include "tests/simulator/simulation.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <sstream>

namespace zabfs::test {
namespace {

constexpr std::uint64_t steps = 8'000;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

auto seeds(std::uint64_t usual) {
  const std::uint64_t first = from_environment("ZABFS_SEED", 1);
  const bool is_chosen = std::getenv("ZABFS_SEED") != nullptr;
  return testing::Range(first, first + from_environment("ZABFS_SEEDS", is_chosen ? 1 : usual));
}

void run(std::uint64_t seed, std::uint64_t voters) {
  const Swarm swarm = draw_swarm(seed, steps, voters);
  std::ostringstream about;
  about << swarm;
  Simulation simulation(swarm);
  simulation.run();
  for (const auto& sentence : simulation.findings().sentences()) {
    ADD_FAILURE() << sentence << '\n'
                  << about.str() << "\nto repeat: simulate --seed " << seed << " --steps " << steps
                  << " --voters " << voters << " --verbose";
  }
}

class SimulationTest : public testing::TestWithParam<std::uint64_t> {};

TEST_P(SimulationTest, NothingIsFoundInAnEnsemble) { run(GetParam(), 0); }

INSTANTIATE_TEST_SUITE_P(Seeds, SimulationTest, seeds(50), testing::PrintToStringParamName());

class SingleReplicaTest : public testing::TestWithParam<std::uint64_t> {};

TEST_P(SingleReplicaTest, NothingIsFoundInAReplicaAlone) { run(GetParam(), 1); }

INSTANTIATE_TEST_SUITE_P(Seeds, SingleReplicaTest, seeds(8), testing::PrintToStringParamName());

TEST(Simulation, NothingIsFoundInAWorldNobodyHasSeen) {
  const auto seed = static_cast<std::uint64_t>(
      std::chrono::system_clock::now().time_since_epoch().count() % 1'000'000'000);
  std::cout << "fresh seed " << seed << std::endl;
  run(seed, 0);
}

std::string diary_of(std::uint64_t seed) {
  std::string diary;
  Simulation simulation(draw_swarm(seed, steps / 2),
                        [&diary](const std::string& line) { diary += line + '\n'; });
  simulation.run();
  return diary;
}

TEST(Simulation, TheSameSeedIsTheSameWorld) {
  for (const std::uint64_t seed : {3U, 4U}) {
    const std::string diary = diary_of(seed);
    EXPECT_GT(diary.size(), 10'000U);
    EXPECT_EQ(diary, diary_of(seed));
    EXPECT_NE(diary, diary_of(seed + 10));
  }
}

}  // namespace
}  // namespace zabfs::test
