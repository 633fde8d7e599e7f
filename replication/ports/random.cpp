#include "replication/ports/random.hpp"

#include "replication/model/check.hpp"

namespace zabfs::replication {

// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", figure 16, with the
// constants of Vigna's splitmix64.c.
std::uint64_t Random::next() {
  state_ += 0x9E3779B97F4A7C15U;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBU;
  return mixed ^ mixed >> 31;
}

std::uint64_t Random::below(std::uint64_t bound) {
  CHECK(bound > 0, "nothing is below 0");
  // 2^64 modulo `bound`: with that many of the smallest numbers left out, every remainder is as
  // likely as every other.
  const std::uint64_t surplus = (0 - bound) % bound;
  std::uint64_t drawn = next();
  while (drawn < surplus) {
    drawn = next();
  }
  return drawn % bound;
}

}  // namespace zabfs::replication
