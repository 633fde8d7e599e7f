#include "fusefs/supervisor/supervisor.hpp"

#include <poll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "fusefs/supervisor/child.hpp"
#include "fusefs/supervisor/door.hpp"
#include "fusefs/supervisor/limits.hpp"

namespace zabfs::fusefs::supervisor {
namespace {

std::int64_t now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  constexpr std::int64_t ms_per_s = 1000;
  constexpr std::int64_t ns_per_ms = 1'000'000;
  return now.tv_sec * ms_per_s + now.tv_nsec / ns_per_ms;
}

// Where this program lies on the disk; of one that was replaced, where it lay.
std::string own_path() {
  std::string path(limits::supervisor_message_bytes_max, '\0');
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  path.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  constexpr std::string_view replaced = " (deleted)";
  if (path.ends_with(replaced)) {
    path.resize(path.size() - replaced.size());
  }
  return path;
}

std::string end_of(int status) {
  return WIFSIGNALED(status) ? "was ended by signal " + std::to_string(WTERMSIG(status))
                             : "ended with status " + std::to_string(WEXITSTATUS(status));
}

void close_if_open(int& descriptor) {
  if (descriptor >= 0) {
    ::close(std::exchange(descriptor, -1));
  }
}

}  // namespace

Supervisor::~Supervisor() {
  for (int* descriptor : {&program_, &candidate_, &wish_, &signals_, &listening_, &control_,
                          link_.ledger.data(), link_.ledger.data() + 1, &link_.device}) {
    close_if_open(*descriptor);
  }
}

bool Supervisor::prepare() {
  program_path_ = own_path();
  program_ = open_program("/proc/self/exe");
  for (int& memory : link_.ledger) {
    memory = ::memfd_create("zabfs-ledger", MFD_CLOEXEC);
  }
  sigset_t heard;
  ::sigemptyset(&heard);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR2}) {
    ::sigaddset(&heard, signal);
  }
  ::sigprocmask(SIG_BLOCK, &heard, nullptr);
  signals_ = ::signalfd(-1, &heard, SFD_CLOEXEC | SFD_NONBLOCK);
  return program_ >= 0 && link_.ledger[0] >= 0 && link_.ledger[1] >= 0 && signals_ >= 0;
}

int Supervisor::run() {
  if (!prepare()) {
    plan_.say("The system has no memory file, or no descriptor, for the supervisor of the mount.");
    return EXIT_FAILURE;
  }
  start_worker();
  while (!is_over_) {
    wait();
  }
  return status_;
}

void Supervisor::start_worker() {
  std::array<int, 2> sockets{};
  due_ms_ = 0;
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
    return restart_later();
  }
  close_if_open(control_);
  control_ = sockets[0];
  link_.control = sockets[1];
  started_ms_ = now_ms();
  worker_is_candidate_ = candidate_ >= 0;
  worker_ = start(worker_is_candidate_ ? candidate_ : program_, plan_.arguments, link_);
  ::close(sockets[1]);
  if (worker_ < 0) {
    restart_later();
  } else if (is_upgrading_) {
    due_ms_ = now_ms() + limits::upgrade_ms_max;
  }
}

std::int64_t Supervisor::ms_until_due() const {
  return due_ms_ == 0 ? -1 : std::max<std::int64_t>(due_ms_ - now_ms(), 0);
}

void Supervisor::wait() {
  std::array<pollfd, 3> what{pollfd{.fd = signals_, .events = POLLIN, .revents = 0},
                             pollfd{.fd = control_, .events = POLLIN, .revents = 0},
                             pollfd{.fd = listening_, .events = POLLIN, .revents = 0}};
  ::poll(what.data(), what.size(), static_cast<int>(ms_until_due()));
  // What a worker has said comes before its end.
  if (what[1].revents != 0) {
    heard();
  }
  if (what[0].revents != 0) {
    signalled();
  }
  if (!is_over_ && what[2].revents != 0) {
    if (const int wish = accept_wish(listening_); wish >= 0) {
      begin_upgrade(wish);
    }
  }
  if (!is_over_ && due_ms_ != 0 && now_ms() >= due_ms_) {
    if (worker_ < 0) {
      start_worker();
    } else {
      due_ms_ = 0;
      ::kill(worker_, SIGKILL);
    }
  }
}

