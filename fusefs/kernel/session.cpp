#include "fusefs/kernel/session.hpp"

#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace zabfs::fusefs::kernel {
namespace {

// What libfuse had to say while it was asked to mount; it writes nothing to standard error itself.
std::string& libfuse_said() {
  static std::string text;
  return text;
}

__attribute__((format(printf, 2, 0))) void keep_message(fuse_log_level, const char* format,
                                                        va_list arguments) {
  std::array<char, 512> line{};
  std::vsnprintf(line.data(), line.size(), format, arguments);
  std::string& said = libfuse_said();
  if (said.size() < line.size()) {
    said += line.data();
  }
  while (said.ends_with('\n')) {
    said.pop_back();
  }
}

ssize_t read_device(int device, void* buffer, std::size_t size, void*) {
  return ::read(device, buffer, size);
}

ssize_t write_device(int device, iovec* parts, int count, void* userdata) {
  auto& context = *static_cast<Context*>(userdata);
  if (!context.has_negotiated && count > 1 && parts[1].iov_len >= FUSE_COMPAT_22_INIT_OUT_SIZE) {
    static_cast<fuse_init_out*>(parts[1].iov_base)->flags |= FUSE_PARALLEL_DIROPS;
    context.has_negotiated = true;
  }
  if (std::exchange(context.drops_answer, false)) {
    ssize_t size = 0;
    for (int i = 0; i < count; ++i) {
      size += static_cast<ssize_t>(parts[i].iov_len);
    }
    return size;
  }
  if (context.continuation != nullptr) {
    context.continuation->answering(parts, count);
  }
  return ::writev(device, parts, count);
}

}  // namespace

Session::~Session() {
  if (session_ != nullptr) {
    context_.filesystem.interrupt_all();  // Every reply needs the session.
    context_.filesystem.let_keep(nullptr);
    fuse_session_unmount(session_);
    fuse_session_destroy(session_);
  }
  std::free(buffer_.mem);
}

std::optional<std::string> Session::resume(int device, Continuation& continuation) {
  if (auto problem = attach(device)) {
    return problem;
  }
  const auto& init = continuation.inherited()->beginning.init;
  if (init.empty()) {
    return "The process before has not got as far as serving the mount.";
  }
  replication::Bytes request = init;
  fuse_buf buffer{};
  buffer.size = request.size();
  buffer.mem = request.data();
  context_.drops_answer = true;
  fuse_session_process_buf(session_, &buffer);
  context_.drops_answer = false;
  context_.continuation = &continuation;
  has_begun_ = true;
  // Whatever the kernel was given to keep, this process does not guard it.
  if (context_.memory->forgets_names()) {
    context_.memory->forget_names();
  }
  for (const auto& [number, inode] : continuation.inherited()->inodes) {
    context_.memory->forget_attributes(number);
  }
  context_.memory->forget_attributes(FUSE_ROOT_ID);
  continuation.take_over(device);
  return std::nullopt;
}

bool Session::is_mounted() const {
  pollfd device{
      .fd = session_ == nullptr ? -1 : fuse_session_fd(session_), .events = 0, .revents = 0};
  return device.fd >= 0 && (::poll(&device, 1, 0) != 1 || (device.revents & POLLERR) == 0);
}

std::optional<std::string> Session::start(const std::string& options) {
  fuse_set_log_func(keep_message);
  libfuse_said().clear();
  fuse_args arguments = FUSE_ARGS_INIT(0, nullptr);
  fuse_opt_add_arg(&arguments, "zabfs");
  if (!options.empty()) {
    fuse_opt_add_arg(&arguments, "-o");
    fuse_opt_add_arg(&arguments, options.c_str());
  }
  session_ = fuse_session_new(&arguments, &operations(), sizeof(fuse_lowlevel_ops), &context_);
  fuse_opt_free_args(&arguments);
  if (session_ == nullptr) {
    return "The mount options \"" + options + "\" were refused: " + libfuse_said();
  }
  return std::nullopt;
}

std::optional<std::string> Session::attach(int device) {
  static const fuse_custom_io io{.writev = write_device,
                                 .read = read_device,
                                 .splice_receive = nullptr,
                                 .splice_send = nullptr};
  if (session_ == nullptr) {
    if (auto problem = start("")) {
      return problem;
    }
  }
  ::fcntl(device, F_SETFL, ::fcntl(device, F_GETFL) | O_NONBLOCK);
  context_.device = device;
  if (fuse_session_custom_io(session_, &io, device) != 0) {
    return "The FUSE device cannot be used: " + libfuse_said();
  }
  return std::nullopt;
}

std::optional<std::string> Session::mount(const std::string& mount_point,
                                          const std::string& options) {
  if (auto problem = start(options)) {
    return problem;
  }
  if (fuse_session_mount(session_, mount_point.c_str()) != 0) {
    return "Mounting on " + mount_point + " failed: " + libfuse_said();
  }
  mount_point_ = mount_point;
  return attach(fuse_session_fd(session_));
}

bool Session::is_answered(std::size_t size) {
  if (context_.continuation == nullptr) {
    return false;
  }
  const replication::ByteView request{static_cast<const std::uint8_t*>(buffer_.mem), size};
  if (!std::exchange(has_begun_, true)) {
    context_.continuation->begin(request, mount_point_);
    return false;
  }
  return context_.continuation->receive(device(), request);
}

Session::Served Session::serve(int count) {
  for (int served = 0; served < count; ++served) {
    const int result = fuse_session_receive_buf(session_, &buffer_);
    if (result == -EAGAIN) {
      if (context_.continuation != nullptr) {
        context_.continuation->caught_up();
      }
      return Served::all;
    }
    if (result > 0 && !is_answered(static_cast<std::size_t>(result))) {
      fuse_session_process_buf(session_, &buffer_);
    }
    if (fuse_session_exited(session_) != 0 || (result < 0 && result != -EINTR)) {
      return Served::unmounted;
    }
  }
  return Served::some;
}

}  // namespace zabfs::fusefs::kernel
