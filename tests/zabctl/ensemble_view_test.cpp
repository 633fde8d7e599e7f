#include "daemon/zabctl/ensemble_view.hpp"

#include <gtest/gtest.h>

#include "daemon/zabctl/replica_questions.hpp"
#include "tests/support/hostile_bytes.hpp"

namespace zabfs::test {
namespace {

using namespace daemon::zabctl;

constexpr std::string_view srvr =
    "Zookeeper version: 3.8.0-${mvngit.commit.id}, built on 2024-12-29 17:54 UTC\n"
    "Latency min/avg/max: 0/15.2343/165\nReceived: 306\nSent: 305\nConnections: 2\n"
    "Outstanding: 0\nZxid: 0x100000133\nMode: follower\nNode count: 305\n";

ReplicaView replica(const std::string& name, const std::string& mode, std::uint64_t zxid) {
  return {.name = name, .is_reached = true, .is_serving = true, .mode = mode, .zxid = {zxid}};
}

std::string warnings(const EnsembleView& view) {
  std::string all;
  for (const auto& warning : view.warnings) {
    all += warning + "\n";
  }
  return all;
}

constexpr std::string_view conf =
    "clientPort=2181\nserverId=2\nelectionAlg=3\nmembership: \n"
    "server.2=b:2888:3888:participant;0.0.0.0:2181\n"
    "server.3=c:2888:3888:participant;10.0.0.3:2182\nversion=100000007";

TEST(ReplicaView, ReadsWhoThereIs) {
  ReplicaView view = replica("b:2181", "leader", 7);
  read_conf(conf, view);
  EXPECT_EQ(view.id, replication::ServerId{2});
  EXPECT_EQ(view.ensemble.version.value, 0x100000007U);
  EXPECT_EQ(members_not_asked({view}), (std::vector<Address>{{"10.0.0.3", 2182, {}}}));
  EXPECT_TRUE(is_missed({"elsewhere", 2182, {3}}, {view}));
  EXPECT_TRUE(is_missed({"named", 2182, {}}, {view}));
  EXPECT_FALSE(is_missed({"a", 2181, {1}}, {view})) << "it has left";
}

TEST(ReplicaView, WhoIsThereAtTheBeginningIsWhoWasNamed) {
  ReplicaView view = replica("b:2181", "leader", 7);
  std::string text(conf);
  text.replace(text.find("version="), std::string::npos, "version=0");
  read_conf(text, view);
  EXPECT_TRUE(members_not_asked({view}).empty());
  EXPECT_TRUE(is_missed({"a", 2181, {1}}, {view}));
  ReplicaView alone;
  read_conf("clientPort=2181\nserverId=0\n", alone);
  EXPECT_FALSE(alone.id.has_value());
  EXPECT_TRUE(alone.ensemble.members.empty());
}

TEST(ReplicaView, ReadsWhatZooKeeperAnswers) {
  ReplicaView view;
  read_srvr(srvr, view);
  read_mntr("zk_version\t3.8.0\nzk_global_sessions\t7\nzk_digest_mismatches_count\t0\n", view);
  read_hash("100000080: 256419227939\n100000100: 540603591387\n", view);
  EXPECT_TRUE(view.is_serving);
  EXPECT_EQ(view.mode, "follower");
  EXPECT_EQ(view.version, "3.8.0-${mvngit.commit.id}");
  EXPECT_EQ(view.zxid.value, 0x100000133U);
  EXPECT_EQ(view.latency_ms, "0/15.2343/165");
  EXPECT_EQ(view.znodes, 305);
  EXPECT_EQ(view.sessions, 7);
  EXPECT_EQ(view.digests.at({0x100000100}), "540603591387");
}

TEST(ReplicaView, TellsWhyThereIsNoView) {
  ReplicaView starting;
  read_srvr("This ZooKeeper instance is not currently serving requests\n", starting);
  EXPECT_FALSE(starting.is_serving);
  EXPECT_NE(starting.trouble.find("no quorum"), std::string::npos);
  ReplicaView other;
  read_srvr("HTTP/1.1 400 Bad Request\r\n", other);
  EXPECT_FALSE(other.is_serving);
  EXPECT_NE(other.trouble.find("HTTP"), std::string::npos);
}

TEST(ReplicaView, AnyBytesAreHarmless) {
  for (const auto& bytes : mutations_of(replication::bytes_of(srvr), 3, 2'000)) {
    ReplicaView view;
    read_srvr(replication::text_of(bytes), view);
    read_mntr(replication::text_of(bytes), view);
    read_hash(replication::text_of(bytes), view);
  }
  for (const auto& bytes : mutations_of(replication::bytes_of(conf), 5, 2'000)) {
    ReplicaView view;
    read_conf(replication::text_of(bytes), view);
    members_not_asked({view});
  }
}

TEST(EnsembleView, AllIsWell) {
  const auto view = judge(
      {replica("a", "leader", 10), replica("b", "follower", 8), replica("c", "observer", 10)}, 5);
  EXPECT_EQ(view.health, Health::well) << warnings(view);
  EXPECT_EQ(view.lag_of(view.replicas[1]), 2U);
}

TEST(EnsembleView, LagIsCountedWithinAnEpoch) {
  auto view = judge({replica("a", "leader", 0x200000010), replica("b", "follower", 0x200000001),
                     replica("c", "follower", 0x100000010)},
                    5);
  EXPECT_NE(warnings(view).find("b is 15 transactions behind"), std::string::npos);
  EXPECT_EQ(view.lag_of(view.replicas[2]), std::nullopt);
}

TEST(EnsembleView, TwoLeadersAndNone) {
  EXPECT_NE(warnings(judge({replica("a", "leader", 1), replica("b", "leader", 1)}, 5))
                .find("a and b both say that they lead"),
            std::string::npos);
  const auto none = judge({replica("a", "follower", 1), replica("b", "follower", 1)}, 5);
  EXPECT_NE(warnings(none).find("None of the servers"), std::string::npos);
  EXPECT_EQ(none.health, Health::degraded);
}

TEST(EnsembleView, DifferentDigestsAreTold) {
  auto one = replica("a", "leader", 9);
  auto two = replica("b", "follower", 9);
  one.digests = {{{7}, "1"}, {{8}, "2"}};
  two.digests = {{{8}, "2"}, {{9}, "4"}};
  EXPECT_EQ(judge({one, two}, 5).health, Health::well);
  two.digests[{7}] = "5";
  EXPECT_NE(warnings(judge({one, two}, 5)).find("different data after 0x7"), std::string::npos);
}

}  // namespace
}  // namespace zabfs::test
