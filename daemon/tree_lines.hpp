// The lines of a configuration that are about the tree: which znodes there may be, and when the
// leader removes some of them.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "daemon/config_value.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::daemon {

struct TreeConfig {
  bool has_ttl{true};  // znodes with a time to live may be created
  bool enforces_quota{false};

  // Containers and znodes with a time to live: how often they are looked through, how many of them
  // go in a minute, and after how long without any child a container goes (0: never).
  std::int64_t removal_check_ms{replication::limits::removal_check_ms_default};
  std::int64_t removals_per_minute{replication::limits::removals_per_minute_default};
  std::int64_t container_never_used_ms{0};

  bool operator==(const TreeConfig&) const = default;
};

// The keys, each with the reader of its value.
using TreeSetter = Complaint (*)(std::string_view value, TreeConfig& to);
const std::map<std::string_view, TreeSetter>& tree_keys();

}  // namespace zabfs::daemon
