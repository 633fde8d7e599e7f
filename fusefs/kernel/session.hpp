// A mount: the file system's connection with the kernel, from mount to unmount.
//
// libfuse mounts (directly for root, through fusermount3 for everybody else) and speaks the
// protocol; this class owns its session and lends it two functions for reading and writing the
// device. The writing one amends the very first answer, to INIT: the version of libfuse that Debian
// 12 has cannot ask for parallel lookups, without which one slow lookup holds up its whole
// directory.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "fusefs/filesystem.hpp"
#include "fusefs/kernel/answers.hpp"
#include "fusefs/kernel/fuse.hpp"
#include "fusefs/kernel/operations.hpp"

namespace zabfs::fusefs::kernel {

class Session {
 public:
  Session(Filesystem& filesystem, KernelAnswers& answers)
      : context_{.filesystem = filesystem, .answers = answers} {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  // Unmounts, if it is still mounted.
  ~Session();

  // Mounts on `mount_point` with `options`, separated by commas as in fstab. Nothing is answered
  // before somebody reads device(). The sentence says why it did not work, if it did not.
  std::optional<std::string> mount(const std::string& mount_point, const std::string& options);

  // From now on `continuation` hears of every request and answer. Before anything is served.
  void keep_with(Continuation& continuation) { context_.continuation = &continuation; }

  // Takes the place of mount for the successor of a process that had: `device` is the kernel's, and
  // `continuation` has inherited. The kernel repeats what was not answered.
  std::optional<std::string> resume(int device, Continuation& continuation);

  // False once the kernel has ended the connection: there is nothing left to unmount.
  bool is_mounted() const;

  // The process `replayer` is answered by `stage` from now on, and `on_look` is told of all others
  // that look something up or at.
  void let_watch(pid_t replayer, notify::Stage& stage, std::function<void(pid_t)> on_look) {
    context_.replayer = replayer;
    context_.stage = &stage;
    context_.on_look = std::move(on_look);
  }

  // Takes the place of mount where the other end of `device` only plays the kernel, in tests.
  std::optional<std::string> attach(int device);

  int device() const { return fuse_session_fd(session_); }

  // Answers at most `count` requests that the kernel has sent.
  enum class Served { some, all, unmounted };
  Served serve(int count);

 private:
  std::optional<std::string> start(const std::string& options);
  bool is_answered(std::size_t size);

  std::string mount_point_{};
  bool has_begun_{};  // the kernel's first request has come
  Context context_;
  fuse_session* session_{};
  fuse_buf buffer_{};
};

}  // namespace zabfs::fusefs::kernel
