// The end of the process after an I/O error: one sentence for the operator, then no further step.
//
// Nothing is retried. After a failed fsync the kernel may have dropped the dirty pages and say
// "done" the next time (PostgreSQL's fsync surprise of 2018), so the only honest state is the one
// that a restart reads back from the disk.
#pragma once

#include <string>

namespace zabfs::daemon::disk {

struct IoError {
  std::string file{};       // its path
  std::string operation{};  // what could not be done, as in "cannot <operation> <file>"
  int error{};              // errno
};

// The sentence: file, operation, reason, and what to do.
std::string sentence(const IoError& error);

// Prints the sentence to stderr and ends the process with status 1, without running destructors:
// another thread may be in the middle of anything.
[[noreturn]] void end_process(const IoError& error);

}  // namespace zabfs::daemon::disk
