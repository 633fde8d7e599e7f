// What the records of a ledger add up to: how things were when the last of them was written.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "fusefs/continuity/records.hpp"
#include "replication/model/bytes.hpp"

namespace zabfs::fusefs::continuity {

struct Opened {
  HandleOpen handle{};
  replication::Bytes content{};
  std::uint64_t polled_by{};  // 0: by nobody
  bool has_begun_change{};    // a request that changes the ensemble through it has no answer
};

struct State {
  Beginning beginning{};
  Worker worker{};
  SessionHeld session{};
  std::int64_t zxid{};
  std::uint64_t last_handle{};  // the highest number given out
  std::map<std::uint64_t, InodeKnown> inodes{};
  std::map<std::uint64_t, Opened> handles{};
  std::map<std::uint64_t, std::uint64_t> changes{};  // begun, by request: the handle
  std::set<std::uint64_t> received{};                // without an answer
  Answered last_answer{};
  std::map<std::string, ZnodeHeld> held{};
  std::map<std::uint64_t, CreationBegun> creations{};
  std::set<std::string> created_meanwhile{};
  std::map<std::string, LockOwner> places{};  // by contender
  std::map<LockOwner, LockHeld> locks{};

  void apply(Entry entry);

  // False if `group` is not a row of entries; then the state means nothing.
  bool apply_group(replication::ByteView group);

  // The shortest group that says all of it.
  replication::Bytes as_group() const;
};

}  // namespace zabfs::fusefs::continuity
