// What a seed is about: the ensemble, its bounds, the load and the disasters, all drawn from the
// seed. Many rates are zero in many worlds: a disaster that is absent lets others show.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>

#include "tests/simulator/ensemble_world.hpp"
#include "tests/simulator/sim_client.hpp"
#include "tests/simulator/sim_operator.hpp"

namespace zabfs::test {

// Weights of the disasters that strike one after another; `between` and `lasts` say how fast.
struct FaultOptions {
  Micros between_max{2 * second};
  Micros lasts_max{3 * second};
  std::uint64_t kills{};
  std::uint64_t power_failures{};
  std::uint64_t blackouts{};  // of all servers at once
  std::uint64_t pauses{};
  std::uint64_t crash_points{};  // at a random kind of event
  std::uint64_t disk_crashes{};  // after a random number of jobs
  std::uint64_t disk_stalls{};
  std::uint64_t one_way_cuts{};
  std::uint64_t isolations{};  // of one server
  std::uint64_t splits{};      // into two parts
  std::uint64_t breaks{};      // of one link
  std::uint64_t flappings{};   // of one link, again and again
  std::uint64_t slow_links{};
  std::uint64_t client_breaks{};

  std::uint64_t all() const;
};

struct Swarm {
  std::uint64_t seed{};
  std::uint64_t voters{};
  std::uint64_t observers{};
  std::uint64_t clients{};
  std::uint64_t steps{};  // events of the safety phase
  WorldOptions world{};
  ClientOptions client{};
  FaultOptions faults{};
  bool is_reconfigured{};  // by an operator
  OperatorOptions operating{};
  Micros restores_after{};  // an operator restores this often; 0: never
};

// `voters`: how many, without observers; 0 leaves it to the seed. `must_be_reconfigured`: in every
// world there is an operator, not in one of four.
Swarm draw_swarm(std::uint64_t seed, std::uint64_t steps, std::uint64_t voters = 0,
                 bool must_be_reconfigured = false);

// A few lines, one subject each.
std::ostream& operator<<(std::ostream& out, const Swarm& swarm);

}  // namespace zabfs::test
