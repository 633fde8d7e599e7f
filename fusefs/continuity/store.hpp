// The memory in which a worker writes things down and its successor finds them: two memory files,
// of which one is current.
//
//   file    header: magic, version, generation, checksum of these; end; then groups, one after the
//           other
//   group   size (4 bytes), checksum (8), bytes
//
// The current file is the one with the higher generation among those whose header is whole. It is
// replaced by writing the other one whole, its header last; so whatever is interrupted, one of the
// two is whole.
//
// A group is appended without a system call: the file is mapped, its bytes are written behind the
// last one, and `end`, with one store, says that they are there. A worker that dies in between has
// not written it. Whatever does not fit between the header and `end` is damage, which is told and
// not believed.
//
// The files belong to the supervisor; nobody but this process and those it gives them to can read
// them. Everything happens on one thread.
#pragma once

#include <cstdint>
#include <functional>

#include "fusefs/continuity/mapping.hpp"
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
  bool write_whole(int file, replication::ByteView group) const;
  bool make_room(std::uint64_t end);
  int current() const { return files_[current_]; }

  int files_[2];
  std::size_t current_{};
  std::uint64_t generation_{};
  std::uint64_t end_{};
  Mapping mapped_{};  // of the current file; none before something is appended to it
};

}  // namespace zabfs::fusefs::continuity
