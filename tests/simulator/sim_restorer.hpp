// An operator of the simulated ensemble who now and then keeps the state of one server, as a backup
// does, and later gives it back to the whole ensemble, through any server, whatever happens to
// either meanwhile.
#pragma once

#include <cstdint>
#include <memory>

#include "replication/restoration.hpp"
#include "tests/simulator/ensemble_world.hpp"

namespace zabfs::test {

// What a server would begin with that starts on this disk now: a beginning of history. Null if the
// disk is refused.
std::unique_ptr<replication::RestorableState> state_on(const SimServer& server);

class SimRestorer {
 public:
  // `world` outlives it. It does something every `think_max` at the most.
  SimRestorer(Micros think_max, EnsembleWorld& world);
  SimRestorer(const SimRestorer&) = delete;
  SimRestorer& operator=(const SimRestorer&) = delete;

  void start() { plan(); }
  void rest() { is_resting_ = true; }

  // Restores that it was told to be done.
  std::uint64_t done() const { return done_; }

 private:
  void plan();
  void act();

  const Micros think_max_;
  EnsembleWorld& world_;
  replication::Random chance_;
  std::unique_ptr<replication::RestorableState> kept_{};
  bool is_resting_{};
  std::uint64_t done_{};
};

}  // namespace zabfs::test
