// One server of the simulated ensemble: a replica, its disk, its clock and its doors.
//
// The process comes and goes; the disk and the clock stay. The clock runs a little fast or slow and
// began at a moment of its own, but never goes back; wall clocks of two servers may differ by
// minutes.
//
// A process can die in the middle of what it does: whoever hears of an event in its diary may throw
// ProcessDied, and nothing the process did in that turn leaves it. So every kind of TraceEvent is a
// named crash point.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "replication/ports/random.hpp"
#include "replication/replica.hpp"
#include "tests/simulator/event_queue.hpp"
#include "tests/support/sim_disk.hpp"
#include "tests/support/trusting_authenticator.hpp"

namespace zabfs::test {

// Thrown through a replica whose process ends here and now.
struct ProcessDied {};

class SimServer : private replication::Clock,
                  private replication::Entropy,
                  private replication::ClientLinks,
                  private replication::PeerLinks,
                  private replication::Trace {
 public:
  // What is outside of every server.
  class Surroundings {
   public:
    virtual ~Surroundings() = default;
    virtual Micros now() const = 0;
    virtual bool is_peer_up(replication::ServerId at, replication::ServerId peer) const = 0;
    virtual std::size_t unsent(replication::ServerId from, replication::ServerId to) const = 0;
    virtual void drop_peer(replication::ServerId at, replication::ServerId peer) = 0;
    virtual void on_client_refused(replication::ConnectionId id) = 0;
    virtual void on_trace(replication::ServerId at, const replication::TraceEvent& event) = 0;
  };

  // What one turn has to say to the outside.
  struct Outcome {
    std::vector<std::pair<replication::ServerId, replication::Bytes>> to_peers{};
    std::vector<std::pair<replication::ConnectionId, replication::Bytes>> to_clients{};
    std::vector<replication::ConnectionId> closed{};  // after what they are sent
  };

  // `surroundings` outlives the server.
  SimServer(const replication::ReplicaOptions& options, std::uint64_t seed,
            Surroundings& surroundings);

  replication::ServerId id() const { return options_.id; }
  const replication::ReplicaOptions& options() const { return options_; }

  // The process begins; it must not run. Its refusal to start, if it refused (it is gone then).
  // `on_disk_done` hears of finished submissions. May throw ProcessDied.
  std::optional<std::string> start(std::function<void(replication::Ticket)> on_disk_done);

  // The process ends. With `chance` the power fails too.
  void stop(replication::Random* chance);

  // Whether it has the address of that server.
  bool knows(replication::ServerId server) const { return known_.contains(server); }

  bool is_running() const { return replica_ != nullptr; }
  replication::Replica& replica() { return *replica_; }
  const replication::Replica& replica() const { return *replica_; }
  SimDisk& disk() { return disk_; }
  const SimDisk& disk() const { return disk_; }

  // Counts the processes there were.
  std::uint64_t life() const { return life_; }

  Outcome take_outcome() { return std::exchange(outcome_now_, {}).take(); }

 private:
  // What the replica appends to, in order of the receivers' ids.
  struct Outboxes {
    std::map<replication::ServerId, replication::Bytes> peers{};
    std::map<replication::ConnectionId, replication::Bytes> clients{};
    std::vector<replication::ConnectionId> closed{};

    Outcome take();
  };

  std::int64_t monotonic_ms() const override;
  std::int64_t wall_ms() const override;
  void fill(std::span<std::uint8_t> bytes) override;
  replication::Bytes& outbox(replication::ConnectionId connection) override;
  void close(replication::ConnectionId connection) override;
  replication::Bytes& outbox(replication::ServerId peer) override;
  std::size_t unsent(replication::ServerId peer) const override;
  void drop(replication::ServerId peer) override;
  void on_servers(const replication::KnownServers& servers) override;
  void record(const replication::TraceEvent& event) override;
  bool wants_transactions() const override { return true; }

  const replication::ReplicaOptions options_;
  Surroundings& surroundings_;
  replication::Random secrets_;
  const TrustingAuthenticator authenticator_{};
  std::int64_t clock_began_ms_{};
  std::int64_t wall_began_ms_{};
  std::int64_t clock_parts_per_million_{};  // of real time: 1'000'000 is a perfect clock
  SimDisk disk_;
  Outboxes outcome_now_;
  std::set<replication::ServerId> known_;  // as a daemon knows them
  std::uint64_t life_{};
  std::unique_ptr<replication::Replica> replica_;
};

}  // namespace zabfs::test
