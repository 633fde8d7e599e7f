#include <gtest/gtest.h>

#include <algorithm>
#include <variant>

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

}  // namespace
}  // namespace zabfs::test
