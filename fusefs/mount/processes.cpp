#include "fusefs/mount/processes.hpp"

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <ctime>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

namespace zabfs::fusefs::mount {

using locks::Process;
using locks::Taker;

namespace {

// A line of /proc/PID/stat, as far as it matters here (proc(5)).
struct ProcessStat {
  std::string command{};
  std::int64_t parent{};
  std::int64_t started{};
};

std::string directory_of(std::int64_t pid) { return "/proc/" + std::to_string(pid); }

std::optional<ProcessStat> read_stat(std::int64_t pid) {
  std::ifstream file(directory_of(pid) + "/stat");
  std::string line;
  // The command stands in parentheses, and may have some itself.
  const auto begin = std::getline(file, line) ? line.find('(') : line.npos;
  const auto end = line.rfind(')');
  if (begin == line.npos || end == line.npos || end < begin) {
    return std::nullopt;
  }
  ProcessStat stat{.command = line.substr(begin + 1, end - begin - 1)};
  std::istringstream fields(line.substr(end + 1));
  std::string state;
  fields >> state >> stat.parent;
  constexpr int fields_between = 17;  // from the parent, the fourth, to the start, the 22nd
  std::string skipped;
  for (int i = 0; i < fields_between; ++i) {
    fields >> skipped;
  }
  fields >> stat.started;
  return fields ? std::optional(stat) : std::nullopt;
}

// The process of a thread.
std::int64_t process_of(std::int64_t thread) {
  const auto descriptor = static_cast<int>(::syscall(SYS_pidfd_open, thread, 0));
  if (descriptor >= 0) {
    ::close(descriptor);
    return thread;  // Only for the first thread of a process there is such a descriptor.
  }
  std::ifstream file(directory_of(thread) + "/status");
  constexpr std::string_view key = "Tgid:";
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key)) {
      std::int64_t pid = 0;
      std::istringstream(line.substr(key.size())) >> pid;
      return pid;
    }
  }
  return thread;
}

std::string now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%FT%TZ", &parts)};
}

bool is_alive(const Process& process) {
  const auto stat = process.pid > 0 ? read_stat(process.pid) : std::nullopt;
  return stat && stat->started == process.started;
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> opened(::opendir(directory.c_str()), ::closedir);
  while (const dirent* entry = opened ? ::readdir(opened.get()) : nullptr) {
    names.emplace_back(entry->d_name);
  }
  return names;
}

// Asks /proc alone: asking the mount, from here, would wait for ever.
bool has_open(std::int64_t pid, inodes::InodeNumber inode) {
  const std::string directory = directory_of(pid) + "/fdinfo";
  const std::string wanted = "ino:\t" + std::to_string(inode);
  for (const auto& name : names_in(directory)) {
    std::ifstream file(directory + "/" + name);
    for (std::string line; std::getline(file, line);) {
      if (line == wanted) {
        return true;
      }
    }
  }
  return false;
}

// The parent of every process.
std::map<std::int64_t, std::int64_t> parents() {
  std::map<std::int64_t, std::int64_t> all;
  for (const auto& name : names_in("/proc")) {
    std::int64_t pid = 0;
    const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc{} && stop == name.data() + name.size()) {
      if (const auto stat = read_stat(pid)) {
        all.emplace(pid, stat->parent);
      }
    }
  }
  return all;
}

}  // namespace

Processes::Processes() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) == 0) {
    host_ = name.data();
  }
}

Taker Processes::find(std::int64_t thread) {
  Taker taker{.host = host_, .since = now()};
  const std::int64_t pid = thread > 0 ? process_of(thread) : 0;
  const auto stat = pid > 0 ? read_stat(pid) : std::nullopt;
  if (!stat) {
    return taker;
  }
  taker.command = stat->command;
  taker.process = {.pid = pid, .started = stat->started};
  if (const auto parent = read_stat(stat->parent)) {
    taker.parent = {.pid = stat->parent, .started = parent->started};
  }
  return taker;
}

int signal_holders(const Taker& taker, inodes::InodeNumber inode, int signal) {
  std::int64_t root = 0;
  for (const Process& process : {taker.process, taker.parent}) {
    if (root == 0 && is_alive(process) && has_open(process.pid, inode)) {
      root = process.pid;
    }
  }
  if (root == 0) {
    return 0;
  }
  const auto parent_of = parents();
  int signalled = 0;
  for (const auto& [pid, parent] : parent_of) {
    std::int64_t ancestor = pid;
    while (ancestor != root && parent_of.contains(ancestor)) {
      ancestor = parent_of.at(ancestor);
    }
    if (ancestor == root && has_open(pid, inode) && ::kill(static_cast<pid_t>(pid), signal) == 0) {
      ++signalled;
    }
  }
  return signalled;
}

}  // namespace zabfs::fusefs::mount
