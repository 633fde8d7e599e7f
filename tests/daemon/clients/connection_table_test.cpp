#include "daemon/clients/connection_table.hpp"

#include <gtest/gtest.h>

#include "daemon/sockets/acceptor.hpp"
#include "replication/protocol/frame.hpp"
#include "tests/daemon/clients/loopback_client.hpp"

namespace zabfs::daemon::clients {
namespace {

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

Bytes frame(std::string_view payload) {
  Bytes out;
  const replication::protocol::FrameWriter writer(out);
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

// Answers every frame with itself, unless its first word is an order.
class Echo : public ClientEvents {
 public:
  void on_connected(ConnectionId id, std::string address, const X509* /*certificate*/) override {
    alive.insert(id);
    addresses.push_back(std::move(address));
  }
  void on_insecure(const std::string& /*address*/, const std::string& why) override {
    insecure.push_back(why);
  }
  void on_frame(ConnectionId id, ByteView payload) override {
    frames.emplace_back(text_of(payload));
    if (frames.back() == "close") {
      alive.erase(id);
      append(id, "farewell");
      links->close(id);
    } else if (frames.back() == "flood") {
      append(id, std::string(limits::outbox_bytes_high + 1, 'f'));
    } else {
      append(id, frames.back());
    }
  }
  void on_disconnected(ConnectionId id) override { lost += alive.erase(id); }
  bool may_read(ConnectionId /*id*/) const override { return accepts_frames; }
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
  std::vector<std::string> insecure;
  std::size_t lost{};
  std::size_t turns{};
  bool accepts_frames{true};
};

class ConnectionTableTest : public testing::Test {
 protected:
  explicit ConnectionTableTest(ConnectionBounds bounds = {.per_address_max = 10})
      : table_(context_, bounds, clock_, echo_),
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
  Echo echo_;
  ConnectionTable table_;
  sockets::Acceptor listener_;
};

TEST_F(ConnectionTableTest, AFrameComesWholeAndItsAnswerGoesBack) {
  auto client = connect();
  ASSERT_TRUE(client.send(frame("hello")));
  EXPECT_EQ(text_of(client.take_frame()), "hello");
  EXPECT_EQ(echo_.addresses, std::vector<std::string>{"127.0.0.1"});
}

TEST_F(ConnectionTableTest, AFrameMayArriveByteByByte) {
  auto client = connect();
  for (const std::uint8_t byte : frame("hello")) {
    EXPECT_TRUE(echo_.frames.empty());
    ASSERT_TRUE(client.send(Bytes{byte}));
    settle();
  }
  EXPECT_EQ(text_of(client.take_frame()), "hello");
}

TEST_F(ConnectionTableTest, ManyFramesAreOneTurn) {
  auto client = connect();
  ASSERT_TRUE(until([&] { return !echo_.alive.empty(); }));
  settle();
  const auto turns = echo_.turns;
  Bytes all;
  for (int i = 0; i < 1000; ++i) {
    const Bytes one = frame(std::to_string(i));
    all.insert(all.end(), one.begin(), one.end());
  }
  ASSERT_TRUE(client.send(all));
  ASSERT_TRUE(until([&] { return echo_.frames.size() == 1000; }));
  EXPECT_LE(echo_.turns - turns, 3U);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(text_of(client.take_frame()), std::to_string(i));
  }
}

TEST_F(ConnectionTableTest, TheLargestFrameIsTaken) {
  auto client = connect();
  const std::string largest(limits::client_frame_bytes_max, 'x');
  ASSERT_TRUE(client.send(frame(largest)));
  EXPECT_EQ(client.take_frame().size(), largest.size());
}

TEST_F(ConnectionTableTest, AFrameTooLongOrOfNegativeLengthClosesWithoutAWord) {
  for (const auto& header : {Bytes{0x00, 0x10, 0x00, 0x00}, Bytes{0xff, 0xff, 0xff, 0xff}}) {
    auto client = connect();
    client.send(header);
    EXPECT_TRUE(client.sees_the_end());
    EXPECT_TRUE(client.received().empty());
  }
  EXPECT_EQ(echo_.lost, 2U);
  EXPECT_TRUE(echo_.frames.empty());
}

TEST_F(ConnectionTableTest, AClientThatGoesAwayIsReported) {
  auto client = connect();
  ASSERT_TRUE(until([&] { return !echo_.alive.empty(); }));
  client.close();
  EXPECT_TRUE(until([&] { return echo_.lost == 1; }));
}

TEST_F(ConnectionTableTest, AClosedConnectionStillGetsItsLastFrame) {
  auto client = connect();
  Bytes bytes = frame("close");
  const Bytes unread = frame("never delivered");
  bytes.insert(bytes.end(), unread.begin(), unread.end());
  ASSERT_TRUE(client.send(bytes));
  EXPECT_EQ(text_of(client.take_frame()), "farewell");
  client.send(unread);
  EXPECT_TRUE(client.sees_the_end());
  EXPECT_EQ(echo_.frames, std::vector<std::string>{"close"});
  EXPECT_EQ(echo_.lost, 0U);
}

TEST_F(ConnectionTableTest, AFourLetterWordIsAnsweredAndEndsTheConnection) {
  auto client = connect();
  ASSERT_TRUE(client.send("ruok\n"));
  EXPECT_EQ(text_of(client.take(5)), "imok");
  EXPECT_TRUE(client.sees_the_end());
  EXPECT_TRUE(echo_.alive.empty());
}

// "ruok" as a length is 1.9 GB.
TEST_F(ConnectionTableTest, AWordBehindAFrameIsALength) {
  auto client = connect();
  ASSERT_TRUE(client.send(frame("hello")));
  EXPECT_EQ(text_of(client.take_frame()), "hello");
  client.send("ruok");
  EXPECT_TRUE(client.sees_the_end());
  EXPECT_TRUE(client.received().empty());
}

TEST_F(ConnectionTableTest, WhatMustWaitIsDeliveredLaterAndInOrder) {
  echo_.accepts_frames = false;
  auto client = connect();
  ASSERT_TRUE(client.send(frame("one")) && client.send(frame("two")));
  settle();
  table_.schedule_turn_end();
  settle();
  EXPECT_TRUE(echo_.frames.empty());
  echo_.accepts_frames = true;
  table_.schedule_turn_end();
  EXPECT_EQ(text_of(client.take_frame()), "one");
  EXPECT_EQ(text_of(client.take_frame()), "two");
}

TEST_F(ConnectionTableTest, AClientThatDoesNotReadIsNotReadFrom) {
  auto client = connect();
  Bytes floods;
  for (int i = 0; i < 100; ++i) {
    const Bytes one = frame("flood");
    floods.insert(floods.end(), one.begin(), one.end());
  }
  ASSERT_TRUE(client.send(floods));
  ASSERT_TRUE(until([&] { return !echo_.frames.empty(); }));
  settle();
  EXPECT_LT(echo_.frames.size(), 10U);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(client.take_frame().size(), limits::outbox_bytes_high + 1) << i;
  }
  EXPECT_EQ(echo_.frames.size(), 100U);
}

TEST_F(ConnectionTableTest, AClientForWhomTooMuchWaitsIsDisconnected) {
  auto client = connect();
  ASSERT_TRUE(until([&] { return !echo_.alive.empty(); }));
  echo_.append(*echo_.alive.begin(), std::string(limits::outbox_bytes_max + (64U << 20), 'x'));
  EXPECT_TRUE(until([&] { return echo_.lost == 1; }));
}

TEST_F(ConnectionTableTest, WhoNeverSpeaksIsClosedAfterAWhile) {
  auto silent = connect();
  auto speaking = connect();
  ASSERT_TRUE(speaking.send(frame("hello")));
  EXPECT_EQ(text_of(speaking.take_frame()), "hello");
  clock_.now_ms += limits::sessionless_connection_ms;
  table_.on_tick();
  settle();
  EXPECT_EQ(echo_.lost, 0U);
  clock_.now_ms += 1;
  table_.on_tick();
  EXPECT_TRUE(silent.sees_the_end());
  EXPECT_EQ(echo_.alive.size(), 1U);
}

TEST_F(ConnectionTableTest, OneMoreThanAnAddressMayHaveIsClosedAtOnce) {
  std::vector<std::unique_ptr<LoopbackClient>> clients;
  for (int i = 0; i < 11; ++i) {
    clients.push_back(std::make_unique<LoopbackClient>(context_, listener_.port()));
  }
  EXPECT_TRUE(clients.back()->sees_the_end());
  EXPECT_EQ(echo_.alive.size(), 10U);
  clients.front()->close();
  ASSERT_TRUE(until([&] { return echo_.lost == 1; }));
  auto next = connect();
  ASSERT_TRUE(next.send(frame("hello")));
  EXPECT_EQ(text_of(next.take_frame()), "hello");
}

class TwoConnectionsTest : public ConnectionTableTest {
 protected:
  TwoConnectionsTest() : ConnectionTableTest({.per_address_max = 0, .total_max = 2}) {}
};

TEST_F(TwoConnectionsTest, OneMoreThanTheTotalIsClosedAtOnce) {
  auto first = connect();
  auto second = connect();
  auto third = connect();
  EXPECT_TRUE(third.sees_the_end());
  EXPECT_EQ(echo_.alive.size(), 2U);
}

TEST_F(TwoConnectionsTest, AnIdIsNeverUsedAgain) {
  std::set<ConnectionId> seen;
  for (int i = 0; i < 20; ++i) {
    auto client = connect();
    ASSERT_TRUE(until([&] { return !echo_.alive.empty(); }));
    EXPECT_TRUE(seen.insert(*echo_.alive.begin()).second);
    client.close();
    ASSERT_TRUE(until([&] { return echo_.alive.empty(); }));
  }
}

TEST_F(ConnectionTableTest, CloseAllSendsWhatThereIsAndLeavesNobody) {
  auto client = connect();
  ASSERT_TRUE(until([&] { return !echo_.alive.empty(); }));
  echo_.append(*echo_.alive.begin(), "last words");
  table_.close_all();
  EXPECT_EQ(text_of(client.take_frame()), "last words");
  EXPECT_TRUE(client.sees_the_end());
  EXPECT_EQ(echo_.lost, 1U);
}

TEST_F(ConnectionTableTest, APortThatIsTakenIsNamed) {
  sockets::Acceptor second(context_, {.when_taken = "choose another"}, [](auto) {});
  const auto why = second.listen("127.0.0.1", listener_.port(), 10);
  EXPECT_EQ(why, "cannot listen on 127.0.0.1 port " + std::to_string(listener_.port()) +
                     ": Address already in use (choose another)");
}

}  // namespace
}  // namespace zabfs::daemon::clients
