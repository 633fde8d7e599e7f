#include "daemon/logging.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <variant>

namespace zabfs::daemon {
namespace {

using replication::TraceEvent;

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      break;
  }
  return spdlog::level::err;
}

// What an operator must look into is a warning; the daily business of clients is for debugging.
spdlog::level::level_enum level_of(const TraceEvent& event) {
  if (const auto* recovered = std::get_if<replication::Recovered>(&event)) {
    return recovered->note.empty() ? spdlog::level::info : spdlog::level::warn;
  }
  if (const auto* closed = std::get_if<replication::SessionClosed>(&event)) {
    return closed->expired ? spdlog::level::info : spdlog::level::debug;
  }
  if (std::holds_alternative<replication::ClientRefused>(event) ||
      std::holds_alternative<replication::QuotaPassed>(event) ||
      std::holds_alternative<replication::StateRestored>(event)) {
    return spdlog::level::warn;
  }
  return std::holds_alternative<replication::SessionOpened>(event) ? spdlog::level::debug
                                                                   : spdlog::level::info;
}

}  // namespace

std::shared_ptr<spdlog::logger> make_logger(LogLevel level) {
  auto logger =
      std::make_shared<spdlog::logger>("zabd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %-5l %v");
  logger->set_level(level_of(level));
  return logger;
}

TraceLog::TraceLog(std::shared_ptr<spdlog::logger> logger, const replication::Clock& clock)
    : logger_(std::move(logger)), clock_(clock), kinds_(std::variant_size_v<TraceEvent>) {}

void TraceLog::record(const TraceEvent& event) {
  const auto level = level_of(event);
  if (!logger_->should_log(level)) {
    return;
  }
  Kind& kind = kinds_[event.index()];
  if (kind.limit.admits(clock_.monotonic_ms())) {
    logger_->log(level, "{}", to_text(event));
  } else {
    kind.last_held_back = event;
  }
}

void TraceLog::on_tick() {
  for (Kind& kind : kinds_) {
    if (const auto count = kind.limit.take_held_back(clock_.monotonic_ms()); count > 0) {
      logger_->log(level_of(kind.last_held_back), "{} more like this: {}", count,
                   to_text(kind.last_held_back));
    }
  }
}

}  // namespace zabfs::daemon
