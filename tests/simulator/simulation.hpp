// One seed, one world: an ensemble under load and disaster, held against every checker.
//
//   safety      disasters strike; nothing may ever be wrong
//   liveness    they stop, links heal, and a majority runs (sometimes not all). Within bounds of
//               virtual time every live server serves, takes a fresh write, and is in the same
//               state as the others; then every znode is compared with what clients were told
//
// A finding ends the run at once: what follows would be its consequences.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "tests/simulator/checkers/ensemble_checkers.hpp"
#include "tests/simulator/ensemble_world.hpp"
#include "tests/simulator/fault_injector.hpp"
#include "tests/simulator/sim_client.hpp"
#include "tests/simulator/sim_operator.hpp"
#include "tests/simulator/sim_restorer.hpp"
#include "tests/simulator/swarm.hpp"

namespace zabfs::test {

struct SimulationTotals {
  std::uint64_t worlds{};
  Micros virtual_time{};
  std::uint64_t steps{};
  std::uint64_t starts{};
  std::uint64_t crashes{};
  std::uint64_t elections{};  // leaders established
  std::uint64_t transactions{};
  std::uint64_t truncations{};
  std::uint64_t replacements{};  // of whole histories
  std::uint64_t replies{};
  std::uint64_t sessions_ended{};
  std::uint64_t restores{};
  std::uint64_t configurations{};  // in force one after another

  SimulationTotals& operator+=(const SimulationTotals& other);
};

std::ostream& operator<<(std::ostream& out, const SimulationTotals& totals);

class Simulation : private EnsembleWorld::Observer {
 public:
  using Diary = std::function<void(const std::string& line)>;

  // `diary` hears every line of what happens, if it is given.
  explicit Simulation(const Swarm& swarm, Diary diary = nullptr);

  // To be called once.
  void run();

  const Findings& findings() const { return findings_; }
  SimulationTotals totals() const;

 private:
  void on_starting(replication::ServerId server) override;
  void on_started(replication::ServerId server) override;
  void on_stopped(replication::ServerId server, bool without_power) override;
  void on_trace(replication::ServerId server, const replication::TraceEvent& event) override;
  void on_failure(replication::ServerId server, const std::string& sentence) override;
  void on_diary(const std::string& line) override { diary_(line); }
  bool wants_diary() const override { return diary_ != nullptr; }

  void run_safety();
  void run_liveness();
  std::vector<replication::ServerId> draw_left_out();
  std::vector<replication::ServerId> draw_departed();
  bool reach(const std::function<bool()>& condition, const char* what);
  void probe_every_server();
  bool are_equal() const;
  void check_end();
  void check_durability(const char* when);
  std::vector<replication::ServerId> live() const;

  const Swarm swarm_;
  Diary diary_;
  Findings findings_;
  EnsembleCheckers checkers_;
  EnsembleWorld world_;
  FaultInjector faults_;
  std::vector<std::unique_ptr<SimClient>> clients_;
  std::unique_ptr<SimOperator> operator_;
  std::unique_ptr<SimRestorer> restorer_;
  bool wants_durability_check_{};
  SimulationTotals totals_{};
};

}  // namespace zabfs::test
