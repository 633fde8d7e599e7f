// The memory in which a worker writes things down and its successor finds them: two memory files,
// of which one is current.
//
//   file    header: magic, version, generation, checksum; then groups, each appended at once
//   group   size (4 bytes), checksum (8), bytes
//
// The current file is the one with the higher generation among those whose header is whole. It is
// replaced by writing the other one whole, its header last; so whatever is interrupted, one of the
// two is whole. A group of which the end is missing was being written when the worker died and
// counts as not written; anything else that does not fit is damage, which is told and not believed.
//
// The files belong to the supervisor; nobody but this process and those it gives them to can read
// them. Everything happens on one thread.
#pragma once

#include <cstdint>
#include <functional>

#include "replication/model/bytes.hpp"

namespace zabfs::fusefs::continuity {

class Store {
 public:
  // Both descriptors stay the caller's, and are open to read and to write.
  Store(int first, int second) : files_{first, second} {}

  enum class Found {
    nothing,  // has never been written
    whole,
    damaged,
    other_version,  // written by a program that means something else by it
    unreadable,     // the system refused to read
  };

  // Hands out the groups of the current file in their order, which append then continues. What was
  // handed out before damage was found is to be forgotten.
  Found read(const std::function<void(replication::ByteView)>& group);

  // Appends a group to the current file. False if it was refused for want of memory or because of a
  // bound: limits::ledger_bytes_max of a file; the store is as before then.
  bool append(replication::ByteView group);

  // Makes the other file current, with this group alone.
  bool replace(replication::ByteView group);

  // Empties both: a successor finds nothing, rather than what is no longer true.
  void clear();

  // Of the current file.
  std::uint64_t bytes() const { return end_; }

 private:
  struct Header;

  Found header_of(int file, Header& header) const;
  bool write_group(int file, std::uint64_t at, replication::ByteView group) const;
  int current() const { return files_[current_]; }

  int files_[2];
  std::size_t current_{};
  std::uint64_t generation_{};
  std::uint64_t end_{};
};

}  // namespace zabfs::fusefs::continuity
