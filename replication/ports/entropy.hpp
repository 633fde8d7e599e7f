// The door to secrets: bytes that nobody can guess, for session passwords.
//
// Kept apart from Random, whose sequence is known to whoever knows the seed.
#pragma once

#include <cstdint>
#include <span>

namespace zabfs::replication {

class Entropy {
 public:
  virtual ~Entropy() = default;

  // Overwrites all of `bytes`.
  virtual void fill(std::span<std::uint8_t> bytes) = 0;
};

}  // namespace zabfs::replication
