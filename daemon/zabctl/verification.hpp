// A data directory, checked from end to end without a change: every checksum, the order of the log,
// epochs and generations, every snapshot's digest against the transactions between it and the one
// before it, and whether a server would start.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/zabctl/read_only_directory.hpp"
#include "replication/model/ids.hpp"

namespace zabfs::daemon::zabctl {

// Something wrong: what it is, and what to do about it.
struct Problem {
  std::string sentence{};
  std::string advice{};
};

struct CheckedSnapshot {
  std::string file{};
  bool is_whole{};
  std::uint64_t bytes{};
  replication::Zxid zxid{};
  std::uint64_t znodes{};
  std::uint64_t sessions{};
  std::uint64_t digest{};
  std::uint64_t sessions_digest{};
};

struct CheckedSegment {
  std::string file{};
  std::uint64_t records{};
  std::uint64_t bytes{};
  replication::Zxid last{};
};

struct VerificationReport {
  std::vector<Problem> problems{};
  std::vector<std::string> notes{};  // what a crash or a running server leaves: nothing to do
  std::vector<CheckedSnapshot> snapshots{};
  std::vector<CheckedSegment> segments{};

  // The state that a start would have; `can_start` is false if it would be refused.
  bool can_start{};
  replication::Zxid snapshot{};
  replication::Zxid last{};
  replication::Zxid committed{};
  replication::Epoch accepted{};
  std::uint64_t znodes{};
  std::uint64_t sessions{};
  std::uint64_t digest{};

  explicit operator bool() const { return problems.empty(); }
};

// Throws Failure if there is nothing to check.
VerificationReport verify(const ReadOnlyDirectory& directory);

}  // namespace zabfs::daemon::zabctl
