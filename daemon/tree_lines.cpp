#include "daemon/tree_lines.hpp"

namespace zabfs::daemon {
namespace {

constexpr Range any_time_ms{1, std::int64_t{1} << 40};
constexpr Range any_time_or_never_ms{0, std::int64_t{1} << 40};
constexpr Range any_pace{1, 10'000'000};

Complaint ttl(std::string_view value, TreeConfig& to) { return truth(value, to.has_ttl); }
Complaint quota(std::string_view value, TreeConfig& to) { return truth(value, to.enforces_quota); }

}  // namespace

// In ZooKeeper the first two are system properties, which a configuration may name with their
// prefix or without.
const std::map<std::string_view, TreeSetter>& tree_keys() {
  using V = std::string_view;
  using T = TreeConfig;
  static const std::map<std::string_view, TreeSetter> table{
      {"extendedTypesEnabled", ttl},
      {"zookeeper.extendedTypesEnabled", ttl},
      {"enforceQuota", quota},
      {"zookeeper.enforceQuota", quota},
      {"znode.container.checkIntervalMs",
       [](V v, T& t) { return number(v, any_time_ms, t.removal_check_ms); }},
      {"znode.container.maxPerMinute",
       [](V v, T& t) { return number(v, any_pace, t.removals_per_minute); }},
      {"znode.container.maxNeverUsedIntervalMs",
       [](V v, T& t) { return number(v, any_time_or_never_ms, t.container_never_used_ms); }},
  };
  return table;
}

}  // namespace zabfs::daemon
