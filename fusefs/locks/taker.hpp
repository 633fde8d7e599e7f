// Who takes a lock: the process, its machine, and since when; as it is written into the contender's
// znode for whoever wants to know.
//
//   host web1
//   pid 4242
//   command flock
//   mode exclusive
//   since 2026-11-21T17:44:26Z
//
// The command is the process's name and never its arguments, which may hold secrets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fusefs/locks/contender.hpp"
#include "replication/model/bytes.hpp"

namespace zabfs::fusefs::locks {

// A process of this machine. Its number alone may be another one's some day.
struct Process {
  std::int64_t pid{};      // 0: not known
  std::int64_t started{};  // in ticks since the machine has started

  bool operator==(const Process&) const = default;
};

struct Taker {
  std::string host{};
  std::string command{};
  std::string since{};  // UTC
  Process process{};
  Process parent{};  // which has the lock when `process` has ended, as after `flock 9` in a script
};

// What stands in a contender's znode.
struct Description {
  std::string host{};
  std::int64_t pid{};  // 0: not known
  std::string command{};
  std::string since{};
  Mode mode{Mode::exclusive};  // what it has or wants: after a downgrade, its name says more

  bool operator==(const Description&) const = default;
};

Description describe(const Taker& taker, Mode mode);

replication::Bytes text_of(const Description& description);

// Takes anything: what is not there stays empty, what makes no sense is left out, and every value
// is at most limits::lock_description_bytes_max printable characters. `mode` is what the name says.
Description read_description(std::string_view text, Mode mode);

// Knows the processes of this machine.
class Takers {
 public:
  virtual ~Takers() = default;

  // The name of this machine, as it stands in contenders.
  virtual const std::string& host() const = 0;

  // Who asks; `thread` is what the kernel names as the one that does, 0 if it cannot.
  virtual Taker find(std::int64_t thread) = 0;
};

}  // namespace zabfs::fusefs::locks
