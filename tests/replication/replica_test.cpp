// The replica as its owner sees it: starts, bounds, status, epochs and snapshots. What clients see
// is told by the scenarios of the pipeline.
#include "replication/replica.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/replica_world.hpp"
#include "tests/support/wire_client.hpp"

namespace zabfs::test {
namespace {

using namespace replication;
using namespace replication::protocol;

constexpr std::uint64_t seed = 1;

CreateRequest create(const std::string& path, std::int32_t flags = 0) {
  return {.path = path, .data = Bytes{1, 2, 3}, .acl = open_acl(), .flags = flags};
}

std::size_t closed_among(const std::vector<Heard>& heard) {
  std::size_t closed = 0;
  for (const Heard& one : heard) {
    closed += std::holds_alternative<Closed>(one) ? 1U : 0U;
  }
  return closed;
}

// The texts of the diary since it was last read.
std::vector<std::string> diary_of(ReplicaWorld& world) {
  std::vector<std::string> lines;
  for (const TraceEvent& event : world.take_trace()) {
    lines.push_back(to_text(event));
  }
  return lines;
}

bool has(const std::vector<std::string>& lines, const std::string& beginning) {
  return std::ranges::any_of(lines, [&](const auto& line) { return line.starts_with(beginning); });
}

class ReplicaTest : public testing::Test {
 protected:
  void start(const ReplicaOptions& options = {.log_segment_bytes = 1 << 16}) {
    world_.emplace(options, seed);
    EXPECT_FALSE(world_->start());
    world_->settle();
    client_.emplace(*world_);
  }

  void restart() {
    world_->kill();
    EXPECT_FALSE(world_->start());
    world_->settle();
    client_->hear();
  }

