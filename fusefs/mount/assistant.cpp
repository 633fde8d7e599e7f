#include "fusefs/mount/assistant.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "fusefs/limits.hpp"

namespace zabfs::fusefs::mount {
namespace {

using limits::assistant_message_bytes_max;

[[noreturn]] void serve(int socket, const Duty& duty) {
  std::string order(assistant_message_bytes_max, '\0');
  const Answering answer = [socket](std::string_view text) {
    if (::send(socket, text.data(), text.size(), MSG_NOSIGNAL) < 0) {
      ::_exit(EXIT_SUCCESS);  // The mount has ended.
    }
  };
  while (true) {
    const ssize_t size = ::recv(socket, order.data(), order.size(), 0);
    if (size > 0) {
      duty(std::string_view(order).substr(0, static_cast<std::size_t>(size)), answer);
    } else if (size == 0 || errno != EINTR) {
      ::_exit(EXIT_SUCCESS);
    }
  }
}

// A mount of which this process had the device could not end while it waits for the mount.
void keep_only(int socket) {
  const auto kept = static_cast<unsigned>(socket);
  ::close_range(STDERR_FILENO + 1, kept - 1, 0);
  ::close_range(kept + 1, ~0U, 0);
}

// Nothing of the mount's may live longer because the assistant has it too.
void let_go_of_terminal() {
  const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    ::dup2(nowhere, stream);
  }
  ::close(nowhere);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    ::signal(signal, SIG_IGN);  // It ends when the mount does.
  }
  if (::chdir("/") != 0) {
    ::_exit(EXIT_FAILURE);
  }
}

}  // namespace

std::unique_ptr<Assistant> Assistant::fork(const char* name, const Duty& duty) {
  std::array<int, 2> sockets{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
    return nullptr;
  }
  const pid_t child = ::fork();
  if (child == 0) {
    keep_only(sockets[1]);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    let_go_of_terminal();
    ::prctl(PR_SET_NAME, name);
    serve(sockets[1], duty);
  }
  ::close(sockets[1]);
  if (child < 0) {
    ::close(sockets[0]);
    return nullptr;
  }
  ::fcntl(sockets[0], F_SETFL, O_NONBLOCK);
  return std::unique_ptr<Assistant>(new Assistant(child, sockets[0]));
}

Assistant::~Assistant() {
  if (!descriptor_) {
    ::close(socket_);
  }
}

void Assistant::listen(boost::asio::io_context& io,
                       std::function<void(std::string_view)> on_answer) {
  on_answer_ = std::move(on_answer);
  buffer_.resize(assistant_message_bytes_max);
  descriptor_.emplace(io, socket_);
  await_answer();
}

void Assistant::await_answer() {
  descriptor_->async_read_some(boost::asio::buffer(buffer_),
                               [this](const boost::system::error_code& error, std::size_t size) {
                                 if (error == boost::asio::error::operation_aborted) {
                                   return;
                                 }
                                 on_answer_(std::string_view(buffer_).substr(0, error ? 0 : size));
                                 if (!error) {
                                   await_answer();
                                 }
                               });
}

bool Assistant::order(std::string_view text) {
  return text.size() <= assistant_message_bytes_max &&
         ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) ==
             static_cast<ssize_t>(text.size());
}

}  // namespace zabfs::fusefs::mount
