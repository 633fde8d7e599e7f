// The clock and the entropy of the machine, behind the ports.
#pragma once

#include "replication/ports/clock.hpp"
#include "replication/ports/entropy.hpp"

namespace zabfs::daemon {

class MachineClock : public replication::Clock {
 public:
  std::int64_t monotonic_ms() const override;
  std::int64_t monotonic_us() const override;
  std::int64_t wall_ms() const override;
};

// The kernel's generator. Ends the process if the kernel has none: a session's password that can be
// guessed is worse than no service.
class MachineEntropy : public replication::Entropy {
 public:
  void fill(std::span<std::uint8_t> bytes) override;
};

}  // namespace zabfs::daemon
