// simulate: runs worlds from seeds and says what it found.
//
//   simulate [--seed N] [--seeds COUNT] [--steps N] [--voters N] [--reconfigured] [--verbose]
//
// Exit status 0 if nothing was found, 1 if something was, 2 for wrong arguments.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

#include "tests/simulator/simulation.hpp"

namespace zabfs::test {
namespace {

constexpr std::uint64_t usual_steps = 60'000;

struct Arguments {
  std::uint64_t seed{};
  std::uint64_t seeds{1};
  std::uint64_t steps{usual_steps};
  std::uint64_t voters{};  // 0: the seed says how many
  bool is_verbose{};
  bool is_reconfigured{};  // every ensemble is; otherwise the seed says
  bool is_wrong{};
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  arguments.seed =
      static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()) %
      1'000'000'000;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--verbose") {
      arguments.is_verbose = true;
      continue;
    }
    if (name == "--reconfigured") {
      arguments.is_reconfigured = true;
      continue;
    }
    auto* number = name == "--seed"     ? &arguments.seed
                   : name == "--seeds"  ? &arguments.seeds
                   : name == "--steps"  ? &arguments.steps
                   : name == "--voters" ? &arguments.voters
                                        : nullptr;
    char* end = nullptr;
    if (number == nullptr || ++i == argc) {
      arguments.is_wrong = true;
      break;
    }
    *number = std::strtoull(argv[i], &end, 10);
    arguments.is_wrong = arguments.is_wrong || *end != '\0' || end == argv[i];
  }
  return arguments;
}

// True if nothing was found.
bool run(std::uint64_t seed, const Arguments& arguments, SimulationTotals& totals) {
  const Swarm swarm =
      draw_swarm(seed, arguments.steps, arguments.voters, arguments.is_reconfigured);
  std::cout << swarm << std::endl;
  Simulation::Diary diary;
  if (arguments.is_verbose) {
    diary = [](const std::string& line) { std::cout << line << '\n'; };
  }
  Simulation simulation(swarm, std::move(diary));
  simulation.run();
  totals += simulation.totals();
  for (const auto& sentence : simulation.findings().sentences()) {
    std::cout << "FOUND " << sentence << '\n';
  }
  if (!simulation.findings().empty()) {
    std::cout << "to repeat: simulate --seed " << seed << " --steps " << arguments.steps;
    if (arguments.voters > 0) {
      std::cout << " --voters " << arguments.voters;
    }
    if (arguments.is_reconfigured) {
      std::cout << " --reconfigured";
    }
    std::cout << " --verbose" << std::endl;
  }
  return simulation.findings().empty();
}

int main_of(const Arguments& arguments) {
  if (arguments.is_wrong) {
    std::cerr << "simulate [--seed N] [--seeds COUNT] [--steps N] [--voters N] [--verbose]\n";
    return 2;
  }
  SimulationTotals totals;
  std::uint64_t failed = 0;
  for (std::uint64_t i = 0; i < arguments.seeds; ++i) {
    failed += run(arguments.seed + i, arguments, totals) ? 0U : 1U;
  }
  std::cout << totals << "; " << failed << " failed\n";
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace zabfs::test

int main(int argc, char** argv) { return zabfs::test::main_of(zabfs::test::parse(argc, argv)); }
