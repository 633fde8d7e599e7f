#include <gtest/gtest.h>

#include <algorithm>
#include <variant>
#include <vector>

#include "replication/protocol/handshake.hpp"
#include "tests/support/replica_world.hpp"
#include "tests/support/wire_client.hpp"

namespace zabfs::test {
namespace {

namespace protocol = replication::protocol;

// More is logged than two snapshots lie apart, but no snapshot has come to its end.
TEST(ReplicaSnapshots, AReplicaThatOwesASnapshotWhenItStartsServesAndWritesIt) {
  ReplicaWorld world({.snapshot_every = 5}, 1);
  ASSERT_EQ(world.start(), std::nullopt);
  world.settle();
  WireClient client(world);
  client.connect({.timeout_ms = 4'000, .password = replication::Bytes(16)});
  for (int i = 0; i < 20; ++i) {
    client.ask(protocol::SetDataRequest{.path = "/", .data = replication::Bytes(1)});
  }
  world.end_turn();
  while (world.status().last_applied.counter() < 20 && world.step_disk()) {
  }
  world.kill();
  world.take_trace();

  ASSERT_EQ(world.start(), std::nullopt);
  world.settle();
  EXPECT_TRUE(world.status().serving);
  const auto trace = world.take_trace();
  EXPECT_TRUE(std::ranges::any_of(trace, [](const replication::TraceEvent& event) {
    return std::holds_alternative<replication::SnapshotFinished>(event);
  }));
}

int snapshots_begun(const std::vector<replication::TraceEvent>& trace) {
  return static_cast<int>(std::ranges::count_if(trace, [](const replication::TraceEvent& event) {
    return std::holds_alternative<replication::SnapshotBegan>(event);
  }));
}

TEST(ReplicaSnapshots, TheSizeOfTheLogIsAReasonToo) {
  for (const std::uint64_t bytes : {std::uint64_t{2'000}, std::uint64_t{0}}) {
    ReplicaWorld world({.snapshot_log_bytes = bytes}, 1);
    ASSERT_EQ(world.start(), std::nullopt);
    world.settle();
    WireClient client(world);
    client.connect({.timeout_ms = 4'000, .password = replication::Bytes(16)});
    const auto write = [&](int times) {
      for (int i = 0; i < times; ++i) {
        client.ask(protocol::SetDataRequest{.path = "/", .data = replication::Bytes(200)});
        world.settle();
      }
    };
    write(5);
    EXPECT_EQ(snapshots_begun(world.take_trace()), 0);
    write(5);
    EXPECT_EQ(snapshots_begun(world.take_trace()), bytes == 0 ? 0 : 1);
    // A start counts what it finds behind the last snapshot.
    write(5);
    world.kill();
    ASSERT_EQ(world.start(), std::nullopt);
    world.settle();
    client.connect({.timeout_ms = 4'000, .password = replication::Bytes(16)});
    write(5);
    EXPECT_EQ(snapshots_begun(world.take_trace()), bytes == 0 ? 0 : 1);
  }
}

TEST(ReplicaSnapshots, AnOperatorMayAskForOneOfThisMoment) {
  ReplicaWorld world({}, 1);
  ASSERT_EQ(world.start(), std::nullopt);
  world.settle();
  world.replica().take_snapshot();
  world.settle();
  EXPECT_EQ(snapshots_begun(world.take_trace()), 0) << "there is nothing to write";
  EXPECT_EQ(world.status().newest_snapshot, replication::Zxid{});

  WireClient client(world);
  client.connect({.timeout_ms = 4'000, .password = replication::Bytes(16)});
  client.ask(protocol::SetDataRequest{.path = "/", .data = replication::Bytes(1)});
  world.settle();
  world.replica().take_snapshot();
  world.settle();
  EXPECT_EQ(world.status().newest_snapshot, world.status().last_applied);
  EXPECT_EQ(snapshots_begun(world.take_trace()), 1);
  world.replica().take_snapshot();
  world.settle();
  EXPECT_EQ(snapshots_begun(world.take_trace()), 0) << "it is there";

  client.ask(protocol::SetDataRequest{.path = "/", .data = replication::Bytes(1)});
  world.settle();
  world.replica().take_snapshot();
  world.settle();
  EXPECT_EQ(world.status().newest_snapshot, world.status().last_applied);
  world.kill();
  ASSERT_EQ(world.start(), std::nullopt);
  EXPECT_EQ(world.status().newest_snapshot, world.status().last_applied);
}

}  // namespace
}  // namespace zabfs::test
