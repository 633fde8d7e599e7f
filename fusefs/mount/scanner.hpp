// The assistant that looks which inodes of the mount programs watch by inotify (inotify_scan.hpp).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fusefs/mount/assistant.hpp"
#include "fusefs/notify/inotify_scan.hpp"

namespace zabfs::fusefs::mount {

Duty scanner();

// Asks about `processes`; about all there are if that is empty.
std::string order_to_scan(std::uint64_t device, const std::vector<pid_t>& processes);

// An answer comes in parts; the last one says how long the look took.
struct Found {
  std::vector<notify::Watching> watching{};
  bool is_last{};
  std::uint64_t took_us{};
};
Found found_in(std::string_view answer);

}  // namespace zabfs::fusefs::mount
