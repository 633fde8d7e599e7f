// What operators can see of a replica: it is counted where it happens, and looking changes nothing.
#include <gtest/gtest.h>

#include <utility>

#include "replication/inspection.hpp"
#include "tests/support/replica_world.hpp"
#include "tests/support/wire_client.hpp"

namespace zabfs::test {
namespace {

using namespace replication;
using namespace replication::protocol;

class ReplicaMetrics : public testing::Test {
 protected:
  ReplicaMetrics() : world_({.log_segment_bytes = 1 << 16}, 1), client_(world_) {
    EXPECT_FALSE(world_.start());
    world_.settle();
    client_.connect({.timeout_ms = 10'000, .session_id = 0, .password = Bytes(16)});
    world_.settle();
    EXPECT_EQ(client_.hear().size(), 1U);
  }

  const Conversation& conversation() {
    return world_.replica().inspect().connections.begin()->second.conversation;
  }

  ReplicaWorld world_;
  WireClient client_;
};

TEST_F(ReplicaMetrics, AWriteTakesAsLongAsTheDisk) {
  client_.ask(CreateRequest{.path = "/a", .data = Bytes{1, 2, 3}, .acl = open_acl()});
  world_.end_turn();
  world_.advance(7);
  world_.settle();
  const Metrics& metrics = world_.metrics();
  EXPECT_EQ(metrics.updatelatency.count(), 2U) << "of the session, and of the write";
  EXPECT_EQ(metrics.updatelatency.max(), 7'000U);
  EXPECT_EQ(metrics.quorum_ack_latency.max(), 7'000U);
  EXPECT_EQ(metrics.propagation_latency.max(), 7'000U);
  EXPECT_EQ(metrics.sync_process_time.max(), 7'000U);
  EXPECT_EQ(metrics.proposal_count.value(), 2U);
  EXPECT_EQ(metrics.commit_count.value(), 2U);
  EXPECT_GT(metrics.proposal_size.last(), 3);
  EXPECT_EQ(conversation().last_op, OpCode::create);
  EXPECT_EQ(conversation().last_us, 7'000);
  EXPECT_EQ(conversation().last_zxid, world_.status().last_applied);
  EXPECT_EQ(conversation().answers, 2U);
}

TEST_F(ReplicaMetrics, AReadCountsAsOne) {
  client_.ask(ExistsRequest{.path = "/zookeeper", .watch = true});
  EXPECT_EQ(world_.metrics().readlatency.count(), 1U);
  EXPECT_EQ(world_.metrics().updatelatency.count(), 1U);
  EXPECT_GT(world_.metrics().response_bytes.value(), 80U);
  EXPECT_GT(world_.metrics().bytes_received_count.value(), 40U);
  EXPECT_EQ(conversation().last_op, OpCode::exists);
}

TEST_F(ReplicaMetrics, AFailedWriteWaitsForNothingAndIsCounted) {
  client_.ask(DeleteRequest{.path = "/absent"});
  world_.settle();
  EXPECT_EQ(world_.metrics().updatelatency.count(), 2U);
  EXPECT_EQ(world_.metrics().proposal_count.value(), 1U) << "only that of the session";
}

TEST_F(ReplicaMetrics, AReadBehindAWriteIsNoSecondWrite) {
  const auto outstanding = [this] {
    return std::pair(world_.status().requests_outstanding, world_.status().writes_outstanding);
  };
  client_.ask(CreateRequest{.path = "/a", .data = Bytes{}, .acl = open_acl()});
  client_.ask(ExistsRequest{.path = "/a"});
  EXPECT_EQ(outstanding(), std::pair(2UL, 1UL));
  client_.ask(DeleteRequest{.path = "/a"});
  EXPECT_EQ(outstanding(), std::pair(3UL, 2UL));
  world_.settle();
  EXPECT_EQ(outstanding(), std::pair(0UL, 0UL));
  client_.ask(CreateRequest{.path = "/a", .data = Bytes{}, .acl = open_acl()});
  client_.disconnect();
  EXPECT_EQ(outstanding(), std::pair(0UL, 0UL));
}

TEST_F(ReplicaMetrics, RequestsOfAClientThatIsGoneAreCounted) {
  client_.ask(CreateRequest{.path = "/a", .data = Bytes{}, .acl = open_acl()});
  client_.ask(ExistsRequest{.path = "/a"});
  client_.disconnect();
  world_.settle();
  EXPECT_EQ(world_.metrics().stale_requests.value(), 2U);
  EXPECT_EQ(world_.metrics().stale_requests_dropped.value(), 1U) << "the write was done";
}

TEST_F(ReplicaMetrics, AnExpiredSessionIsCounted) {
  for (int seconds = 0; seconds < 20; ++seconds) {
    world_.advance(1'000);
    world_.settle();
  }
  EXPECT_EQ(world_.metrics().stale_sessions_expired.value(), 1U);
  EXPECT_EQ(world_.metrics().connection_drop_count.value(), 1U);
}

TEST_F(ReplicaMetrics, CountingBeginsAnew) {
  client_.ask(ExistsRequest{.path = "/zookeeper"});
  world_.replica().reset_conversations();
  EXPECT_EQ(conversation().answers, 0U);
  EXPECT_EQ(world_.metrics().readlatency.count(), 1U);
  world_.replica().reset_counts();
  EXPECT_EQ(world_.metrics().readlatency.count(), 0U);
  EXPECT_EQ(world_.status().requests_received, 0U);
}

TEST_F(ReplicaMetrics, DigestsAreNotedAtTheSameZxidsEverywhere) {
  while (world_.status().last_applied.counter() < 300) {
    client_.ask(SetDataRequest{.path = "/zookeeper/config", .data = Bytes{1}, .version = -1});
    client_.ask(CreateRequest{.path = "/n", .acl = open_acl(), .flags = 2});
    world_.settle();
  }
  const auto digests = world_.replica().inspect().digests;
  ASSERT_EQ(digests.size(), 2U);
  EXPECT_EQ(digests.front().first.counter(), 128U);
  EXPECT_EQ(digests.back().first.counter(), 256U);
  EXPECT_NE(digests.front().second, digests.back().second);
}

}  // namespace
}  // namespace zabfs::test