  void connect() {
    client_->connect({.timeout_ms = 10'000, .session_id = 0, .password = Bytes(16)});
    world_->settle();
    ASSERT_EQ(client_->hear().size(), 1U);
  }

  std::optional<ReplicaWorld> world_;
  std::optional<WireClient> client_;
};

TEST_F(ReplicaTest, ServesOnlyWhenItsEpochIsOnTheDisk) {
  world_.emplace(ReplicaOptions{}, seed);
  EXPECT_FALSE(world_->start());
  while (!has(diary_of(*world_), "epoch 1 began")) {
    EXPECT_FALSE(world_->status().serving);
    ASSERT_TRUE(world_->step_disk());
  }
  EXPECT_TRUE(world_->status().serving);
}

TEST_F(ReplicaTest, RefusesToStartWithoutThePromisesItMade) {
  start();
  connect();
  world_->kill();
  world_->disk().erase("epochs");
  const auto refusal = world_->start();
  ASSERT_TRUE(refusal);
  EXPECT_NE(refusal->find("epochs is missing"), std::string::npos) << *refusal;
}

TEST_F(ReplicaTest, StopsReadingFromAClientThatWaitsForTooMuch) {
  start();
  connect();
  const ConnectionId connection{1};
  for (std::size_t i = 0; i < limits::connection_requests_max; ++i) {
    EXPECT_TRUE(world_->may_read(connection)) << i;
    client_->ask(create("/n", 2));
  }
  EXPECT_FALSE(world_->may_read(connection));
  EXPECT_EQ(world_->status().requests_outstanding, limits::connection_requests_max);
  world_->settle();
  EXPECT_TRUE(world_->may_read(connection));
  EXPECT_EQ(client_->hear().size(), limits::connection_requests_max);
}

TEST_F(ReplicaTest, LetsLargeRequestsWaitWhileThereAreManyBytesOnTheirWayAndSmallOnesPass) {
  start();
  connect();
  const ConnectionId connection{1};
  constexpr std::size_t large = limits::large_request_bytes + 1;
  const CreateRequest request{
      .path = "/n", .data = Bytes(1'000'000, 'x'), .acl = open_acl(), .flags = 2};
  for (std::size_t bytes = 0; bytes < limits::large_requests_in_flight_bytes;
       bytes += request.data->size()) {
    EXPECT_TRUE(world_->may_read(connection, large));
    client_->ask(request);
  }
  EXPECT_FALSE(world_->may_read(connection, large));
  EXPECT_TRUE(world_->may_read(connection, limits::large_request_bytes));
  world_->settle();
  EXPECT_TRUE(world_->may_read(connection, large));
  client_->ask(request);
  client_->disconnect();
  connect();
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(world_->may_read({2}, large)) << "what has gone does not count";
    client_->ask(request);
    world_->settle();
  }
}

TEST_F(ReplicaTest, ALargeWriteIsPaidForBySmallOnes) {
  start();
  connect();
  const ConnectionId connection{1};
  constexpr std::size_t large = limits::large_request_bytes + 1;
  const CreateRequest request{
      .path = "/n", .data = Bytes(large, 'x'), .acl = open_acl(), .flags = 2};
  client_->ask(request);
  client_->ask(create("/n", 2));
  EXPECT_FALSE(world_->may_read(connection, large));
  EXPECT_TRUE(world_->may_read(connection, limits::large_request_bytes));
  std::int64_t paid = 0;
  while (!world_->may_read(connection, large)) {
    client_->ask(create("/n", 2));
    world_->settle();
    paid += limits::large_bytes_for_each_small_write;
  }
  EXPECT_GE(paid + limits::large_bytes_for_each_small_write, large);
  EXPECT_LT(paid, 2 * large);
}

TEST_F(ReplicaTest, ForgetsTheRequestsOfAClientThatHangsUp) {
  start();
  connect();
  client_->ask(create("/a"));
  client_->ask(GetDataRequest{.path = "/a", .watch = true});
  client_->disconnect();
  EXPECT_EQ(world_->status().requests_outstanding, 0U);
  world_->settle();
  EXPECT_EQ(world_->status().connections, 0U);
  EXPECT_EQ(world_->status().watches, 0U);
  EXPECT_EQ(world_->status().znodes, 5U);  // what was proposed happens all the same
}

TEST_F(ReplicaTest, CountsWhatItHolds) {
  start();
  connect();
  client_->ask(create("/a"));
  client_->ask(create("/e", 1));
  client_->ask(ExistsRequest{.path = "/a", .watch = true});
  client_->ask(GetChildrenRequest{.path = "/a", .watch = true});
  world_->settle();
  const ReplicaStatus status = world_->status();
  EXPECT_TRUE(status.serving);
  EXPECT_EQ(status.last_applied, Zxid::at({1}, 3));
  EXPECT_EQ(status.znodes, 6U);
  EXPECT_EQ(status.ephemerals, 1U);
  EXPECT_EQ(status.watches, 2U);
  EXPECT_EQ(status.data_bytes, 44U + 4U + 6U);  // ZooKeeper counts paths, too
  EXPECT_EQ(status.sessions, 1U);
  EXPECT_EQ(status.connections, 1U);
  EXPECT_EQ(status.requests_outstanding, 0U);
  EXPECT_EQ(status.requests_received, 4U);
  EXPECT_EQ(status.replies_sent, 5U);
}

TEST_F(ReplicaTest, LetsEverybodyGoWhenItsEpochIsUsedUpAndServesInTheNext) {
  start({.log_segment_bytes = 1 << 16, .epoch_transactions_max = 3});
  connect();
  client_->ask(create("/1"));
  client_->ask(create("/2"));  // the third and last transaction
  client_->ask(create("/3"));
  const auto cut = client_->hear();
  EXPECT_EQ(closed_among(cut), 1U);
  world_->settle();
  EXPECT_TRUE(has(diary_of(*world_), "epoch 2 began"));
  EXPECT_EQ(world_->status().last_applied, Zxid::at({1}, 3));
  EXPECT_EQ(world_->status().znodes, 6U);

  connect();
  client_->ask(create("/3"));
  world_->settle();
  EXPECT_EQ(world_->status().last_applied, Zxid::at({2}, 2));
}

TEST_F(ReplicaTest, StartsFromItsNewestSnapshot) {
  start({.snapshot_every = 5, .log_segment_bytes = 1 << 12});
  connect();
  for (int i = 0; i < 23; ++i) {
    client_->ask(create("/n", 2));
    world_->settle();
  }
  const std::uint64_t digest = world_->status().digest;
  EXPECT_TRUE(has(diary_of(*world_), "snapshot finished at 1."));
  restart();
  EXPECT_TRUE(has(diary_of(*world_), "recovered to 1.24: 26 znodes, 3 transactions replayed"));
  EXPECT_EQ(world_->status().digest, digest);
}

}  // namespace
}  // namespace zabfs::test
