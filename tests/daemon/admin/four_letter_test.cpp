#include "daemon/admin/four_letter.hpp"

#include <gtest/gtest.h>

#include "daemon/admin/java_text.hpp"
#include "replication/model/limits.hpp"
#include "tests/daemon/admin/fake_subject.hpp"

namespace zabfs::daemon::admin {
namespace {

using replication::ConnectionId;
using replication::ServerRole;
using replication::SessionId;

class FourLetterWordsTest : public testing::Test {
 protected:
  std::string answer(std::string_view beginning) {
    return words_.answer(beginning, subject_).value_or("none");
  }

  bool says(std::string_view word, std::string_view line) {
    return answer(word).find(line) != std::string::npos;
  }

  FakeSubject subject_;
  FourLetterWords words_{{"*"}};
};

const std::string version_line = "Zookeeper version: 3.8.0-zabfs, built on today\n";
const std::string summary =
    "Latency min/avg/max: 1/2.25/4\nReceived: 100\nSent: 99\nConnections: 3\nOutstanding: 6\n"
    "Zxid: 0x200000011\nMode: standalone\nNode count: 5\n";

TEST_F(FourLetterWordsTest, AreAnsweredAsZooKeeperDoes) {
  subject_.metrics_.readlatency.add(600);
  subject_.metrics_.updatelatency.add(3'900);
  subject_.add_client({1}, {0x10}, "/a");
  EXPECT_EQ(answer("ruok"), "imok");
  EXPECT_EQ(answer("isro"), "rw");
  EXPECT_EQ(answer("srvr"), version_line + summary);
  EXPECT_EQ(answer("stat"),
            version_line + "Clients:\n /127.0.0.1:4242[1](queued=1,recved=2,sent=3)\n\n" + summary);
  EXPECT_TRUE(says("conf", "clientPort=2181\nsecureClientPort=-1\ndataDir=/absent\n"));
  EXPECT_TRUE(says("envi",
                   "Environment:\nzookeeper.version=3.8.0-zabfs, built on today\n"
                   "host.name=here\n"));
  EXPECT_EQ(answer("dirs"), "datadir_size: 0\nlogdir_size: 0\n");
  EXPECT_EQ(answer("wchs"), "1 connections watching 1 paths\nTotal watches:1\n");
  EXPECT_EQ(answer("wchc"), "0x10\n\t/a\n\n");
  EXPECT_EQ(answer("wchp"), "/a\n\t0x10\n\n");
}

TEST_F(FourLetterWordsTest, TellWhatWasSaidOnAConnection) {
  subject_.add_client({1}, {0x10}, "/a");
  subject_.clients_.push_back({.id = {2}, .endpoint = "127.0.0.1:4343"});
  subject_.connections_[{2}] = {};
  EXPECT_TRUE(says("cons",
                   "sid=0x10,lop=NA,est=1795272965950,to=10000,"
                   "lzxid=0xffffffffffffffff,lresp=0,llat=0,minlat=0,avglat=0,maxlat=0)\n"));
  EXPECT_TRUE(says("cons", " /127.0.0.1:4343[0](queued=0,recved=0,sent=0)\n\n"));
  subject_.connections_[{1}].conversation = {.last_op = replication::protocol::OpCode::get_data,
                                             .last_xid = 6,
                                             .last_zxid = replication::Zxid::at({1}, 4),
                                             .answered_us = 12'004'501,
                                             .answers = 2,
                                             .last_us = 1'000,
                                             .sum_us = 12'000,
                                             .min_us = 1'000,
                                             .max_us = 11'000};
  EXPECT_TRUE(says("cons",
                   "lop=GETD,est=1795272965950,to=10000,lcxid=0x6,lzxid=0x100000004,"
                   "lresp=12004,llat=1,minlat=1,avglat=6,maxlat=11)\n"));
  EXPECT_EQ(answer("crst"), "Connection stats reset.\n");
  EXPECT_TRUE(says("cons", "lop=NA"));
}

TEST_F(FourLetterWordsTest, TellWhenSessionsExpire) {
  subject_.add_client({1}, {0x10}, "/a");
  const std::string text = answer("dump");
  EXPECT_TRUE(text.starts_with("SessionTracker dump:\nSession Sets (1)/(1):\n1 expire at "));
  EXPECT_NE(text.find(":\n\t0x10\nephemeral nodes dump:\nSessions with Ephemerals (0):\n"
                      "Connections dump:\nConnections Sets (1)/(1):\n1 expire at "),
            std::string::npos)
      << text;
  EXPECT_TRUE(text.ends_with("\tip: /127.0.0.1:4242 sessionId: 0x10\n")) << text;
  subject_.facts_.replica.role = ServerRole::following;
  EXPECT_TRUE(says("dump", "SessionTracker dump:\nGlobal Sessions(1):\n0x10\t10000ms\n"));
}

TEST_F(FourLetterWordsTest, SayWhatAServerOfAnEnsembleDoes) {
  subject_.facts_.is_standalone = false;
  subject_.facts_.replica.learners = 2;
  subject_.facts_.replica.role = ServerRole::looking;
  EXPECT_TRUE(says("srvr", "Mode: leaderelection\n"));
  subject_.facts_.replica.role = ServerRole::following;
  EXPECT_TRUE(says("srvr", "Mode: follower\n"));
  EXPECT_TRUE(says("mntr", "zk_peer_state\tfollowing - broadcast\n"));
  EXPECT_FALSE(says("mntr", "zk_synced_followers"));
  EXPECT_FALSE(says("srvr", "Proposal sizes"));
  subject_.facts_.replica.role = ServerRole::observing;
  EXPECT_TRUE(says("srvr", "Mode: observer\n"));
  subject_.facts_.replica.role = ServerRole::leading;
  EXPECT_TRUE(says("srvr", "Node count: 5\nProposal sizes last/min/max: -1/-1/-1\n"));
  EXPECT_TRUE(says("mntr", "zk_server_state\tleader\n"));
  EXPECT_TRUE(says("mntr", "zk_synced_followers\t2\n"));
}

TEST_F(FourLetterWordsTest, TheMembersAreInTheConfiguration) {
  subject_.settings_.server_id = 1;
  subject_.settings_.members = {{.id = {1}, .host = "a", .port = 2888, .election_port = 3888},
                                {.id = {2},
                                 .host = "b",
                                 .port = 2888,
                                 .election_port = 3888,
                                 .is_observer = true,
                                 .client_address = "0.0.0.0:2181"}};
  EXPECT_TRUE(answer("conf").ends_with(
      "electionAlg=3\nelectionPort=3888\nquorumPort=2888\npeerType=0\nmembership: \n"
      "server.1=a:2888:3888:participant\nserver.2=b:2888:3888:observer;0.0.0.0:2181\nversion=0"))
      << answer("conf");
  subject_.settings_.ensemble_version = replication::Zxid{0x10000000a};
  EXPECT_TRUE(answer("conf").ends_with("\nversion=10000000a")) << answer("conf");
}

TEST_F(FourLetterWordsTest, EveryMetricIsMonitored) {
  subject_.metrics_.looking_count.add(3);
  subject_.metrics_.readlatency.add(2'000);
  EXPECT_TRUE(says("mntr",
                   "zk_version\t3.8.0-zabfs, built on today\nzk_server_state\tstandalone\n"
                   "zk_avg_latency\t2.0\nzk_min_latency\t2\n"));
  EXPECT_TRUE(says("mntr", "zk_looking_count\t3\n"));
  EXPECT_TRUE(says("mntr",
                   "zk_avg_readlatency\t2.0\nzk_min_readlatency\t2\nzk_max_readlatency\t2\n"
                   "zk_cnt_readlatency\t1\nzk_sum_readlatency\t2\nzk_p50_readlatency\t2\n"));
  EXPECT_EQ(answer("srst"), "Server stats reset.\n");
  EXPECT_TRUE(says("mntr", "zk_looking_count\t0\n"));
}

TEST_F(FourLetterWordsTest, DigestsCanBeCompared) {
  EXPECT_EQ(answer("hash"), "");
  subject_.digests_.emplace_back(replication::Zxid::at({1}, 128), 0xabcd);
  EXPECT_EQ(answer("hash"), "100000080: abcd\n");
}

TEST_F(FourLetterWordsTest, TheTraceMaskIsWhatItWasSetTo) {
  EXPECT_EQ(answer("gtmk"), "306");
  EXPECT_EQ(answer(std::string_view("stmk\0\0\0\0\0\0\0\x02", 12)), "2");
  EXPECT_EQ(answer("gtmk"), "2");
  EXPECT_EQ(answer("stmk"), "2") << "without a mask it stays";
}

TEST_F(FourLetterWordsTest, MoreThanAnAnswerListsIsSaidToBe) {
  subject_.add_client({1}, {0x10}, "/a");
  for (std::size_t i = 0; i < 5 * replication::limits::operator_entries_max; ++i) {
    subject_.watches_.add(replication::tree::WatchKind::data, {1}, "/n" + std::to_string(i));
  }
  EXPECT_TRUE(answer("wchp").starts_with("There are 100001 watches, more than the 100000 "));
  EXPECT_TRUE(answer("wchc").starts_with("There are 100001 watches"));
  for (std::size_t i = 0; i <= replication::limits::operator_entries_max; ++i) {
    subject_.clients_.push_back(subject_.clients_.front());
  }
  EXPECT_TRUE(says("stat", "# 2 more connections are not listed\n"));
}

TEST_F(FourLetterWordsTest, OtherBytesAreNoWord) {
  for (const std::string_view bytes : {"RUOK", "help", "", "ruo"}) {
    EXPECT_EQ(answer(bytes), "none");
  }
  EXPECT_EQ(answer("ruok\n"), "imok");
  EXPECT_EQ(answer(std::string_view("\0\0\0\x2d", 4)), "none");
  EXPECT_EQ(subject_.asked_, 0) << "facts are not gathered for a length";
}

TEST_F(FourLetterWordsTest, OnlyTheListedAreExecuted) {
  words_ = FourLetterWords({"ruok"});
  EXPECT_EQ(answer("ruok"), "imok");
  EXPECT_EQ(answer("stat"), "stat is not executed because it is not in the whitelist.\n");
  EXPECT_EQ(answer("help"), "none");
  EXPECT_TRUE(says("srvr", "Mode: standalone\n")) << "zkServer.sh needs it";
}

TEST_F(FourLetterWordsTest, AReplicaThatDoesNotServeSaysSo) {
  subject_.facts_.replica.serving = false;
  EXPECT_EQ(answer("srvr"), "This ZooKeeper instance is not currently serving requests\n");
  EXPECT_EQ(answer("ruok"), "imok");
  EXPECT_EQ(answer("isro"), "null");
  EXPECT_EQ(answer("gtmk"), "306");
}

TEST(JavaText, IsWhatJavaWrites) {
  EXPECT_EQ(decimal(0), "0.0");
  EXPECT_EQ(decimal(3.14286), "3.1429");
  EXPECT_EQ(decimal(12.5), "12.5");
  EXPECT_EQ(decimal(100), "100.0");
}

}  // namespace
}  // namespace zabfs::daemon::admin
