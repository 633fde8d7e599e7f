// The promise to answer a kernel request exactly once, with the type that the request asks for.
//
// A Reply is moved to whoever will answer. Answering spends it; losing it answers EIO, so a process
// that waits on the mount is never left waiting by a forgotten branch.
//
// What the answers become is the business of Answers: the kernel's side implements it with libfuse,
// a test by writing them down.
#pragma once

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "fusefs/failure.hpp"
#include "fusefs/handles/handle_table.hpp"
#include "fusefs/inodes/inode_table.hpp"
#include "replication/model/bytes.hpp"

namespace zabfs::fusefs {

// The request that an answer belongs to. `request` is opaque and unique among those unanswered.
struct Ticket {
  void* request{};
  std::size_t room{};      // bytes that the answer may have, where it has a size
  std::uint64_t number{};  // of the request, for a successor of this process; 0: it does not matter
};

struct Done {};

// What is kept, the kernel answers by itself until it is taken back (cache/kernel_copies.hpp).
struct Attributes {
  struct stat values {};
  bool is_kept{};
};

// A name that was looked up or created. The table counts one lookup of it.
struct Entry {
  inodes::InodeNumber number{};
  std::int64_t generation{};
  struct stat values {};
  bool name_is_kept{};
};

// A name that leads to nothing, which is kept.
struct Absence {};

struct Opened {
  handles::HandleId handle{};
  bool flush_is_needless{};  // closing has nothing to commit
  bool is_stream{};          // has no position: every read and write comes with the offset 0
  bool may_keep_listing{};   // of a directory, when it is read
  bool listing_is_kept{};    // what was read before is still true
};

struct Created {
  Entry entry{};
  Opened opened{};
};

// Bytes read; at most the ticket's room.
struct Content {
  replication::ByteView bytes{};
};

struct Written {
  std::size_t bytes{};
};

// A part of a listing, and behind which place to go on after each name; the ticket's room decides
// how much of it goes out.
struct Listing {
  std::span<const std::string> names{};
  std::span<const std::uint64_t> places{};
};

// The value of an extended attribute, or the list of their names.
struct AttributeText {
  std::string_view text{};
};

struct Capacity {
  struct statvfs values {};
};

// What poll(2) says.
struct Readiness {
  bool can_read{};
  bool can_write{};
  bool has_failed{};
};

// Who has a lock that would be in conflict with the one that was asked about.
struct LockFound {
  bool is_taken{};
  bool is_exclusive{};
  std::int64_t pid{};  // 0: of another machine, or not known
};

class Answers {
 public:
  virtual ~Answers() = default;

  virtual void refuse(Ticket ticket, int errno_value) = 0;
  virtual void answer(Ticket ticket, const Done&) = 0;
  virtual void answer(Ticket ticket, const Attributes& attributes) = 0;
  virtual void answer(Ticket ticket, const Entry& entry) = 0;
  virtual void answer(Ticket ticket, const Absence&) = 0;
  virtual void answer(Ticket ticket, const Opened& opened) = 0;
  virtual void answer(Ticket ticket, const Created& created) = 0;
  virtual void answer(Ticket ticket, const Content& content) = 0;
  virtual void answer(Ticket ticket, const Written& written) = 0;
  virtual void answer(Ticket ticket, const Listing& listing) = 0;
  virtual void answer(Ticket ticket, const AttributeText& text) = 0;
  virtual void answer(Ticket ticket, const Capacity& capacity) = 0;
  virtual void answer(Ticket ticket, const Readiness& readiness) = 0;
  virtual void answer(Ticket ticket, const LockFound& found) = 0;
};

template <class T>
class Reply {
 public:
  Reply(Answers& answers, Ticket ticket) : answers_(&answers), ticket_(ticket) {}
  Reply(Reply&& other) noexcept
      : answers_(std::exchange(other.answers_, nullptr)), ticket_(other.ticket_) {}
  Reply& operator=(Reply&&) = delete;
  ~Reply() {
    if (answers_ != nullptr) {
      answers_->refuse(ticket_, EIO);
    }
  }

  const Ticket& ticket() const { return ticket_; }

  void with(const T& value) && { spend().answer(ticket_, value); }
  void absent() && requires std::same_as<T, Entry> { spend().answer(ticket_, Absence{}); }
  void error(int errno_value) && { spend().refuse(ticket_, errno_value); }
  void refuse(const Failure& failure) && { spend().refuse(ticket_, failure.errno_value); }
  void with_outcome(const Outcome<T>& outcome) && {
    if (outcome) {
      std::move(*this).with(*outcome);
    } else {
      std::move(*this).refuse(outcome.error());
    }
  }

 private:
  Answers& spend() { return *std::exchange(answers_, nullptr); }

  Answers* answers_;
  Ticket ticket_;
};

}  // namespace zabfs::fusefs
