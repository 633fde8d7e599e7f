// How operators reach a server beside the client port: the commands over HTTP, and Prometheus.
#pragma once

#include <cstdint>
#include <string>

namespace zabfs::daemon {

struct AdminConfig {
  bool is_enabled{};  // the commands over HTTP
  std::string address{"127.0.0.1"};
  std::uint16_t port{8080};
  std::string url{"/commands"};
  std::int64_t idle_ms{30'000};
  bool gives_snapshots{};
  bool takes_restores{};
  std::int64_t transfer_interval_ms{300'000};  // between two snapshots, and between two restores

  bool exports_metrics{};         // to Prometheus
  std::string metrics_address{};  // empty: all of them
  std::uint16_t metrics_port{7000};

  bool operator==(const AdminConfig&) const = default;
};

}  // namespace zabfs::daemon
