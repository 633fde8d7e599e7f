#include "tests/simulator/sim_server.hpp"

#include "replication/model/check.hpp"

namespace zabfs::test {

using replication::Bytes;
using replication::ConnectionId;
using replication::ServerId;

namespace {

constexpr Micros drift_ppm_max = 10'000;
constexpr std::int64_t wall_ms_at_start = 1'700'000'000'000;

}  // namespace

SimServer::SimServer(const replication::ReplicaOptions& options, std::uint64_t seed,
                     Surroundings& surroundings)
    : options_(options), surroundings_(surroundings), secrets_(seed) {
  clock_began_ms_ = static_cast<std::int64_t>(secrets_.below(100'000'000));
  wall_began_ms_ = wall_ms_at_start + static_cast<std::int64_t>(secrets_.below(600'000));
  clock_parts_per_million_ = 1'000'000 + draw_between(secrets_, -drift_ppm_max, drift_ppm_max);
}

std::optional<std::string> SimServer::start(std::function<void(replication::Ticket)> on_disk_done) {
  CHECK(!replica_, "server ", id(), " runs already");
  ++life_;
  on_servers({.in_force = options_.ensemble});
  replica_ = std::make_unique<replication::Replica>(
      options_, replication::ReplicaPorts{.clock = *this,
                                          .entropy = *this,
                                          .authenticator = authenticator_,
                                          .disk = disk_,
                                          .clients = *this,
                                          .peers = *this,
                                          .trace = *this});
  disk_.on_done(std::move(on_disk_done));
  auto refusal = replica_->start();
  if (refusal) {
    stop(nullptr);
  }
  return refusal;
}

void SimServer::stop(replication::Random* chance) {
  if (chance != nullptr) {
    disk_.crash(*chance);
  } else {
    disk_.kill();
  }
  outcome_now_ = {};
  replica_.reset();
}

SimServer::Outcome SimServer::Outboxes::take() {
  Outcome outcome{.to_peers = {}, .to_clients = {}, .closed = std::move(closed)};
  for (auto& [peer, bytes] : peers) {
    if (!bytes.empty()) {
      outcome.to_peers.emplace_back(peer, std::move(bytes));
    }
  }
  for (auto& [connection, bytes] : clients) {
    if (!bytes.empty()) {
      outcome.to_clients.emplace_back(connection, std::move(bytes));
    }
  }
  return outcome;
}

std::int64_t SimServer::monotonic_ms() const {
  return clock_began_ms_ + surroundings_.now() / millisecond * clock_parts_per_million_ / 1'000'000;
}

std::int64_t SimServer::wall_ms() const {
  return wall_began_ms_ + surroundings_.now() / millisecond;
}

void SimServer::fill(std::span<std::uint8_t> bytes) {
  for (auto& byte : bytes) {
    byte = static_cast<std::uint8_t>(secrets_.next());
  }
}

Bytes& SimServer::outbox(ConnectionId connection) { return outcome_now_.clients[connection]; }

void SimServer::close(ConnectionId connection) {
  outcome_now_.closed.push_back(connection);
  surroundings_.on_client_refused(connection);
}

Bytes& SimServer::outbox(ServerId peer) {
  CHECK(surroundings_.is_peer_up(id(), peer), "server ", id(), " has no connection to ", peer);
  return outcome_now_.peers[peer];
}

std::size_t SimServer::unsent(ServerId peer) const {
  const auto waiting = outcome_now_.peers.find(peer);
  return surroundings_.unsent(id(), peer) +
         (waiting == outcome_now_.peers.end() ? 0 : waiting->second.size());
}

void SimServer::drop(ServerId peer) {
  outcome_now_.peers.erase(peer);
  if (surroundings_.is_peer_up(id(), peer)) {
    surroundings_.drop_peer(id(), peer);
  }
}

void SimServer::on_servers(const replication::KnownServers& servers) {
  known_.clear();
  std::vector<replication::Ensemble> ensembles = servers.heard;
  ensembles.push_back(servers.in_force);
  if (servers.next) {
    ensembles.push_back(*servers.next);
  }
  for (const auto& ensemble : ensembles) {
    for (const auto& member : ensemble.members) {
      known_.insert(member.id);
    }
  }
}

void SimServer::record(const replication::TraceEvent& event) {
  surroundings_.on_trace(id(), event);
}

}  // namespace zabfs::test
