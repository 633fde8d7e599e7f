#include "daemon/clients/connection_table.hpp"

#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

#include "replication/model/check.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::daemon::clients {

using boost::asio::ip::address;
using boost::asio::ip::tcp;
using replication::Bytes;
using replication::ConnectionId;

namespace {

constexpr std::size_t scratch_bytes = 256UL << 10;

// The client's address; one that came over IPv6 as IPv4 is IPv4.
address address_of(const tcp::endpoint& endpoint) {
  const auto given = endpoint.address();
  return given.is_v6() && given.to_v6().is_v4_mapped()
             ? address(make_address_v4(boost::asio::ip::v4_mapped, given.to_v6()))
             : given;
}

}  // namespace

ConnectionTable::ConnectionTable(boost::asio::io_context& context, const ConnectionBounds& bounds,
                                 const replication::Clock& clock, replication::Metrics& metrics,
                                 ClientEvents& events)
    : context_(context),
      shares_{.bounds = bounds, .metrics = metrics},
      clock_(clock),
      events_(events),
      retry_(context),
      scratch_(scratch_bytes) {}

ConnectionTable::~ConnectionTable() { close_all(); }

std::size_t ConnectionTable::slot_of(ConnectionId id) { return id.value & ((1U << slot_bits) - 1); }

std::shared_ptr<Connection> ConnectionTable::find(ConnectionId id) const {
  const auto& found = slots_.at(slot_of(id));
  return found && found->id() == id ? found : nullptr;
}

std::optional<std::string> ConnectionTable::objection_to(const address& from,
                                                         bool is_secure) const {
  const ConnectionBounds& bounds = shares_.bounds;
  if (slots_.size() - free_slots_.size() >= bounds.total_max) {
    return "is one more than " + std::to_string(bounds.total_max) + " connections (maxCnxns)";
  }
  if (is_secure && securing_ >= replication::limits::tls_handshakes_max) {
    return "is one more than " + std::to_string(replication::limits::tls_handshakes_max) +
           " clients in their handshake of TLS";
  }
  const auto siblings = per_address_.find(from);
  if (bounds.per_address_max != 0 && siblings != per_address_.end() &&
      siblings->second >= bounds.per_address_max) {
    return "has " + std::to_string(bounds.per_address_max) +
           " connections from its address already (maxClientCnxns)";
  }
  return std::nullopt;
}

void ConnectionTable::add(Connection::Socket socket, tls::Session session) {
  boost::system::error_code error;
  const auto remote = socket.remote_endpoint(error);
  if (error) {
    return;  // It is gone already.
  }
  const auto from = address_of(remote);
  if (const auto why = objection_to(from, session != nullptr)) {
    shares_.metrics.connection_rejected.add();
    events_.on_refused(from.to_string(), *why);
    return;  // The socket closes as it goes.
  }
  ++per_address_[from];
  socket.set_option(tcp::no_delay(true), error);  // Slower without it, nothing worse.
  if (shares_.bounds.keeps_alive) {
    socket.set_option(tcp::socket::keep_alive(true), error);  // Likewise.
  }
  if (free_slots_.empty()) {
    free_slots_.push_back(slots_.size());
    slots_.emplace_back();
  }
  const std::size_t slot = free_slots_.back();
  free_slots_.pop_back();
  const ConnectionId id{++serial_ << slot_bits | slot};
  ConnectionOwner& owner = *this;
  ++securing_;
  slots_[slot] = std::make_shared<Connection>(id, std::move(socket), std::move(session), owner,
                                              clock_.monotonic_ms());
  const auto added = slots_[slot];
  added->start();
}

void ConnectionTable::on_open(Connection& connection) {
  --securing_;
  events_.on_connected(connection.id(), address_of(connection.remote()).to_string(),
                       connection.certificate());
}

void ConnectionTable::on_refused(Connection& connection, const std::string& why) {
  events_.on_refused(address_of(connection.remote()).to_string(), why);
}

void ConnectionTable::on_gone(Connection& connection, bool was_securing) {
  securing_ -= was_securing ? 1 : 0;
  const std::size_t slot = slot_of(connection.id());
  const auto siblings = per_address_.find(address_of(connection.remote()));
  if (--siblings->second == 0) {
    per_address_.erase(siblings);
  }
  free_slots_.push_back(slot);
  slots_[slot].reset();
}

void ConnectionTable::remember_dirty(Connection& connection) {
  if (connection.becomes_dirty()) {
    dirty_.push_back(connection.id());
    schedule_turn_end();
  }
}

Bytes& ConnectionTable::outbox(ConnectionId id) {
  const auto& connection = slots_.at(slot_of(id));
  CHECK(connection && connection->id() == id && connection->is_open(), "connection ", id);
  remember_dirty(*connection);
  return connection->outbox();
}

void ConnectionTable::close(ConnectionId id) {
  const auto connection = find(id);
  CHECK(connection && connection->is_open(), "connection ", id);
  remember_dirty(*connection);
  connection->finish(clock_.monotonic_ms());
}

void ConnectionTable::schedule_turn_end() {
  if (!std::exchange(turn_end_is_due_, true)) {
    boost::asio::post(context_, [this] { end_turn(); });
  }
}

void ConnectionTable::try_again_soon() {
  if (!std::exchange(retry_is_due_, true)) {
    retry_.expires_after(std::chrono::microseconds(replication::limits::large_write_retry_us));
    retry_.async_wait([this](const boost::system::error_code& cancelled) {
      if (!cancelled) {
        retry_is_due_ = false;
        schedule_turn_end();
      }
    });
  }
}

void ConnectionTable::end_turn() {
  turn_end_is_due_ = false;
  events_.on_turn_end();
  flush_dirty();
  shares_.turn.begin_next();
  resume_paused();
}

void ConnectionTable::resume_paused() {
  std::vector<ConnectionId> served;
  for (const ConnectionId id : std::exchange(paused_, {})) {
    if (const auto connection = find(id)) {
      const auto before = connection->frames_received();
      connection->resume();
      if (connection->is_paused() && connection->frames_received() != before) {
        paused_.pop_back();
        served.push_back(id);
      }
    }
  }
  paused_.insert(paused_.end(), served.begin(), served.end());
}

void ConnectionTable::flush_dirty() {
  for (const ConnectionId id : std::exchange(dirty_, {})) {
    if (const auto connection = find(id)) {
      connection->flush();
    }
  }
}

void ConnectionTable::on_tick() {
  const auto now_ms = clock_.monotonic_ms();
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    if (slots_[slot] && slots_[slot]->is_overdue(now_ms)) {
      const auto connection = slots_[slot];
      connection->close_overdue();
    }
  }
}

void ConnectionTable::close_all() {
  flush_dirty();
  for (const auto& connection : std::vector(slots_)) {
    if (connection) {
      connection->abort();
    }
  }
}

std::vector<std::shared_ptr<const Connection>> ConnectionTable::open_connections() const {
  std::vector<std::shared_ptr<const Connection>> open;
  for (const auto& connection : slots_) {
    if (connection && connection->is_open()) {
      open.push_back(connection);
    }
  }
  return open;
}

}  // namespace zabfs::daemon::clients
