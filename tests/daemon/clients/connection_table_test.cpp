#include "tests/daemon/clients/connection_table_fixture.hpp"

namespace zabfs::daemon::clients {
namespace {

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
  constexpr int count = 200;
  for (int i = 0; i < count; ++i) {
    const Bytes one = frame(std::to_string(i));
    all.insert(all.end(), one.begin(), one.end());
  }
  ASSERT_TRUE(client.send(all));
  ASSERT_TRUE(until([&] { return echo_.frames.size() == count; }));
  EXPECT_LE(echo_.turns - turns, 3U);
  for (int i = 0; i < count; ++i) {
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
  EXPECT_EQ(metrics_.large_requests_rejected.value(), 2U);
  EXPECT_EQ(echo_.refused.at(0),
            "has sent a request of more than 1048575 bytes (jute.maxbuffer), or nonsense");
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
  EXPECT_EQ(metrics_.request_throttle_wait_count.value(), 1U) << "however often it is asked for";
  echo_.accepts_frames = true;
  table_.schedule_turn_end();
  EXPECT_EQ(text_of(client.take_frame()), "one");
  EXPECT_EQ(text_of(client.take_frame()), "two");
  EXPECT_EQ(metrics_.request_throttle_wait_count.value(), 1U);
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
