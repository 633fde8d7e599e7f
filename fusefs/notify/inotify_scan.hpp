// Which inodes of a file system processes watch by inotify, as /proc tells (proc(5), fdinfo).
//
// Of processes that may not be looked into, nothing is found: those of others, unless root asks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zabfs::fusefs::notify {

struct Watching {
  pid_t process{};
  std::uint64_t inode{};

  bool operator==(const Watching&) const = default;
};

// A device as fdinfo writes it: the kernel's own encoding, not that of stat(2).
std::uint64_t device_of(std::uint32_t major, std::uint32_t minor);

// The inode that a line of fdinfo watches on `device`; 0 if it is no such line.
std::uint64_t watched_inode(std::string_view line, std::uint64_t device);

// Adds what `process` watches on `device`. `proc` is where /proc is.
void scan_process(const std::string& proc, pid_t process, std::uint64_t device,
                  std::vector<Watching>& found);

// All processes there are.
std::vector<pid_t> processes(const std::string& proc);

}  // namespace zabfs::fusefs::notify
