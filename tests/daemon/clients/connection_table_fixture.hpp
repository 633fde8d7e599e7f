// A table of connections with real clients on loopback, in front of a receiver that answers every
// frame with itself.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/clients/connection_table.hpp"
#include "daemon/sockets/acceptor.hpp"
#include "replication/protocol/frame.hpp"
#include "tests/daemon/clients/loopback_client.hpp"

namespace zabfs::daemon::clients {

using replication::Bytes;
using replication::bytes_of;
using replication::ByteView;
using replication::ConnectionId;
using replication::text_of;
using test::LoopbackClient;
using test::run_until;
namespace limits = replication::limits;

class FakeClock : public replication::Clock {
 public:
  std::int64_t monotonic_ms() const override { return now_ms; }
  std::int64_t wall_ms() const override { return now_ms; }

  std::int64_t now_ms{1000};
};

inline Bytes frame(std::string_view payload) {
  Bytes out;
  const replication::protocol::FrameWriter writer(out);
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

// More than the kernel takes of it, several times over.
inline constexpr std::size_t flood_bytes = limits::outbox_bytes_high + 1;

inline constexpr std::size_t million = 1'000'000;

// Small requests that one connection may make in one turn.
inline constexpr std::size_t requests_per_turn =
    static_cast<std::size_t>(limits::turn_share_max / limits::turn_request_cost);

// Answers every frame with itself, unless its first word is an order.
class Echo : public ClientEvents {
 public:
  void on_connected(ConnectionId id, std::string address, const X509* /*certificate*/) override {
    alive.insert(id);
    addresses.push_back(std::move(address));
  }
  void on_refused(const std::string& /*address*/, const std::string& why) override {
    refused.push_back(why);
  }
  void on_frame(ConnectionId id, ByteView payload) override {
    frames.emplace_back(text_of(payload));
    if (frames.back() == "close") {
      alive.erase(id);
      append(id, "farewell");
      links->close(id);
    } else if (frames.back() == "million") {
      append(id, std::string(million, 'm'));
    } else if (frames.back() == "flood") {
      append(id, std::string(flood_bytes, 'f'));
    } else {
      append(id, frames.back());
    }
  }
  void on_disconnected(ConnectionId id) override { lost += alive.erase(id); }
  bool may_read(ConnectionId /*id*/, std::size_t bytes) const override {
    return accepts_frames && bytes <= largest_accepted;
  }
  std::optional<std::string> answer_to(std::string_view beginning) override {
    return beginning.starts_with("ruok") ? std::optional<std::string>("imok") : std::nullopt;
  }
  void on_turn_end() override { ++turns; }

  void append(ConnectionId id, std::string_view payload) {
    auto& out = links->outbox(id);
    const replication::protocol::FrameWriter writer(out);
    out.insert(out.end(), payload.begin(), payload.end());
  }

  replication::ClientLinks* links{};
  std::set<ConnectionId> alive;
  std::vector<std::string> addresses;
  std::vector<std::string> frames;
  std::vector<std::string> refused;
  std::size_t lost{};
  std::size_t turns{};
  bool accepts_frames{true};
  std::size_t largest_accepted{limits::client_frame_bytes_max};
};

class ConnectionTableTest : public testing::Test {
 protected:
  explicit ConnectionTableTest(ConnectionBounds bounds = {.per_address_max = 10})
      : table_(context_, bounds, clock_, metrics_, echo_),
        listener_(context_, {}, [this](auto socket) { table_.add(std::move(socket)); }) {
    echo_.links = &table_;
    EXPECT_EQ(listener_.listen("127.0.0.1", 0, 10), std::nullopt);
    listener_.start();
  }

  LoopbackClient connect() { return {context_, listener_.port()}; }

  bool until(const std::function<bool()>& condition) { return run_until(context_, condition); }

  // Lets everything happen that can happen now.
  void settle() {
    while (context_.poll() > 0) {
    }
  }

  boost::asio::io_context context_;
  FakeClock clock_;
  replication::Metrics metrics_;
  Echo echo_;
  ConnectionTable table_;
  sockets::Acceptor listener_;
};

}  // namespace zabfs::daemon::clients
