// How long a server makes a reader wait while others write: one read every half millisecond for
// SECONDS, whether or not those before it have been answered, printed as one line of JSON.
//
//   pauses PORT SECONDS
//
// A read's time is counted from the moment it was due, so a pause counts for everybody whom it
// would have hit. Beside each read goes a message to a thread of this program that sends it back:
// the same machine and the same scheduler without a server, and so what cannot be held against one.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <iostream>
#include <vector>

#include "tests/benchmark/distribution.hpp"
#include "tests/benchmark/echo.hpp"
#include "tests/benchmark/load.hpp"

namespace zabfs::benchmark {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto interval = std::chrono::microseconds(500);
constexpr float long_pause_us = 5'000;
constexpr std::size_t message_bytes = 64;

// The reads, or the messages: when those that are unanswered were due, and how long others took.
class Lane {
 public:
  void sent(Clock::time_point due) { due_.push_back(due); }

  void answered() {
    const std::chrono::duration<float, std::micro> time = Clock::now() - due_.front();
    due_.pop_front();
    times_us_.push_back(time.count());
    long_ += time.count() > long_pause_us ? 1 : 0;
  }

  bool has_unanswered() const { return !due_.empty(); }

  void print(const char* name) const {
    const Distribution times = distribution_of(times_us_);
    std::printf(
        "\"%s\": {\"count\": %zu, \"median_us\": %.0f, \"p99_us\": %.0f, \"p999_us\": %.0f, "
        "\"max_us\": %.0f, \"over_5_ms\": %d}",
        name, times_us_.size(), times.median, times.p99, times.p999, times.max, long_);
  }

 private:
  std::deque<Clock::time_point> due_{};
  std::vector<float> times_us_{};
  int long_{};
};

class Prober {
 public:
  explicit Prober(std::uint16_t port) : session_(port), echo_connection_(connect_to(echo_.port())) {
    watch(timer_);
    watch(session_.descriptor());
    watch(echo_connection_);
  }

  ~Prober() {
    close(poller_);
    close(timer_);
    close(echo_connection_);
  }

  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  void run(Clock::duration duration) {
    const timespec every{.tv_sec = 0, .tv_nsec = std::chrono::nanoseconds(interval).count()};
    const itimerspec ticks{.it_interval = every, .it_value = every};
    timerfd_settime(timer_, 0, &ticks, nullptr);
    due_ = Clock::now();
    end_ = due_ + duration;
    while (due_ < end_ || reads_.has_unanswered() || messages_.has_unanswered()) {
      std::array<epoll_event, 4> events{};
      const int ready = epoll_wait(poller_, events.data(), events.size(), -1);
      for (int i = 0; i < ready; ++i) {
        serve(events[static_cast<std::size_t>(i)].data.fd);
      }
    }
  }

  void print() const {
    std::printf("{");
    reads_.print("reads");
    std::printf(", ");
    messages_.print("bare");
    std::printf("}\n");
  }

 private:
  void watch(int descriptor) const {
    epoll_event event{.events = EPOLLIN, .data = {.fd = descriptor}};
    epoll_ctl(poller_, EPOLL_CTL_ADD, descriptor, &event);
  }

  void serve(int descriptor) {
    if (descriptor == timer_) {
      std::uint64_t ticks = 0;
      if (read(timer_, &ticks, sizeof ticks) == sizeof ticks) {
        ask(ticks);
      }
    } else if (descriptor == echo_connection_) {
      take_echo();
    } else {
      session_.receive([this](std::int32_t error, replication::ByteView /*body*/) {
        if (error != 0) {
          throw std::runtime_error("the server answered error " + std::to_string(error));
        }
        reads_.answered();
      });
    }
  }

  // Sends what `ticks` of the timer make due.
  void ask(std::uint64_t ticks) {
    for (; ticks > 0 && due_ < end_; --ticks) {
      due_ += interval;
      session_.submit(replication::protocol::GetDataRequest{.path = "/"});
      reads_.sent(due_);
      const std::array<char, message_bytes> message{};
      if (send(echo_connection_, message.data(), message.size(), MSG_NOSIGNAL) < 0) {
        throw std::runtime_error("the echo has ended");
      }
      messages_.sent(due_);
    }
    session_.flush();
  }

  void take_echo() {
    std::array<char, 64 * message_bytes> buffer;  // NOLINT: filled by recv
    const auto got = recv(echo_connection_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    for (echoed_ += got > 0 ? static_cast<std::size_t>(got) : 0; echoed_ >= message_bytes;
         echoed_ -= message_bytes) {
      messages_.answered();
    }
  }

  Session session_;
  EchoServer echo_{};
  int echo_connection_;
  int timer_{timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)};
  int poller_{epoll_create1(EPOLL_CLOEXEC)};
  Clock::time_point due_{};  // the last read that was sent
  Clock::time_point end_{};
  Lane reads_{};
  Lane messages_{};
  std::size_t echoed_{};  // bytes of a message that is not whole yet
};

}  // namespace
}  // namespace zabfs::benchmark

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: pauses PORT SECONDS\n";
    return 2;
  }
  try {
    zabfs::benchmark::Prober prober(static_cast<std::uint16_t>(std::atoi(argv[1])));
    prober.run(std::chrono::seconds(std::atoi(argv[2])));
    prober.print();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "pauses: " << error.what() << '\n';
    return 1;
  }
}
