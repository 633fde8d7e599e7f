// The command line of zabfs, checked.
//
//   zabfs [-f] [-o OPTION,...] [--auth CREDENTIAL]... HOST:PORT,...[/CHROOT] MOUNTPOINT
//   zabfs [-f] [-o OPTION,...] --embedded DIRECTORY MOUNTPOINT
//   zabfs --upgrade MOUNTPOINT
//
// The options of `-o` are those of a line in fstab: ours are uid=, gid=, umask=, timeout=, onloss=,
// auth=, authfile= and port=, what only matters to mount(8) is dropped, and everything else is the
// kernel's or libfuse's to judge.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "fusefs/client/credentials.hpp"
#include "fusefs/inodes/attributes.hpp"

namespace zabfs::fusefs::mount {

// The environment variable with more credentials, as a file of them has them.
inline constexpr const char* credentials_variable = "ZABFS_CREDENTIALS";

struct Options {
  std::string servers{};             // a connect string; empty with `embedded`
  std::string embedded_directory{};  // of the replica in this process; empty without one
  std::uint16_t embedded_port{};     // where ZooKeeper clients reach it; 0 is any free port
  std::string mount_point{};

  // What is mounted, for people.
  const std::string& source() const { return servers.empty() ? embedded_directory : servers; }

  bool stays_in_foreground{};
  std::int32_t session_timeout_ms{10'000};
  bool tells_inotify{true};  // of changes that other machines make
  bool remembers{true};      // what a watch guards, and lets the kernel do so
  int signal_on_loss{};      // to whoever holds a lock that is lost; 0 is none
  client::Credentials credentials{};
  inodes::Appearance appearance{};
  std::string mount_options{};       // for libfuse, separated by commas
  std::vector<std::string> lists{};  // what stood behind each -o
  bool asks_for_upgrade{};           // of the mount that is there

  // The command line that says the same, but for the credentials.
  std::vector<std::string> as_arguments() const;
};

// The process ends with `status` after printing `text`.
struct Exit {
  int status{};
  std::string text{};
};

std::variant<Options, Exit> parse_options(int count, const char* const* arguments);

// Overwrites the credentials among the arguments, which everybody may read in /proc.
void hide_credentials(int count, char** arguments);

}  // namespace zabfs::fusefs::mount
