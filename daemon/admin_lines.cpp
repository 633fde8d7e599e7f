#include "daemon/admin_lines.hpp"

#include "daemon/spelling.hpp"

namespace zabfs::daemon {
namespace {

constexpr std::string_view prometheus =
    "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider";
constexpr std::string_view no_export = "org.apache.zookeeper.metrics.impl.DefaultMetricsProvider";

Complaint provider(std::string_view value, bool& is_exported) {
  is_exported = value == prometheus;
  return is_exported || value == no_export
             ? std::nullopt
             : Complaint(quoted(value) + " is no provider of this version (write " +
                         std::string(prometheus) + ", or remove the line)");
}

Complaint address(std::string_view value, std::string& to) {
  to = value == "0.0.0.0" || value == "::" ? "" : value;
  return std::nullopt;
}

Complaint url(std::string_view value, std::string& to) {
  if (!value.starts_with('/') || value.size() == 1 || value.ends_with('/')) {
    return quoted(value) + " is no path (write for example /commands)";
  }
  to = value;
  return std::nullopt;
}

Complaint accepted(std::string_view value) {
  bool ignored{};
  return truth(value, ignored);
}

}  // namespace

const std::map<std::string_view, AdminSetter>& admin_keys() {
  using V = std::string_view;
  using A = AdminConfig;
  static const std::map<std::string_view, AdminSetter> table{
      {"admin.enableServer", [](V v, A& a) { return truth(v, a.is_enabled); }},
      {"admin.serverAddress", [](V v, A& a) { return address(v, a.address); }},
      {"admin.serverPort",
       [](V v, A& a) {
         return number(v, {0, 65535}, a.port);
       }},
      {"admin.commandURL", [](V v, A& a) { return url(v, a.url); }},
      {"admin.idleTimeout",
       [](V v, A& a) {
         return number(v, {100, 3'600'000}, a.idle_ms);
       }},
      {"admin.snapshot.enabled", [](V v, A& a) { return truth(v, a.gives_snapshots); }},
      {"admin.restore.enabled", [](V v, A& a) { return truth(v, a.takes_restores); }},
      {"admin.rateLimiterIntervalInMS",
       [](V v, A& a) {
         return number(v, {0, 86'400'000}, a.transfer_interval_ms);
       }},
      {"metricsProvider.className", [](V v, A& a) { return provider(v, a.exports_metrics); }},
      {"metricsProvider.httpHost", [](V v, A& a) { return address(v, a.metrics_address); }},
      {"metricsProvider.httpPort",
       [](V v, A& a) {
         return number(v, {0, 65535}, a.metrics_port);
       }},
      {"metricsProvider.exportJvmInfo", [](V v, A&) { return accepted(v); }},
  };
  return table;
}

}  // namespace zabfs::daemon
