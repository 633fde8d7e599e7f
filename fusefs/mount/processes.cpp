#include "fusefs/mount/processes.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <ctime>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
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
  // Whether there is a process with that number of which this is a thread: its first one.
  if (::syscall(SYS_tgkill, thread, thread, 0) == 0 || errno != ESRCH) {
    return thread;
  }
  const std::string status = text_of(directory_of(thread) + "/status");
  constexpr std::string_view key = "\nTgid:";
  const auto at = status.find(key);
  return at == status.npos ? thread
                           : leading_number(std::string_view(status).substr(at + key.size()));
}

// Empty if there is no such process.
std::string command_of(std::int64_t pid) {
  std::string line = text_of(directory_of(pid) + "/comm");
  if (line.ends_with('\n')) {
    line.pop_back();
  }
  return line;
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

// What /proc says at one time, as far as somebody wants to know it. It alone is asked: asking the
// mount, from here, would wait for ever.
class Look {
 public:
  bool has_open(std::int64_t pid, inodes::InodeNumber inode) {
    const auto [known, is_new] = open_.try_emplace(pid);
    if (is_new) {
      known->second = open_by(pid);
    }
    return known->second.contains(inode);
  }

  // `root` and what descends from it.
  std::vector<std::int64_t> family(std::int64_t root) {
    if (children_.empty()) {
      find_children();
    }
    std::vector<std::int64_t> all{root};
    for (std::size_t next = 0; next < all.size(); ++next) {
      if (const auto found = children_.find(all[next]); found != children_.end()) {
        all.insert(all.end(), found->second.begin(), found->second.end());
      }
    }
    return all;
  }

 private:
  static std::set<inodes::InodeNumber> open_by(std::int64_t pid) {
    std::set<inodes::InodeNumber> inodes;
    const std::string directory = directory_of(pid) + "/fdinfo";
    constexpr std::string_view key = "ino:\t";
    for (const auto& name : names_in(directory)) {
      std::ifstream file(directory + "/" + name);
      for (std::string line; std::getline(file, line);) {
        inodes::InodeNumber inode = 0;
        if (line.starts_with(key) &&
            std::from_chars(line.data() + key.size(), line.data() + line.size(), inode).ec ==
                std::errc{}) {
          inodes.insert(inode);
          break;
        }
      }
    }
    return inodes;
  }

  void find_children() {
    for (const auto& name : names_in("/proc")) {
      std::int64_t pid = 0;
      const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
      if (error == std::errc{} && stop == name.data() + name.size()) {
        if (const auto stat = read_stat(pid)) {
          children_[stat->parent].push_back(pid);
        }
      }
    }
  }

  std::map<std::int64_t, std::set<inodes::InodeNumber>> open_{};
  std::map<std::int64_t, std::vector<std::int64_t>> children_{};  // by parent
};

// The process from which those descend that can hold the lock; 0 if nobody does any more.
std::int64_t root_of(const LostLock& lost, Look& look) {
  for (const Process& process : {lost.taker.process, lost.taker.parent}) {
    if (is_alive(process) && look.has_open(process.pid, lost.inode)) {
      return process.pid;
    }
  }
  return 0;
}

}  // namespace

Processes::Processes(bool are_signalled) : are_signalled_(are_signalled) {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) == 0) {
    host_ = name.data();
  }
}

Taker Processes::find(std::int64_t thread) {
  Taker taker{.host = host_, .since = now()};
  const std::int64_t pid = thread > 0 ? process_of(thread) : 0;
  if (!are_signalled_) {
    taker.command = pid > 0 ? command_of(pid) : "";
    taker.process.pid = taker.command.empty() ? 0 : pid;
    return taker;
  }
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

std::vector<int> signal_holders(const std::vector<LostLock>& lost, int signal) {
  Look look;
  std::vector<int> counts;
  std::set<std::int64_t> holders;
  for (const LostLock& lock : lost) {
    counts.push_back(0);
    const std::int64_t root = root_of(lock, look);
    for (const std::int64_t pid : root == 0 ? std::vector<std::int64_t>{} : look.family(root)) {
      if (look.has_open(pid, lock.inode)) {
        holders.insert(pid);
        ++counts.back();
      }
    }
  }
  for (const std::int64_t pid : holders) {
    ::kill(static_cast<pid_t>(pid), signal);
  }
  return counts;
}

}  // namespace zabfs::fusefs::mount
