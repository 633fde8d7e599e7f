// What a disk would show a replica that starts on it: the snapshot it would begin with, and the log
// behind that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "replication/model/ids.hpp"
#include "replication/ports/disk.hpp"

namespace zabfs::test {

struct LogEntry {
  replication::Zxid zxid{};
  std::uint64_t digest{};  // as the diary has it

  bool operator==(const LogEntry&) const = default;
};

struct DurableLog {
  replication::Zxid base{};  // everything up to here is in the snapshot
  std::vector<LogEntry> entries{};
  std::optional<std::string> refusal{};  // why a replica would refuse to start

  replication::Zxid end() const { return entries.empty() ? base : entries.back().zxid; }
};

DurableLog read_log(const replication::Disk& disk);

}  // namespace zabfs::test
