#include "fusefs/mount/background.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace zabfs::fusefs::mount {
namespace {

[[noreturn]] void end_as(pid_t child, int word) {
  char byte{};
  while (::read(word, &byte, 1) < 0 && errno == EINTR) {
  }
  if (byte != 0) {
    ::_exit(EXIT_SUCCESS);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

}  // namespace

Background Background::fork() {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
    std::perror("zabfs: no pipe for the background process");
    ::_exit(EXIT_FAILURE);
  }
  const pid_t child = ::fork();
  if (child < 0) {
    std::perror("zabfs: no background process; use -f");
    ::_exit(EXIT_FAILURE);
  }
  if (child > 0) {
    ::close(pipe[1]);
    end_as(child, pipe[0]);
  }
  ::close(pipe[0]);
  ::setsid();
  return Background(pipe[1]);
}

void Background::enter() {
  if (parent_ < 0) {
    return;
  }
  leave_terminal();
  const bool has_told = ::write(parent_, "1", 1) == 1;
  ::close(parent_);
  parent_ = -1;
  if (!has_told) {
    ::_exit(EXIT_FAILURE);
  }
}

void leave_terminal() {
  const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    ::dup2(nowhere, stream);
  }
  ::close(nowhere);
  if (::chdir("/") != 0) {
    ::_exit(EXIT_FAILURE);
  }
}

}  // namespace zabfs::fusefs::mount
