#include "daemon/machine.hpp"

#include <sys/random.h>

#include <chrono>

#include "replication/model/check.hpp"

namespace zabfs::daemon {
namespace {

template <class Clock, class Duration>
std::int64_t now_in() {
  return std::chrono::duration_cast<Duration>(Clock::now().time_since_epoch()).count();
}

}  // namespace

std::int64_t MachineClock::monotonic_ms() const {
  return now_in<std::chrono::steady_clock, std::chrono::milliseconds>();
}

std::int64_t MachineClock::monotonic_us() const {
  return now_in<std::chrono::steady_clock, std::chrono::microseconds>();
}

std::int64_t MachineClock::wall_ms() const {
  return now_in<std::chrono::system_clock, std::chrono::milliseconds>();
}

void MachineEntropy::fill(std::span<std::uint8_t> bytes) {
  // Up to 256 bytes come whole and uninterrupted (getrandom(2)).
  constexpr std::size_t piece_bytes = 256;
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), piece_bytes));
    const auto got = ::getrandom(piece.data(), piece.size(), 0);
    CHECK(got == static_cast<ssize_t>(piece.size()), "the kernel gave ", got, " random bytes");
    bytes = bytes.subspan(piece.size());
  }
}

}  // namespace zabfs::daemon
