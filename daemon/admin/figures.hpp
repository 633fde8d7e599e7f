// Every figure that monitoring reads, under ZooKeeper's names: what `mntr` shows line by line, the
// HTTP command `monitor` as JSON, and Prometheus in its own format.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/admin/subject.hpp"

namespace zabfs::daemon::admin {

// A number that is looked up when it is asked for, or a word about the server.
struct Gauge {
  std::string name{};
  std::string_view meaning{};
  std::variant<std::string, std::int64_t, double> value{};
};

std::vector<Gauge> gauges(const Subject& subject);

// ZooKeeper's word for the role: leader, follower, observer, standalone; leaderelection without
// one.
std::string_view mode(const Facts& facts);

// ZooKeeper's names for the phase: "leading - broadcast".
std::string peer_state(const Facts& facts);

// From a request to its reply, of all requests, in milliseconds.
struct Latency {
  std::uint64_t min{};
  double average{};
  std::uint64_t max{};
};
Latency request_latency(const replication::Metrics& metrics);

// A whole number of the unit that operators read: milliseconds, or pieces.
std::uint64_t shown(const replication::Distribution& distribution, std::uint64_t value);

struct Percentile {
  std::string_view name{};  // as in ZooKeeper's p95_readlatency
  double part{};
};
inline constexpr Percentile percentiles[] = {
    {"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}, {"p999", 0.999}};

// All of them by name, in ZooKeeper's order: gauges, counters, then what is summed up.
std::vector<Gauge> monitored(const Subject& subject);

}  // namespace zabfs::daemon::admin
