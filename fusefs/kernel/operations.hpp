// libfuse's table of operations: unpack, call the file system, which replies.
//
// An operation that has no answer when its call returns is interruptible from then on: a signal to
// the process that waits makes it answer EINTR.
#pragma once

#include "fusefs/filesystem.hpp"
#include "fusefs/kernel/answers.hpp"
#include "fusefs/kernel/fuse.hpp"

namespace zabfs::fusefs::kernel {

// What libfuse carries as userdata.
struct Context {
  Filesystem& filesystem;
  KernelAnswers& answers;
  bool has_negotiated{};  // the answer to INIT has been sent
};

const fuse_lowlevel_ops& operations();

}  // namespace zabfs::fusefs::kernel
