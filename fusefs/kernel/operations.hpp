// libfuse's table of operations: unpack, call the file system, which replies.
//
// An operation that has no answer when its call returns is interruptible from then on: a signal to
// the process that waits makes it answer EINTR.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>

#include "fusefs/filesystem.hpp"
#include "fusefs/kernel/answers.hpp"
#include "fusefs/kernel/continuation.hpp"
#include "fusefs/kernel/forgetting.hpp"
#include "fusefs/kernel/fuse.hpp"
#include "fusefs/notify/stage.hpp"

namespace zabfs::fusefs::kernel {

// What libfuse carries as userdata.
struct Context {
  Filesystem& filesystem;
  KernelAnswers& answers;
  bool has_negotiated{};  // the answer to INIT has been sent
  bool drops_answer{};    // the next answer is one that the kernel has already
  int device{-1};
  std::optional<Forgetting> memory{};  // of the kernel, once it has said which protocol it speaks
  Continuation* continuation{};        // where this process may have a successor
  // The process that makes changes of others once more, and what answers it; 0 if there is none.
  pid_t replayer{};
  notify::Stage* stage{};
  // Told of the processes that look something up or at, as one does that begins to watch it.
  std::function<void(pid_t)> on_look{};
};

const fuse_lowlevel_ops& operations();

}  // namespace zabfs::fusefs::kernel
