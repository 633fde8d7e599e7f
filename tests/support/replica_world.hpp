// One replica and the whole world around it, for tests: a simulated disk, a clock that moves only
// when told to, chance and secrets from a seed, and the connections of clients.
//
//   deliver, advance ... --> end_turn --> step_disk ... step_disk
//                                         (each finished submission is a turn of its own)
//
// The process of the replica comes and goes with start(), kill() and crash(); disk and clock stay.
// One seed and one sequence of calls is one run, to the byte.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "replication/model/metrics.hpp"
#include "replication/ports/random.hpp"
#include "replication/replica.hpp"
#include "tests/support/client_transport.hpp"
#include "tests/support/sim_disk.hpp"
#include "tests/support/trusting_authenticator.hpp"

namespace zabfs::test {

class ReplicaWorld : public ClientTransport,
                     private replication::Clock,
                     private replication::Entropy,
                     private replication::ClientLinks,
                     private replication::PeerLinks,
                     private replication::Trace {
 public:
  // What wall clocks show when the monotonic clock shows 0.
  static constexpr std::int64_t wall_ms_at_start = 1'000'000;

  ReplicaWorld(const replication::ReplicaOptions& options, std::uint64_t seed);
  ReplicaWorld(const ReplicaWorld&) = delete;
  ReplicaWorld& operator=(const ReplicaWorld&) = delete;

  // The process starts, which must not run. Returns its refusal, if it refused. It serves once the
  // disk has done its work.
  std::optional<std::string> start();

  // The process dies; what the disk has done stays visible, as after kill -9.
  void kill();

  // The power fails: what was not synced is up to `chance`.
  void crash(replication::Random& chance);

  replication::ConnectionId connect() override;

  void deliver(replication::ConnectionId connection, replication::ByteView payload) override;
  void disconnect(replication::ConnectionId connection) override;

  // The clock moves on, and the replica hears a tick.
  void advance(std::int64_t ms);

  void end_turn();

  // The disk does one job; false if it has none.
  bool step_disk() { return disk_.step(); }

  // Ends the turn and lets the disk work until nothing moves any more.
  void settle();

  // What the replica says to the next frame of the connection, which must be open.
  bool may_read(replication::ConnectionId connection, std::size_t bytes = 0) const {
    return replica_->may_read(connection, bytes);
  }

  bool is_open(replication::ConnectionId connection) const override;
  replication::Bytes take_sent(replication::ConnectionId connection) override;

  // What the diary recorded since this was last asked.
  std::vector<replication::TraceEvent> take_trace();

  std::int64_t now_ms() const { return now_ms_; }
  const SimDisk& disk() const { return disk_; }
  SimDisk& disk() { return disk_; }
  replication::ReplicaStatus status() const { return replica_->status(); }
  replication::Replica& replica() { return *replica_; }
  const replication::Metrics& metrics() const { return metrics_; }
  bool is_running() const { return replica_ != nullptr; }

 private:
  replication::Metrics metrics_{};  // of all lives
  struct Link {
    replication::Bytes sent{};
    bool is_open{true};
  };

  std::int64_t monotonic_ms() const override { return now_ms_; }
  std::int64_t wall_ms() const override { return wall_ms_at_start + now_ms_; }
  void fill(std::span<std::uint8_t> bytes) override;
  replication::Bytes& outbox(replication::ConnectionId connection) override;
  void close(replication::ConnectionId connection) override;

  // This replica is alone: no link is ever up.
  replication::Bytes& outbox(replication::ServerId peer) override;
  std::size_t unsent(replication::ServerId /*peer*/) const override { return 0; }
  void drop(replication::ServerId /*peer*/) override {}
  void record(const replication::TraceEvent& event) override { trace_.push_back(event); }

  void end_process();

  const replication::ReplicaOptions options_;
  replication::Random secrets_;
  const TrustingAuthenticator authenticator_{};
  SimDisk disk_;
  std::int64_t now_ms_{};
  std::map<replication::ConnectionId, Link> links_;
  std::vector<replication::TraceEvent> trace_;
  std::unique_ptr<replication::Replica> replica_;
};

}  // namespace zabfs::test
