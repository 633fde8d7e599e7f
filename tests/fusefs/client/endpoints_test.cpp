#include "fusefs/client/endpoints.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "replication/model/limits.hpp"
#include "tests/support/hostile_bytes.hpp"

namespace zabfs::fusefs::client {
namespace {

namespace limits = replication::limits;

TEST(ConnectString, NamesServersPortsAndAChroot) {
  struct Row {
    std::string text{};
    ConnectString parsed{};
  };
  const std::vector<Row> rows{
      {"a:1", {{{"a", 1}}, ""}},
      {"a", {{{"a", 2181}}, ""}},
      {"a:1,b:2,c:65535", {{{"a", 1}, {"b", 2}, {"c", 65535}}, ""}},
      {"a,b:2", {{{"a", 2181}, {"b", 2}}, ""}},
      {"10.0.0.1:2181", {{{"10.0.0.1", 2181}}, ""}},
      {"[::1]:2182", {{{"::1", 2182}}, ""}},
      {"[fe80::1%eth0],b", {{{"fe80::1%eth0", 2181}, {"b", 2181}}, ""}},
      {"zoo-1.example.org:2181/", {{{"zoo-1.example.org", 2181}}, ""}},
      {"a:1/x", {{{"a", 1}}, "/x"}},
      {"a:1,[::1]:2/x/y,z:3", {{{"a", 1}, {"::1", 2}}, "/x/y,z:3"}},
  };
  for (const auto& row : rows) {
    const auto parsed = parse_connect_string(row.text);
    ASSERT_TRUE(parsed.has_value()) << row.text << ": " << parsed.error().sentence;
    EXPECT_EQ(*parsed, row.parsed) << row.text;
  }
}

TEST(ConnectString, IsRefusedWithASentence) {
  struct Row {
    std::string text{};
    std::string part_of_sentence{};
  };
  const std::vector<Row> rows{
      {"", "no server"},
      {"/x", "no server"},
      {"a:1,", "empty server"},
      {",a:1", "empty server"},
      {"a:1,,b:1", "empty server"},
      {":1", "\":1\" is not a server"},
      {"a:", "port of \"a:\""},
      {"a:0", "port"},
      {"a:65536", "port"},
      {"a:-1", "port"},
      {"a:+1", "port"},
      {"a:1x", "port of \"a:1x\""},
      {"a: 1", "port"},
      {"a b:1", "\"a b:1\" is not a server"},
      {" a:1", "is not a server"},
      {"::1", "in brackets"},
      {"::1:2181", "in brackets"},
      {"[::1", "is not a server"},
      {"[]:1", "is not a server"},
      {"[::1]2181", "is not a server"},
      {"a]:1", "is not a server"},
      {"a:1/x/", "not a znode's path"},
      {"a:1//", "not a znode's path"},
      {"a:1/x/../y", "not a znode's path"},
  };
  for (const auto& row : rows) {
    const auto parsed = parse_connect_string(row.text);
    ASSERT_FALSE(parsed.has_value()) << row.text;
    EXPECT_NE(parsed.error().sentence.find(row.part_of_sentence), std::string::npos)
        << row.text << ": " << parsed.error().sentence;
  }
}

TEST(ConnectString, OfAnyBytesIsRefusedOrMadeOfUsableServers) {
  auto texts = test::random_runs(5, 20'000, 40);
  const auto more =
      test::mutations_of(replication::bytes_of("one:2181,[::1]:2,three/chroot/x"), 6, 20'000);
  texts.insert(texts.end(), more.begin(), more.end());
  for (const auto& text : texts) {
    const auto parsed = parse_connect_string(replication::text_of(text));
    if (!parsed) {
      EXPECT_FALSE(parsed.error().sentence.empty());
      continue;
    }
    ASSERT_FALSE(parsed->endpoints.empty());
    std::string again;
    for (const auto& endpoint : parsed->endpoints) {
      again += (again.empty() ? "" : ",") + to_string(endpoint);
    }
    const auto parsed_again = parse_connect_string(again + parsed->chroot);
    ASSERT_TRUE(parsed_again.has_value()) << again;
    EXPECT_EQ(*parsed_again, *parsed);
  }
}

std::vector<Endpoint> servers(std::uint16_t count) {
  std::vector<Endpoint> all;
  for (std::uint16_t port = 1; port <= count; ++port) {
    all.push_back({"h", port});
  }
  return all;
}

std::vector<std::uint16_t> ports_of(EndpointOrder& order, int attempts) {
  std::vector<std::uint16_t> ports;
  for (int i = 0; i < attempts; ++i) {
    order.advance();
    ports.push_back(order.current().port);
  }
  return ports;
}

TEST(EndpointOrder, GoesThroughAllServersAndBeginsAgain) {
  EndpointOrder order{servers(5), 3};
  const auto first = ports_of(order, 5);
  EXPECT_EQ(ports_of(order, 5), first);
  auto sorted = first;
  std::ranges::sort(sorted);
  EXPECT_EQ(sorted, (std::vector<std::uint16_t>{1, 2, 3, 4, 5}));
}

TEST(EndpointOrder, DependsOnTheSeedAlone) {
  EndpointOrder one{servers(20), 1};
  EndpointOrder same{servers(20), 1};
  EndpointOrder other{servers(20), 2};
  const auto ports = ports_of(one, 20);
  EXPECT_EQ(ports_of(same, 20), ports);
  EXPECT_NE(ports_of(other, 20), ports);
}

TEST(EndpointOrder, WaitsLongerEachRoundUpToABoundAndBrieflyAfterASuccess) {
  EndpointOrder order{servers(2), 1};
  EXPECT_EQ(order.delay_ms(), 0);
  const auto expect_about = [&order](std::int64_t most_ms) {
    order.advance();
    const auto delay = order.delay_ms();
    EXPECT_GE(delay, most_ms / 2);
    EXPECT_LE(delay, most_ms);
  };
  const auto least = limits::reconnect_delay_ms_min;
  for (const auto round : {1, 2, 2, 4, 4, 8, 8}) {
    expect_about(least * round);
  }
  ports_of(order, 1'000);
  expect_about(limits::reconnect_delay_ms_max);
  order.succeeded();
  EXPECT_LE(order.delay_ms(), least);
}

}  // namespace
}  // namespace zabfs::fusefs::client
