// Many sessions that do nothing, and then all watch one znode.
//
//   sessions PORT COUNT ROUNDS
//
// Opens COUNT sessions, prints "open" and waits for a line on standard input; sets a watch of one
// znode in each, prints "watching" and waits again; then writes that znode ROUNDS times, the
// watches set again after each, and prints one line of JSON: the milliseconds from the write to the
// first and to the last notification.
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/benchmark/load.hpp"

namespace zabfs::benchmark {
namespace {

using Clock = std::chrono::steady_clock;
namespace protocol = replication::protocol;

constexpr std::int32_t session_timeout_ms = 600'000;  // no session is to expire while it is idle
constexpr int patience_ms = 60'000;
constexpr const char* watched = "/watched";

float ms_since(Clock::time_point begin) {
  return std::chrono::duration<float, std::milli>(Clock::now() - begin).count();
}

class Crowd {
 public:
  Crowd(std::uint16_t port, std::size_t count) : writer_(port, session_timeout_ms) {
    sessions_.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      sessions_.push_back(std::make_unique<Session>(port, session_timeout_ms));
      epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
      epoll_ctl(poller_, EPOLL_CTL_ADD, sessions_.back()->descriptor(), &event);
    }
    ask_writer(protocol::CreateRequest{
        .path = watched, .data = replication::Bytes{}, .acl = replication::open_acl()});
  }

  ~Crowd() { close(poller_); }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  void watch() {
    replies_ = 0;
    for (const auto& session : sessions_) {
      session->submit(protocol::GetDataRequest{.path = watched, .watch = true});
      session->flush();
    }
    while (replies_ < sessions_.size()) {
      hear();
    }
  }

  // The milliseconds until the first notification, and until the last.
  std::pair<float, float> write() {
    notices_ = 0;
    float first_ms = 0;
    const auto begin = Clock::now();
    writer_.submit(protocol::SetDataRequest{.path = watched, .data = replication::Bytes{}});
    writer_.flush();
    while (notices_ < sessions_.size()) {
      hear();
      first_ms = first_ms == 0 && notices_ > 0 ? ms_since(begin) : first_ms;
    }
    return {first_ms, ms_since(begin)};
  }

 private:
  void ask_writer(const protocol::Request& request) {
    bool is_answered = false;
    writer_.submit(request);
    writer_.flush();
    while (!is_answered) {
      writer_.receive([&](std::int32_t, replication::ByteView) { is_answered = true; });
    }
  }

  void hear() {
    std::array<epoll_event, 1024> events{};
    const int ready =
        epoll_wait(poller_, events.data(), static_cast<int>(events.size()), patience_ms);
    if (ready <= 0) {
      throw std::runtime_error("the server says nothing");
    }
    for (int i = 0; i < ready; ++i) {
      sessions_[events[static_cast<std::size_t>(i)].data.u64]->receive(
          [this](std::int32_t, replication::ByteView) { ++replies_; }, [this] { ++notices_; });
    }
  }

  int poller_{epoll_create1(EPOLL_CLOEXEC)};
  Session writer_;
  std::vector<std::unique_ptr<Session>> sessions_{};
  std::size_t replies_{};
  std::size_t notices_{};
};

void say_and_wait(const char* what) {
  std::cout << what << std::endl;
  std::string line;
  std::getline(std::cin, line);
}

void print(const char* name, const std::vector<float>& times_ms, const char* end) {
  std::printf("\"%s\": [", name);
  for (std::size_t i = 0; i < times_ms.size(); ++i) {
    std::printf("%s%.2f", i == 0 ? "" : ", ", times_ms[i]);
  }
  std::printf("]%s", end);
}

int run(std::uint16_t port, std::size_t count, int rounds) {
  Crowd crowd(port, count);
  say_and_wait("open");
  crowd.watch();
  say_and_wait("watching");
  std::vector<float> first;
  std::vector<float> last;
  for (int round = 0; round < rounds; ++round) {
    const auto [first_ms, last_ms] = crowd.write();
    first.push_back(first_ms);
    last.push_back(last_ms);
    crowd.watch();
  }
  std::printf("{");
  print("first_ms", first, ", ");
  print("last_ms", last, "}\n");
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace zabfs::benchmark

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: sessions PORT COUNT ROUNDS\n";
    return EXIT_FAILURE;
  }
  try {
    return zabfs::benchmark::run(static_cast<std::uint16_t>(std::stoi(argv[1])),
                                 std::stoul(argv[2]), std::stoi(argv[3]));
  } catch (const std::exception& error) {
    std::cerr << "sessions: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
