#include "tests/simulator/sim_connections.hpp"

#include <algorithm>
#include <utility>

namespace zabfs::test {

using replication::Bytes;
using replication::ByteView;
using replication::ConnectionId;
using replication::ServerId;

// --- clients ---

// The first frame to the server is empty: it is the connection itself.
ConnectionId SimConnections::open(ServerId server, std::function<void()> wake) {
  const ConnectionId id{++last_id_};
  Connection& connection = connections_[id];
  connection.server = server;
  connection.wake = std::move(wake);
  push(connection.to_server, {}, false);
  pump_server(id);
  return id;
}

void SimConnections::send(ConnectionId id, ByteView payload) {
  const auto found = connections_.find(id);
  if (found != connections_.end() && found->second.is_client_open) {
    push(found->second.to_server, Bytes(payload.begin(), payload.end()), false);
    pump_server(id);
  }
}

void SimConnections::hang_up(ConnectionId id) {
  const auto found = connections_.find(id);
  if (found == connections_.end() || !found->second.is_client_open) {
    return;
  }
  found->second.is_client_open = false;
  found->second.to_client.frames.clear();
  push(found->second.to_server, {}, true);
  pump_server(id);
}

bool SimConnections::is_open(ConnectionId id) const {
  const auto found = connections_.find(id);
  return found != connections_.end() && found->second.is_client_open;
}

Bytes SimConnections::take_received(ConnectionId id) {
  const auto found = connections_.find(id);
  return found == connections_.end() ? Bytes() : std::exchange(found->second.received, {});
}

// --- servers ---

void SimConnections::stop(ServerId server, bool without_power) {
  running_.erase(server);
  held_.erase(server);
  for (const ConnectionId id : of(server)) {
    Connection& connection = connections_.at(id);
    connection.is_server_open = false;
    lose_some(connection.to_client);
    if (!without_power) {
      push(connection.to_client, {}, true);
      pump_client(id);
    }
  }
}

void SimConnections::release(ServerId server) {
  held_.erase(server);
  read_on(server);
}

void SimConnections::reply(ConnectionId id, Bytes frames) {
  const auto found = connections_.find(id);
  if (found != connections_.end() && found->second.is_client_open) {
    push(found->second.to_client, std::move(frames), false);
    pump_client(id);
  }
}

void SimConnections::close(ConnectionId id) {
  const auto found = connections_.find(id);
  if (found != connections_.end()) {
    found->second.is_server_open = false;
    push(found->second.to_client, {}, true);
    pump_client(id);
  }
}

void SimConnections::refuse(ConnectionId id) { connections_.at(id).is_server_open = false; }

void SimConnections::read_on(ServerId server) {
  for (const ConnectionId id : of(server)) {
    pump_server(id);
  }
}

void SimConnections::break_one() {
  if (connections_.empty()) {
    return;
  }
  auto at = connections_.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(chance_.below(connections_.size())));
  Connection& connection = at->second;
  const ConnectionId id = at->first;
  lose_some(connection.to_client);
  lose_some(connection.to_server);
  push(connection.to_client, {}, true);
  push(connection.to_server, {}, true);
  pump_client(id);
  pump_server(id);
}

// --- what is under way ---

void SimConnections::push(Pipe& pipe, Bytes bytes, bool is_end) {
  Micros arrives = events_.now() + draw_between(chance_, 50, delay_max_);
  if (!pipe.frames.empty()) {
    arrives = std::max(arrives, pipe.frames.back().arrives);
  }
  pipe.frames.push_back({.bytes = std::move(bytes), .is_end = is_end, .arrives = arrives});
}

void SimConnections::lose_some(Pipe& pipe) {
  pipe.frames.resize(chance_.below(pipe.frames.size() + 1));
}

void SimConnections::pump_server(ConnectionId id) {
  Connection& connection = connections_.at(id);
  Pipe& pipe = connection.to_server;
  if (pipe.frames.empty() || pipe.is_planned || held_.contains(connection.server)) {
    return;
  }
  if (connection.is_server_open && !pipe.frames.front().is_end &&
      !listener_.may_read(connection.server, id)) {
    return;
  }
  pipe.is_planned = true;
  events_.after(std::max<Micros>(0, pipe.frames.front().arrives - events_.now()),
                [this, id] { arrive_at_server(id); });
}

void SimConnections::pump_client(ConnectionId id) {
  Pipe& pipe = connections_.at(id).to_client;
  if (!pipe.frames.empty() && !pipe.is_planned) {
    pipe.is_planned = true;
    events_.after(std::max<Micros>(0, pipe.frames.front().arrives - events_.now()),
                  [this, id] { arrive_at_client(id); });
  }
}

void SimConnections::arrive_at_server(ConnectionId id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) {
    return;
  }
  Connection& connection = found->second;
  const ServerId server = connection.server;
  Pipe& pipe = connection.to_server;
  pipe.is_planned = false;
  if (pipe.frames.empty() || held_.contains(server)) {
    return;
  }
  const Frame frame = std::move(pipe.frames.front());
  pipe.frames.pop_front();
  const bool is_first = !std::exchange(connection.is_accepted, true);
  if (!running_.contains(server) || (!is_first && !connection.is_server_open)) {
    connection.is_server_open = false;
    if (running_.contains(server) || is_first) {  // nobody listens there, or not any more
      push(connection.to_client, {}, true);
      pump_client(id);
    }
  } else if (is_first) {
    connection.is_server_open = true;
    listener_.on_client_connected(server, id);
  } else if (frame.is_end) {
    connection.is_server_open = false;
    listener_.on_client_gone(server, id);
  } else {
    listener_.on_client_frame(server, id, frame.bytes);
  }
  if (connections_.contains(id)) {
    pump_server(id);
    forget_if_over(id);
  }
}

void SimConnections::arrive_at_client(ConnectionId id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) {
    return;
  }
  Connection& connection = found->second;
  connection.to_client.is_planned = false;
  if (connection.to_client.frames.empty()) {
    forget_if_over(id);
    return;
  }
  const Frame frame = std::move(connection.to_client.frames.front());
  connection.to_client.frames.pop_front();
  if (!connection.is_client_open) {
    forget_if_over(id);
    return;
  }
  if (frame.is_end) {
    connection.is_client_open = false;
  }
  connection.received.insert(connection.received.end(), frame.bytes.begin(), frame.bytes.end());
  pump_client(id);
  const auto wake = connection.wake;
  wake();
  forget_if_over(id);
}

// Neither end will ask about it again.
void SimConnections::forget_if_over(ConnectionId id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) {
    return;
  }
  const Connection& connection = found->second;
  if (!connection.is_client_open && !connection.is_server_open && connection.is_accepted &&
      connection.to_server.frames.empty() && connection.to_client.frames.empty()) {
    connections_.erase(found);
  }
}

std::vector<ConnectionId> SimConnections::of(ServerId server) const {
  std::vector<ConnectionId> ids;
  for (const auto& [id, connection] : connections_) {
    if (connection.server == server) {
      ids.push_back(id);
    }
  }
  return ids;
}

}  // namespace zabfs::test
