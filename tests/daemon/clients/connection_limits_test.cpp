// What clients may take of a table of connections, and what becomes of those who take more.
#include "tests/daemon/clients/connection_table_fixture.hpp"

namespace zabfs::daemon::clients {
namespace {

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
    ASSERT_EQ(client.take_frame().size(), flood_bytes) << i;
  }
  EXPECT_EQ(echo_.frames.size(), 100U);
}

TEST_F(ConnectionTableTest, AClientThatTakesNothingForTooLongIsDisconnected) {
  constexpr std::size_t more_than_kernels_keep = 64UL << 20;
  auto client = connect();
  ASSERT_TRUE(client.send(frame("hello")));
  EXPECT_EQ(text_of(client.take_frame()), "hello");
  const ConnectionId id = *echo_.alive.begin();
  for (int i = 0; i < 2; ++i) {
    echo_.append(id, std::string(more_than_kernels_keep, 'x'));
    settle();
    table_.on_tick();
    clock_.now_ms += limits::outbox_stalled_ms;
    table_.on_tick();
    settle();
    EXPECT_EQ(echo_.lost, 0U);
    if (i == 0) {
      EXPECT_EQ(client.take_frame().size(), more_than_kernels_keep);
    }
  }
  clock_.now_ms += 1;
  table_.on_tick();
  EXPECT_EQ(echo_.lost, 1U);
  EXPECT_EQ(metrics_.connection_drop_count.value(), 1U);
  EXPECT_EQ(echo_.refused,
            std::vector<std::string>{"has read nothing of what it has asked for within 60000 ms"});
}

// What one client has sent at once does not come before what another sends then.
TEST_F(ConnectionTableTest, EachConnectionHasItsTurn) {
  constexpr std::size_t many = 10 * requests_per_turn;
  auto busy = connect();
  auto quiet = connect();
  Bytes requests;
  for (std::size_t i = 0; i < many; ++i) {
    const Bytes one = frame("busy");
    requests.insert(requests.end(), one.begin(), one.end());
  }
  ASSERT_TRUE(busy.send(requests));
  ASSERT_TRUE(quiet.send(frame("quiet")));
  EXPECT_EQ(text_of(quiet.take_frame()), "quiet");
  const auto place = std::ranges::find(echo_.frames, "quiet") - echo_.frames.begin();
  EXPECT_LE(place, static_cast<std::ptrdiff_t>(2 * requests_per_turn));
  EXPECT_TRUE(until([&] { return echo_.frames.size() == many + 1; }));
}

TEST_F(ConnectionTableTest, ManyWhoWantMuchGetLessInATurn) {
  constexpr std::size_t each = 2 * requests_per_turn;
  constexpr std::size_t clients = 10;
  std::vector<std::unique_ptr<LoopbackClient>> all;
  for (std::size_t i = 0; i < clients; ++i) {
    all.push_back(std::make_unique<LoopbackClient>(context_, listener_.port()));
  }
  ASSERT_TRUE(until([&] { return echo_.alive.size() == clients; }));
  for (std::size_t i = 0; i < clients; ++i) {
    Bytes requests;
    for (std::size_t k = 0; k < each; ++k) {
      const Bytes one = frame(std::to_string(i));
      requests.insert(requests.end(), one.begin(), one.end());
    }
    ASSERT_TRUE(all[i]->send(requests));
  }
  ASSERT_TRUE(until([&] { return echo_.frames.size() == each * clients; }));
  // In the end only those were in a row who had no others beside them.
  std::size_t longest = 0;
  std::size_t run = 0;
  for (std::size_t i = each * clients / 2; i + 1 < each * clients; ++i) {
    run = echo_.frames[i] == echo_.frames[i + 1] ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  EXPECT_LT(longest, requests_per_turn);
}

// Two ask for much, each of it more than a share; who asks for little then comes next.
TEST_F(ConnectionTableTest, LargeRepliesArePaidForByWaiting) {
  auto first = connect();
  auto second = connect();
  auto small = connect();
  ASSERT_TRUE(until([&] { return echo_.alive.size() == 3; }));
  Bytes requests;
  for (int i = 0; i < 4; ++i) {
    const Bytes one = frame("million");
    requests.insert(requests.end(), one.begin(), one.end());
  }
  ASSERT_TRUE(first.send(requests));
  ASSERT_TRUE(second.send(requests));
  ASSERT_TRUE(small.send(frame("small")));
  EXPECT_EQ(text_of(small.take_frame()), "small");
  EXPECT_LE(std::ranges::find(echo_.frames, "small") - echo_.frames.begin(), 2);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(first.take_frame().size(), million);
    EXPECT_EQ(second.take_frame().size(), million);
  }
}

