// All figures in the text format that Prometheus reads.
#pragma once

#include <string>

#include "daemon/admin/subject.hpp"

namespace zabfs::daemon::admin {

inline constexpr const char* prometheus_type = "text/plain; version=0.0.4; charset=utf-8";

// Counters and gauges under their names; what is timed as summaries of milliseconds, whose
// quantiles are those of the last one to two minutes.
std::string prometheus_text(const Subject& subject);

}  // namespace zabfs::daemon::admin