void Supervisor::heard() {
  Told told = receive(control_);
  switch (told.what) {
    case Told::What::nothing:
      close_if_open(control_);
      break;
    case Told::What::mounted:
      close_if_open(link_.device);
      link_.device = told.device;
      if (const auto device = device_of_mount(plan_.mount_point)) {
        listening_ = listen_for(*device);
      }
      break;
    case Told::What::begun:
      link_.init = std::move(told.init);
      break;
    case Told::What::serving:
      if (!std::exchange(has_served_, true)) {
        plan_.on_serving();
      }
      if (is_upgrading_ && worker_is_candidate_) {
        std::swap(program_, candidate_);
        close_if_open(candidate_);
        due_ms_ = 0;
        finish_upgrade("");
      }
      break;
  }
}

void Supervisor::signalled() {
  signalfd_siginfo signal{};
  while (::read(signals_, &signal, sizeof(signal)) == sizeof(signal)) {
    switch (signal.ssi_signo) {
      case SIGCHLD:
        break;
      case SIGUSR2:
        begin_upgrade(-1);
        break;
      default:
        is_ending_ = true;
        if (worker_ > 0) {
          ::kill(worker_, SIGTERM);
          due_ms_ = now_ms() + limits::end_ms_max;
        } else {
          plan_.unmount();
          is_over_ = true;
        }
    }
  }
  int status = 0;
  if (worker_ > 0 && ::waitpid(worker_, &status, WNOHANG) == worker_) {
    worker_ended(status);
  }
}

void Supervisor::worker_ended(int status) {
  while (control_ >= 0) {
    pollfd left{.fd = control_, .events = POLLIN, .revents = 0};
    if (::poll(&left, 1, 0) != 1) {
      break;
    }
    heard();
  }
  worker_ = -1;
  due_ms_ = 0;
  const bool has_exited = WIFEXITED(status);
  const bool is_end = has_exited && WEXITSTATUS(status) == EXIT_SUCCESS;
  const bool was_mounted = link_.device >= 0 && !link_.init.empty();
  if (is_end || is_ending_ || !was_mounted) {
    if (!is_end && link_.device >= 0) {
      plan_.unmount();
    }
    status_ = has_exited ? WEXITSTATUS(status) : EXIT_FAILURE;
    is_over_ = true;
    return;
  }
  const bool has_handed_over = has_exited && WEXITSTATUS(status) == handed_over;
  if (is_upgrading_ && worker_is_candidate_) {
    close_if_open(candidate_);
    finish_upgrade("The new program " + end_of(status) +
                   " before it served; the one before goes on.");
    return start_worker();
  }
  if (has_handed_over || is_upgrading_) {
    return start_worker();
  }
  plan_.say("The worker of " + plan_.mount_point + " " + end_of(status) + "; starting another.");
  restart_later();
}

void Supervisor::restart_later() {
  const bool has_proven = now_ms() - started_ms_ >= limits::restart_proven_ms;
  deaths_in_a_row_ = has_proven ? 0 : deaths_in_a_row_ + 1;
  if (deaths_in_a_row_ == 0) {
    return start_worker();
  }
  if (deaths_in_a_row_ > limits::restarts_in_a_row_max) {
    plan_.say("The worker of " + plan_.mount_point +
              " cannot be started any more. The mount answers ENOTCONN until it is unmounted: "
              "fusermount3 -u " +
              plan_.mount_point);
    status_ = EXIT_FAILURE;
    is_over_ = true;
    return;
  }
  std::int64_t pause = limits::restart_pause_ms_min;
  for (int i = 1; i < deaths_in_a_row_; ++i) {
    pause = std::min<std::int64_t>(2 * pause, limits::restart_pause_ms_max);
  }
  due_ms_ = now_ms() + pause;
}

void Supervisor::begin_upgrade(int wish) {
  if (is_upgrading_ || link_.init.empty()) {
    if (wish >= 0) {
      answer_wish(wish, "Another upgrade is under way, or the mount is not there yet.");
    }
    return;
  }
  is_upgrading_ = true;
  wish_ = wish;
  candidate_ = open_program(program_path_);
  std::string problem = candidate_ < 0 ? program_path_ + " cannot be opened." : why_not(candidate_);
  if (!problem.empty()) {
    close_if_open(candidate_);
    return finish_upgrade(problem);
  }
  worker_is_candidate_ = false;
  if (worker_ > 0) {
    ::kill(worker_, SIGUSR2);
    due_ms_ = now_ms() + 2 * limits::handover_ms_max;
  }
}

void Supervisor::finish_upgrade(const std::string& problem) {
  is_upgrading_ = false;
  plan_.say("Upgrade of " + plan_.mount_point + ": " +
            (problem.empty() ? "the new program serves." : problem));
  if (wish_ >= 0) {
    answer_wish(std::exchange(wish_, -1), problem);
  }
}

}  // namespace zabfs::fusefs::supervisor
