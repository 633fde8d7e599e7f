// Trace events as lines of the log, on standard error: what a replica did, for its operator.
//
//   2026-05-04T12:30:01.123 info  recovered to 3.17: 12 znodes, 4 transactions replayed
//
// Each kind of event is limited to `lines_per_second_max`; what is held back is counted and told in
// one line a second later.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "daemon/config.hpp"
#include "daemon/pace/rate_limit.hpp"
#include "replication/ports/clock.hpp"
#include "replication/ports/trace.hpp"

namespace spdlog {
class logger;
}

namespace zabfs::daemon {

inline constexpr std::uint64_t lines_per_second_max = 20;

// A logger to standard error, in the format above.
std::shared_ptr<spdlog::logger> make_logger(LogLevel level);

class TraceLog : public replication::Trace {
 public:
  // `clock` outlives this.
  TraceLog(std::shared_ptr<spdlog::logger> logger, const replication::Clock& clock);

  void record(const replication::TraceEvent& event) override;

  // Tells what was held back. Call it once in a while.
  void on_tick();

 private:
  struct Kind {
    RateLimit limit{lines_per_second_max};
    replication::TraceEvent last_held_back{};
  };

  std::shared_ptr<spdlog::logger> logger_;
  const replication::Clock& clock_;
  std::vector<Kind> kinds_;  // by the index of the event in its variant
};

}  // namespace zabfs::daemon
