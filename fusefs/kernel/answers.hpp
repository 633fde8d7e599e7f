// The file system's answers as libfuse sends them to the kernel.
//
// Every ticket's request is a fuse_req_t. What the kernel may keep is kept until it is told
// otherwise (kernel/forgetting.hpp). Attributes are kept only from an answer to getattr: before
// that the kernel may not have the inode yet, and then cannot be told. File data is never in its
// cache (direct_io; a private mapping still works).
#pragma once

#include <vector>

#include "fusefs/filesystem.hpp"
#include "fusefs/kernel/fuse.hpp"
#include "fusefs/reply.hpp"

namespace zabfs::fusefs::kernel {

class KernelAnswers : public Answers {
 public:
  // An entry that the kernel no longer wants, because it gave up the request, is forgotten there.
  void forget_in(Filesystem& filesystem) { filesystem_ = &filesystem; }

  void refuse(Ticket ticket, int errno_value) override;
  void answer(Ticket ticket, const Done&) override;
  void answer(Ticket ticket, const Attributes& attributes) override;
  void answer(Ticket ticket, const Entry& entry) override;
  void answer(Ticket ticket, const Absence&) override;
  void answer(Ticket ticket, const Opened& opened) override;
  void answer(Ticket ticket, const Created& created) override;
  void answer(Ticket ticket, const Content& content) override;
  void answer(Ticket ticket, const Written& written) override;
  void answer(Ticket ticket, const Listing& listing) override;
  void answer(Ticket ticket, const AttributeText& text) override;
  void answer(Ticket ticket, const Capacity& capacity) override;
  void answer(Ticket ticket, const Readiness& readiness) override;
  void answer(Ticket ticket, const LockFound& found) override;

 private:
  Filesystem* filesystem_{};
  std::vector<char> listing_{};  // of the answer being made
};

}  // namespace zabfs::fusefs::kernel
