#include "fusefs/supervisor/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>

#include "fusefs/supervisor/limits.hpp"

namespace zabfs::fusefs::supervisor {
namespace {

// Everything that is allocated is allocated before the fork.
class Image {
 public:
  Image(const std::vector<std::string>& arguments, std::string setting)
      : arguments_(arguments), setting_(std::move(setting)) {
    for (auto& argument : arguments_) {
      argument_pointers_.push_back(argument.data());
    }
    argument_pointers_.push_back(nullptr);
    for (char** entry = environ; *entry != nullptr; ++entry) {
      if (!std::string_view(*entry).starts_with(std::string(variable) + '=')) {
        environment_.push_back(*entry);
      }
    }
    environment_.push_back(setting_.data());
    environment_.push_back(nullptr);
  }

  [[noreturn]] void execute(int program) {
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execveat(program, "", argument_pointers_.data(), environment_.data(), AT_EMPTY_PATH);
    ::_exit(EXIT_FAILURE);
  }

 private:
  std::vector<std::string> arguments_;
  std::string setting_;
  std::vector<char*> argument_pointers_{};
  std::vector<char*> environment_{};
};

void keep_open(int descriptor) {
  if (descriptor >= 0) {
    ::fcntl(descriptor, F_SETFD, 0);
  }
}

}  // namespace

int open_program(const std::string& path) { return ::open(path.c_str(), O_PATH | O_CLOEXEC); }

pid_t start(int program, const std::vector<std::string>& arguments, const Link& link) {
  Image image(arguments, link.as_variable());
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) {
      ::_exit(EXIT_FAILURE);
    }
    for (const int descriptor : {link.control, link.ledger[0], link.ledger[1], link.device}) {
      keep_open(descriptor);
    }
    image.execute(program);
  }
  return child;
}

std::string why_not(int program) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
    return "There is no pipe to ask the new program through.";
  }
  Image image({"zabfs"}, std::string(variable) + '=' + check);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(pipe[1], STDOUT_FILENO);
    keep_open(program);  // Whatever interprets it if it is a script.
    image.execute(program);
  }
  ::close(pipe[1]);
  std::string answer(check_answer().size() + 1, '\0');
  pollfd said{.fd = pipe[0], .events = POLLIN, .revents = 0};
  ssize_t size = 0;
  if (child > 0 && ::poll(&said, 1, limits::upgrade_check_ms_max) == 1) {
    size = ::read(pipe[0], answer.data(), answer.size());
  }
  ::close(pipe[0]);
  if (child > 0) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  answer.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  if (answer == check_answer()) {
    return {};
  }
  return answer.starts_with("zabfs worker")
             ? "The new program cannot go on with what this one has written down; unmount, and "
               "mount again."
             : "The new program does not start as a worker of zabfs.";
}

}  // namespace zabfs::fusefs::supervisor
