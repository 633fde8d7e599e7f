#include "tests/support/hostile_bytes.hpp"

#include <algorithm>
#include <limits>

#include "replication/ports/random.hpp"

namespace zabfs::test {

using replication::Bytes;
using replication::ByteView;
using replication::Random;

std::vector<Bytes> truncations_of(ByteView valid) {
  std::vector<Bytes> truncations;
  for (std::size_t size = 0; size < valid.size(); ++size) {
    const ByteView kept = valid.first(size);
    truncations.emplace_back(kept.begin(), kept.end());
  }
  return truncations;
}

std::vector<Bytes> lies_about_counts_of(ByteView valid) {
  using Limits = std::numeric_limits<std::int32_t>;
  std::vector<Bytes> lies;
  for (std::size_t at = 0; at + 4 <= valid.size(); ++at) {
    const auto one_too_many = static_cast<std::int32_t>(valid.size() - at - 4 + 1);
    for (const std::int32_t count : {-1, -2, Limits::min(), Limits::max(), one_too_many}) {
      Bytes& lie = lies.emplace_back(valid.begin(), valid.end());
      auto rest = static_cast<std::uint32_t>(count);
      for (std::size_t i = 4; i-- > 0; rest >>= 8) {
        lie[at + i] = static_cast<std::uint8_t>(rest);
      }
    }
  }
  return lies;
}

std::vector<Bytes> mutations_of(ByteView valid, std::uint64_t seed, std::size_t times) {
  Random random{seed};
  std::vector<Bytes> mutations;
  for (std::size_t i = 0; i < times && !valid.empty(); ++i) {
    Bytes& mutation = mutations.emplace_back(valid.begin(), valid.end());
    for (auto changes = random.below(4) + 1; changes > 0; --changes) {
      mutation[random.below(mutation.size())] = static_cast<std::uint8_t>(random.next());
    }
  }
  return mutations;
}

std::vector<Bytes> random_runs(std::uint64_t seed, std::size_t times, std::size_t size_max) {
  constexpr std::uint64_t small = 4;
  Random random{seed};
  std::vector<Bytes> runs;
  for (std::size_t i = 0; i < times; ++i) {
    Bytes& run = runs.emplace_back(random.below(size_max + 1));
    std::ranges::generate(run, [&random] {
      return static_cast<std::uint8_t>(random.below(2) == 0 ? random.below(small) : random.next());
    });
  }
  return runs;
}

}  // namespace zabfs::test
