// The door to time. Nothing in replication/ asks an operating system what time it is.
#pragma once

#include <cstdint>

namespace zabfs::replication {

class Clock {
 public:
  virtual ~Clock() = default;

  // Milliseconds that never go back; only differences mean anything. Timeouts are measured in it.
  virtual std::int64_t monotonic_ms() const = 0;

  // The same time in microseconds. Only measurements need it: nothing is decided by it.
  virtual std::int64_t monotonic_us() const { return monotonic_ms() * 1'000; }

  // Milliseconds since 1970, for ctime and mtime. May jump; the end of a znode's time to live is all
  // that is decided by it.
  virtual std::int64_t wall_ms() const = 0;
};

}  // namespace zabfs::replication
