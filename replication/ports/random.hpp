// The only source of chance: a seeded generator (SplitMix64), so that one seed is one world.
#pragma once

#include <cstdint>

namespace zabfs::replication {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  // The next 64 bits.
  std::uint64_t next();

  // Uniform in [0, bound); `bound` is above 0.
  std::uint64_t below(std::uint64_t bound);

 private:
  std::uint64_t state_;
};

}  // namespace zabfs::replication
