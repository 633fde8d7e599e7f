#include "tests/support/replica_world.hpp"

#include <utility>

#include "replication/model/check.hpp"

namespace zabfs::test {

using replication::Bytes;
using replication::ByteView;
using replication::ConnectionId;

ReplicaWorld::ReplicaWorld(const replication::ReplicaOptions& options, std::uint64_t seed)
    : options_(options), secrets_(seed) {}

std::optional<std::string> ReplicaWorld::start() {
  CHECK(replica_ == nullptr, "the process runs already");
  replica_ = std::make_unique<replication::Replica>(
      options_, replication::ReplicaPorts{.clock = *this,
                                          .entropy = *this,
                                          .authenticator = authenticator_,
                                          .disk = disk_,
                                          .clients = *this,
                                          .peers = *this,
                                          .trace = *this,
                                          .metrics = &metrics_});
  disk_.on_done([this](replication::Ticket ticket) {
    replica_->on_disk_done(ticket);
    replica_->on_turn_end();
  });
  auto refusal = replica_->start();
  if (refusal) {
    kill();
  }
  return refusal;
}

void ReplicaWorld::kill() {
  disk_.kill();
  end_process();
}

void ReplicaWorld::crash(replication::Random& chance) {
  disk_.crash(chance);
  end_process();
}

void ReplicaWorld::end_process() {
  replica_.reset();
  for (auto& [id, link] : links_) {
    link.is_open = false;
  }
}

ConnectionId ReplicaWorld::connect() {
  const ConnectionId id{links_.size() + 1};
  links_[id];
  replica_->on_connected(id, "client " + std::to_string(id.value));
  return id;
}

void ReplicaWorld::deliver(ConnectionId connection, ByteView payload) {
  CHECK(is_open(connection), "connection ", connection, " is closed");
  replica_->on_frame(connection, payload);
}

void ReplicaWorld::disconnect(ConnectionId connection) {
  if (is_open(connection)) {
    links_.at(connection).is_open = false;
    replica_->on_disconnected(connection);
  }
}

void ReplicaWorld::advance(std::int64_t ms) {
  now_ms_ += ms;
  replica_->on_tick();
}

void ReplicaWorld::end_turn() { replica_->on_turn_end(); }

void ReplicaWorld::settle() {
  end_turn();
  disk_.run();
}

bool ReplicaWorld::is_open(ConnectionId connection) const { return links_.at(connection).is_open; }

Bytes ReplicaWorld::take_sent(ConnectionId connection) {
  return std::exchange(links_.at(connection).sent, {});
}

std::vector<replication::TraceEvent> ReplicaWorld::take_trace() {
  return std::exchange(trace_, {});
}

void ReplicaWorld::fill(std::span<std::uint8_t> bytes) {
  for (auto& byte : bytes) {
    byte = static_cast<std::uint8_t>(secrets_.next());
  }
}

Bytes& ReplicaWorld::outbox(ConnectionId connection) {
  CHECK(is_open(connection), "connection ", connection, " is closed");
  return links_.at(connection).sent;
}

void ReplicaWorld::close(ConnectionId connection) {
  CHECK(is_open(connection), "connection ", connection, " is closed twice");
  links_.at(connection).is_open = false;
}

Bytes& ReplicaWorld::outbox(replication::ServerId peer) {
  replication::fail_check(__FILE__, __LINE__, "nobody is linked", peer);
}

}  // namespace zabfs::test
