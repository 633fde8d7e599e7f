#include "fusefs/mount/processes.hpp"

#include <dirent.h>
#include <fcntl.h>
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

// What a file of /proc says, as far as it is short; empty if there is none. Without a stream: who
// takes a lock waits for this.
std::string text_of(const std::string& path) {
  constexpr std::size_t bytes_max = 4096;
  std::string text(bytes_max, '\0');
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const ssize_t size = file < 0 ? 0 : ::read(file, text.data(), text.size());
  if (file >= 0) {
    ::close(file);
  }
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return text;
}

// The number that `text` begins with, behind blanks; 0 if it does not.
std::int64_t leading_number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::optional<ProcessStat> read_stat(std::int64_t pid) {
  const std::string line = text_of(directory_of(pid) + "/stat");
  // The command stands in parentheses, and may have some itself.
  const auto begin = line.find('(');
  const auto end = line.rfind(')');
  if (begin == line.npos || end == line.npos || end < begin) {
    return std::nullopt;
  }
  ProcessStat stat{.command = line.substr(begin + 1, end - begin - 1)};
  std::string_view rest = std::string_view(line).substr(end + 1);
  constexpr int parent_field = 4;
  constexpr int started_field = 22;
  for (int field = 3; !rest.empty(); ++field) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    if (field == parent_field) {
      stat.parent = leading_number(rest);
    } else if (field == started_field) {
      stat.started = leading_number(rest);
      return stat;
    }
    rest.remove_prefix(std::min(rest.find(' '), rest.size()));
  }
  return std::nullopt;
}

// The process of a thread.
std::int64_t process_of(std::int64_t thread) {
  const auto descriptor = static_cast<int>(::syscall(SYS_pidfd_open, thread, 0));
  if (descriptor >= 0) {
    ::close(descriptor);
    return thread;  // Only for the first thread of a process there is such a descriptor.
  }
  const std::string status = text_of(directory_of(thread) + "/status");
  constexpr std::string_view key = "\nTgid:";
  const auto at = status.find(key);
  return at == status.npos ? thread
                           : leading_number(std::string_view(status).substr(at + key.size()));
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
