#include "tests/benchmark/load.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>

#include "replication/protocol/codec.hpp"
#include "replication/protocol/frame.hpp"
#include "replication/protocol/handshake.hpp"
#include "tests/benchmark/echo.hpp"

namespace zabfs::benchmark {
namespace {

namespace protocol = replication::protocol;
using Clock = std::chrono::steady_clock;

constexpr std::size_t frame_bytes_max = 64UL << 20;

// Requests in flight of one session, and when each left.
struct Lane {
  std::unique_ptr<Session> session{};
  std::deque<Clock::time_point> sent{};
};

}  // namespace

Session::Session(std::uint16_t port, std::int32_t timeout_ms) : descriptor_(connect_to(port)) {
  append_frame(output_, protocol::ConnectRequest{.timeout_ms = timeout_ms,
                                                 .password = replication::Bytes(16)});
  flush();
  std::array<std::uint8_t, 64> answer{};
  const auto got = recv(descriptor_, answer.data(), 41, MSG_WAITALL);
  if (got != 41) {
    throw std::runtime_error("the server refused a session");
  }
  fcntl(descriptor_, F_SETFL, O_NONBLOCK);
}

Session::~Session() { close(descriptor_); }

void Session::submit(const protocol::Request& request) {
  protocol::append_request(output_, next_xid_++, request);
}

void Session::flush() {
  std::size_t sent = 0;
  while (sent < output_.size()) {
    const auto count =
        send(descriptor_, output_.data() + sent, output_.size() - sent, MSG_NOSIGNAL);
    if (count > 0) {
      sent += static_cast<std::size_t>(count);
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) {
      throw std::runtime_error("the server closed the connection");
    }
    pollfd wait{.fd = descriptor_, .events = POLLOUT, .revents = 0};
    poll(&wait, 1, 1000);
  }
  output_.clear();
}

void Session::receive(const OnReply& on_reply, const OnNotice& on_notice) {
  std::array<std::uint8_t, 65536> chunk;  // NOLINT: filled by recv
  const auto count = recv(descriptor_, chunk.data(), chunk.size(), 0);
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) {
    throw std::runtime_error("the server closed the connection");
  }
  if (count < 0) {
    return;
  }
  input_.insert(input_.end(), chunk.begin(), chunk.begin() + count);
  std::size_t consumed = 0;
  for (;;) {
    const auto split =
        protocol::split_frame(replication::ByteView(input_).subspan(consumed), frame_bytes_max);
    if (split.state != protocol::FrameSplit::State::whole) {
      break;
    }
    consumed += split.consumed;
    const auto reply = protocol::split_reply(split.payload);
    if (reply && reply->header.xid > 0) {
      on_reply(reply->header.error, reply->body);
    } else if (reply && reply->header.xid == protocol::xid::notification && on_notice) {
      on_notice();
    }
  }
  input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(consumed));
}

LoadResult run_load(const LoadOptions& options, double seconds, const NextRequest& next,
                    const OnAnswer& on_answer) {
  const int poller = epoll_create1(EPOLL_CLOEXEC);
  std::vector<Lane> lanes(static_cast<std::size_t>(options.sessions));
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    lanes[i].session = std::make_unique<Session>(options.ports.at(i % options.ports.size()));
    epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
    epoll_ctl(poller, EPOLL_CTL_ADD, lanes[i].session->descriptor(), &event);
  }
  LoadResult result;
  std::vector<float> latencies;
  const auto start = Clock::now();
  const auto end = start + std::chrono::duration<double>(seconds);
  bool draining = false;
  const auto fill = [&](std::size_t i) {
    Lane& lane = lanes[i];
    while (!draining && lane.sent.size() < static_cast<std::size_t>(options.window)) {
      const auto request = next(static_cast<int>(i));
      if (!request) {
        break;
      }
      lane.session->submit(*request);
      lane.sent.push_back(Clock::now());
    }
    lane.session->flush();
  };
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    fill(i);
  }
  const auto in_flight = [&lanes] {
    return std::ranges::any_of(lanes, [](const Lane& lane) { return !lane.sent.empty(); });
  };
  while (!draining || in_flight()) {
    std::array<epoll_event, 128> events{};
    const int ready = epoll_wait(poller, events.data(), static_cast<int>(events.size()), 1000);
    const auto now = Clock::now();
    draining = draining || now >= end;
    const auto tenth = static_cast<std::size_t>((now - start) / std::chrono::milliseconds(100));
    result.each_tenth.resize(std::max(result.each_tenth.size(), tenth + 1));
    for (int e = 0; e < ready; ++e) {
      const std::size_t i = events[static_cast<std::size_t>(e)].data.u64;
      lanes[i].session->receive([&](std::int32_t error, replication::ByteView body) {
        latencies.push_back(
            std::chrono::duration<float, std::micro>(now - lanes[i].sent.front()).count());
        lanes[i].sent.pop_front();
        ++result.operations;
        ++result.each_tenth.back();
        result.errors += error != 0 ? 1 : 0;
        if (on_answer) {
          on_answer(static_cast<int>(i), body);
        }
      });
      fill(i);
    }
    draining = draining || !in_flight();
  }
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  close(poller);
  result.latency_us = distribution_of(std::move(latencies));
  return result;
}

}  // namespace zabfs::benchmark
