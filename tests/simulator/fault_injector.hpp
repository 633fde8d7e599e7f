// Disasters that strike a world one after another, and pass after a while.
//
// Each strikes at random: which, whom, when and for how long come from the world's Random. calm()
// ends them all.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/simulator/ensemble_world.hpp"
#include "tests/simulator/swarm.hpp"

namespace zabfs::test {

class FaultInjector {
 public:
  // `world` outlives the injector.
  FaultInjector(const FaultOptions& options, EnsembleWorld& world)
      : options_(options), world_(world) {}
  FaultInjector(const FaultInjector&) = delete;
  FaultInjector& operator=(const FaultInjector&) = delete;

  void start() { plan(); }

  // Nothing strikes any more; links heal, paused servers go on, and all but `left_out` run.
  void calm(const std::vector<replication::ServerId>& left_out);

  // A server that is not running begins again within the usual time; to be called when one stops.
  void plan_restart(replication::ServerId server);

 private:
  void plan();
  void strike();
  void strike_servers(std::uint64_t kind);
  void strike_links(std::uint64_t kind);
  void stop_all();
  void crash_somebody_at_an_event();
  void isolate(const std::vector<replication::ServerId>& some);
  void flap(replication::ServerId one, replication::ServerId other, std::uint64_t times);
  replication::ServerId anybody();
  Micros a_while();

  const FaultOptions options_;
  EnsembleWorld& world_;
  bool is_over_{};
};

}  // namespace zabfs::test