TEST_F(ConnectionTableTest, ALargeFrameThatMustWaitIsPassedBySmallOnesOfOthers) {
  echo_.largest_accepted = limits::large_request_bytes;
  auto first = connect();
  auto second = connect();
  auto small = connect();
  const std::string large(limits::large_request_bytes + 1, 'l');
  ASSERT_TRUE(first.send(frame(large)));
  ASSERT_TRUE(second.send(frame(large)));
  ASSERT_TRUE(small.send(frame("small")));
  EXPECT_EQ(text_of(small.take_frame()), "small");
  EXPECT_EQ(echo_.frames, std::vector<std::string>{"small"});
  settle();  // Returns: it is not tried again at once.
  echo_.largest_accepted = limits::client_frame_bytes_max;  // Is seen, though nothing else happens.
  EXPECT_EQ(text_of(first.take_frame()), large);
  EXPECT_EQ(text_of(second.take_frame()), large);
}

class ShortFrames : public ConnectionTableTest {
 protected:
  ShortFrames() : ConnectionTableTest({.frame_bytes_max = 100, .sessionless_ms = 50}) {}
};

TEST_F(ShortFrames, AreAsLongAsTheyAreConfigured) {
  auto client = connect();
  ASSERT_TRUE(client.send(frame(std::string(100, 'x'))));
  EXPECT_EQ(client.take_frame().size(), 100U);
  ASSERT_TRUE(client.send(frame(std::string(101, 'x'))));
  EXPECT_TRUE(client.sees_the_end());
  EXPECT_EQ(echo_.frames.size(), 1U);
  auto silent = connect();
  ASSERT_TRUE(until([&] { return !echo_.alive.empty(); }));
  clock_.now_ms += 51;
  table_.on_tick();
  EXPECT_TRUE(silent.sees_the_end());
}

TEST_F(ConnectionTableTest, AClientForWhomTooMuchWaitsIsDisconnected) {
  auto client = connect();
  ASSERT_TRUE(until([&] { return !echo_.alive.empty(); }));
  echo_.append(*echo_.alive.begin(), std::string(limits::outbox_bytes_max + (64U << 20), 'x'));
  EXPECT_TRUE(until([&] { return echo_.lost == 1; }));
  EXPECT_EQ(echo_.refused, std::vector<std::string>{"does not read what it has asked for"});
}

class SmallOutboxes : public ConnectionTableTest {
 protected:
  SmallOutboxes()
      : ConnectionTableTest(
            {.outbox_bytes_max = 8 * flood_bytes, .outboxes_bytes_max = 10 * flood_bytes}) {}
};

TEST_F(SmallOutboxes, WhatIsTooMuchIsNotEvenKeptUntilTheTurnEnds) {
  auto client = connect();
  ASSERT_TRUE(until([&] { return !echo_.alive.empty(); }));
  const ConnectionId id = *echo_.alive.begin();
  for (int i = 0; i < 100; ++i) {
    echo_.append(id, std::string(flood_bytes, 'x'));
    ASSERT_LE(table_.outbox(id).size(), 10 * flood_bytes);
  }
  EXPECT_EQ(echo_.lost, 0U);
  EXPECT_TRUE(until([&] { return echo_.lost == 1; }));
}

TEST_F(SmallOutboxes, OfAllTogetherAreBoundToo) {
  std::vector<std::unique_ptr<LoopbackClient>> clients;
  for (std::size_t i = 1; i <= 4; ++i) {
    clients.push_back(std::make_unique<LoopbackClient>(context_, listener_.port()));
    ASSERT_TRUE(until([&] { return echo_.alive.size() == i; }));
  }
  for (const ConnectionId id : std::set(echo_.alive)) {
    echo_.append(id, std::string(5 * flood_bytes, 'x'));
  }
  EXPECT_TRUE(until([&] { return echo_.lost > 0; }));
  settle();
  EXPECT_GE(echo_.alive.size(), 2U);
  const ConnectionId modest = *echo_.alive.begin();
  for (auto& client : clients) {
    client->take(frame(std::string(5 * flood_bytes, 'x')).size());
  }
  echo_.append(modest, std::string(flood_bytes, 'x'));
  settle();
  EXPECT_TRUE(echo_.alive.contains(modest))
      << "who has read, and those who are gone, count no more";
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
  EXPECT_EQ(metrics_.sessionless_connections_expired.value(), 1U);
}

TEST_F(ConnectionTableTest, OneMoreThanAnAddressMayHaveIsClosedAtOnce) {
  std::vector<std::unique_ptr<LoopbackClient>> clients;
  for (int i = 0; i < 11; ++i) {
    clients.push_back(std::make_unique<LoopbackClient>(context_, listener_.port()));
  }
  EXPECT_TRUE(clients.back()->sees_the_end());
  EXPECT_EQ(echo_.alive.size(), 10U);
  EXPECT_EQ(metrics_.connection_rejected.value(), 1U);
  EXPECT_EQ(echo_.refused, std::vector<std::string>{
                               "has 10 connections from its address already (maxClientCnxns)"});
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

}  // namespace
}  // namespace zabfs::daemon::clients
