#include "fusefs/notify/inotify_scan.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <fstream>
#include <memory>

namespace zabfs::fusefs::notify {
namespace {

constexpr std::string_view inotify_link = "anon_inode:inotify";

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

// The number behind `key` in base 16; false if there is none.
bool read_hexadecimal(std::string_view line, std::string_view key, std::uint64_t& number) {
  const auto at = line.find(key);
  if (at == line.npos) {
    return false;
  }
  const std::string_view digits = line.substr(at + key.size());
  const auto [stop, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return error == std::errc{} && stop != digits.data();
}

bool is_inotify(const std::string& link) {
  std::array<char, inotify_link.size() + 1> target{};
  const ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
  return size == static_cast<ssize_t>(inotify_link.size()) &&
         std::string_view(target.data(), inotify_link.size()) == inotify_link;
}

}  // namespace

std::uint64_t device_of(std::uint32_t major, std::uint32_t minor) {
  constexpr unsigned minor_bits = 20;
  return std::uint64_t{major} << minor_bits | minor;
}

std::uint64_t watched_inode(std::string_view line, std::uint64_t device) {
  std::uint64_t inode = 0;
  std::uint64_t found_device = 0;
  const bool is_watch = line.starts_with("inotify ") && read_hexadecimal(line, " ino:", inode) &&
                        read_hexadecimal(line, " sdev:", found_device);
  return is_watch && found_device == device ? inode : 0;
}

void scan_process(const std::string& proc, pid_t process, std::uint64_t device,
                  std::vector<Watching>& found) {
  const std::string home = proc + "/" + std::to_string(process);
  const Directory descriptors(::opendir((home + "/fd").c_str()));
  if (descriptors == nullptr) {
    return;  // It has ended, or may not be looked into.
  }
  while (const dirent* entry = ::readdir(descriptors.get())) {
    if (!is_inotify(home + "/fd/" + entry->d_name)) {
      continue;
    }
    std::ifstream lines(home + "/fdinfo/" + entry->d_name);
    for (std::string line; std::getline(lines, line);) {
      if (const std::uint64_t inode = watched_inode(line, device); inode != 0) {
        found.push_back({.process = process, .inode = inode});
      }
    }
  }
}

std::vector<pid_t> processes(const std::string& proc) {
  std::vector<pid_t> found;
  const Directory entries(::opendir(proc.c_str()));
  while (const dirent* entry = entries == nullptr ? nullptr : ::readdir(entries.get())) {
    const std::string_view name = entry->d_name;
    pid_t process = 0;
    const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), process);
    if (error == std::errc{} && stop == name.data() + name.size()) {
      found.push_back(process);
    }
  }
  return found;
}

}  // namespace zabfs::fusefs::notify
