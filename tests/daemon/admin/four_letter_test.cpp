#include "daemon/admin/four_letter.hpp"

#include <gtest/gtest.h>

namespace zabfs::daemon::admin {
namespace {

Facts example() {
  return {.replica = {.serving = true,
                      .last_applied = replication::Zxid::at({2}, 17),
                      .znodes = 5,
                      .ephemerals = 1,
                      .watches = 2,
                      .data_bytes = 30,
                      .sessions = 4,
                      .connections = 3,
                      .requests_outstanding = 6,
                      .requests_received = 100,
                      .replies_sent = 99},
          .clients = {{.endpoint = "127.0.0.1:4242",
                       .is_read_from = true,
                       .unanswered = 1,
                       .received = 2,
                       .sent = 3}},
          .version = "3.8.0-zabfs, built on today",
          .host = "here",
          .uptime_ms = 1234,
          .is_standalone = true,
          .configuration = {{"clientPort", "2181"}, {"dataDir", "/d"}}};
}

std::string answer(std::string_view word) {
  return FourLetterWords({"*"}).answer(word, example).value_or("none");
}

const std::string summary =
    "Latency min/avg/max: 0/0.0/0\nReceived: 100\nSent: 99\nConnections: 3\nOutstanding: 6\n"
    "Zxid: 0x200000011\nMode: standalone\nNode count: 5\n";

TEST(FourLetterWords, AreAnsweredAsZooKeeperDoes) {
  EXPECT_EQ(answer("ruok"), "imok");
  EXPECT_EQ(answer("isro"), "rw");
  EXPECT_EQ(answer("srvr"), "Zookeeper version: 3.8.0-zabfs, built on today\n" + summary);
  EXPECT_EQ(answer("stat"),
            "Zookeeper version: 3.8.0-zabfs, built on today\nClients:\n"
            " /127.0.0.1:4242[1](queued=1,recved=2,sent=3)\n\n" +
                summary);
  EXPECT_EQ(answer("conf"), "clientPort=2181\ndataDir=/d\n");
  EXPECT_EQ(answer("envi"),
            "Environment:\nzookeeper.version=3.8.0-zabfs, built on today\nhost.name=here\n"
            "os.name=Linux\n");
  EXPECT_EQ(answer("mntr"),
            "zk_version\t3.8.0-zabfs, built on today\nzk_server_state\tstandalone\n"
            "zk_peer_state\tserving\nzk_uptime\t1234\nzk_num_alive_connections\t3\n"
            "zk_outstanding_requests\t6\nzk_packets_received\t100\nzk_packets_sent\t99\n"
            "zk_znode_count\t5\nzk_ephemerals_count\t1\nzk_watch_count\t2\n"
            "zk_approximate_data_size\t30\nzk_global_sessions\t4\n");
}

TEST(FourLetterWords, SayWhatAServerOfAnEnsembleDoes) {
  using replication::ServerRole;
  auto facts = example();
  facts.is_standalone = false;
  facts.replica.learners = 2;
  const auto says = [&facts](std::string_view word, std::string_view line) {
    return FourLetterWords({"*"}).answer(word, [&] { return facts; })->find(line) !=
           std::string::npos;
  };
  EXPECT_TRUE(says("srvr", "Mode: leaderelection\n"));
  facts.replica.role = ServerRole::following;
  EXPECT_TRUE(says("srvr", "Mode: follower\n"));
  EXPECT_FALSE(says("mntr", "zk_synced_followers"));
  facts.replica.role = ServerRole::observing;
  EXPECT_TRUE(says("srvr", "Mode: observer\n"));
  facts.replica.role = ServerRole::leading;
  EXPECT_TRUE(says("mntr", "zk_server_state\tleader\n"));
  EXPECT_TRUE(says("mntr", "zk_synced_followers\t2\n"));
}

TEST(FourLetterWords, OtherBytesAreNoWord) {
  for (const std::string_view bytes : {"RUOK", "help", "", "ruo", "ruok\n"}) {
    EXPECT_EQ(answer(bytes), "none");
  }
  EXPECT_EQ(answer(std::string_view("\0\0\0\x2d", 4)), "none");
}

TEST(FourLetterWords, OnlyTheListedAreExecuted) {
  const FourLetterWords words({"srvr", "ruok"});
  EXPECT_EQ(words.answer("ruok", example), "imok");
  EXPECT_EQ(words.answer("stat", example),
            "stat is not executed because it is not in the whitelist.\n");
  EXPECT_EQ(words.answer("help", example), std::nullopt);
}

TEST(FourLetterWords, AReplicaThatDoesNotServeSaysSo) {
  const auto starting = [] {
    Facts facts = example();
    facts.replica.serving = false;
    return facts;
  };
  const FourLetterWords words({"*"});
  EXPECT_EQ(words.answer("srvr", starting),
            "This ZooKeeper instance is not currently serving requests\n");
  EXPECT_EQ(words.answer("ruok", starting), "imok");
  EXPECT_EQ(words.answer("isro", starting), "null");
}

TEST(FourLetterWords, TheFactsAreNotGatheredForALength) {
  const FourLetterWords words({"*"});
  const auto unwanted = []() -> Facts {
    ADD_FAILURE() << "gathered";
    return {};
  };
  EXPECT_EQ(words.answer("none", unwanted), std::nullopt);
  FourLetterWords({}).answer("srvr", unwanted);
}

}  // namespace
}  // namespace zabfs::daemon::admin
