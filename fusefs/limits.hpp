// Every bound of the mount that the server does not share, named once; those it shares are in
// replication/model/limits.hpp.
#pragma once

#include <array>
#include <cstddef>

namespace zabfs::fusefs::limits {

// What the mount does for programs that watch by inotify: watched files and directories, names in
// them that it remembers, changes that wait to be told. Beyond: the rest is not heard; is found by
// events alone; is found by comparing.
inline constexpr std::size_t inotify_paths_max = 65'536;
inline constexpr std::size_t inotify_names_max = 1'000'000;
inline constexpr std::size_t inotify_notices_max = 100'000;

// How the mount finds out what programs watch by inotify. A process that has looked something up is
// looked into after the first of these times, and each of the others after the one before; all
// processes every so often, as long as nobody watches and while somebody does; and after a look
// there is a pause of so many times its length. Of that many processes at a time, the others wait
// for the look into all.
inline constexpr std::array<int, 3> inotify_looks_ms{2, 20, 200};
inline constexpr int inotify_idle_scan_ms = 3'000;
inline constexpr int inotify_busy_scan_ms = 1'000;
// The same while the kernel keeps names: a process that watches one of those looks nothing up.
inline constexpr int inotify_kept_scan_ms = 250;
inline constexpr int inotify_scan_pauses = 50;
inline constexpr std::size_t inotify_suspects_max = 1'000;

// One message between the mount and a process that assists it: two paths as long as the kernel
// takes fit.
inline constexpr std::size_t assistant_message_bytes_max = 64UL << 10;

// How long the kernel keeps what it is not told to forget, before it asks again. So long a mount
// whose process has died goes on showing what was there; asking again costs microseconds.
inline constexpr double kernel_keeps_seconds = 10;

// Znodes whose permissions are remembered although the kernel has forgotten their inodes, as it
// does with all that it takes back the names of.
inline constexpr std::size_t rights_remembered_max = 50'000;

// The largest value that is read again behind the write that made it.
inline constexpr std::size_t value_read_behind_bytes_max = 4UL << 10;

// The contenders for a lock that are asked about at once for `N@queue`.
inline constexpr std::size_t queue_questions_max = 100;

}  // namespace zabfs::fusefs::limits
