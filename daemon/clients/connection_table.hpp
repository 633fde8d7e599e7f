// Every client connection of this process, by its id; and the end of a turn.
//
// A turn is a burst of events. When it is over, the events' receiver is told once, so that what the
// burst proposed becomes one batch of the log; then every connection with something to send sends
// it with one call; then those whose frames had to wait may try again. Each has its share of a turn
// (connection_shares.hpp), and who could take something this time is asked behind those who could
// not.
//
// A connection's id is its slot in the table with a serial number above it: found without a search,
// and never used again.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/clients/client_events.hpp"
#include "daemon/clients/connection.hpp"
#include "daemon/clients/connection_shares.hpp"
#include "replication/model/limits.hpp"
#include "replication/ports/client_links.hpp"
#include "replication/ports/clock.hpp"

namespace zabfs::daemon::clients {

class ConnectionTable : public replication::ClientLinks, private ConnectionOwner {
 public:
  // All of them outlive the table.
  ConnectionTable(boost::asio::io_context& context, const ConnectionBounds& bounds,
                  const replication::Clock& clock, replication::Metrics& metrics,
                  ClientEvents& events);
  ~ConnectionTable() override;

  // Takes a new connection over; closes it at once if that is one too many. With `session` there
  // is TLS on it.
  void add(Connection::Socket socket, tls::Session session = nullptr);

  replication::Bytes& outbox(replication::ConnectionId id) override;
  void close(replication::ConnectionId id) override;

  // Ends the turn after the events that are ready now. Call it after any event from elsewhere.
  void schedule_turn_end() override;

  // Closes whoever is overdue. Call it once in a while.
  void on_tick();

  // Sends what there is to send, then closes all.
  void close_all();

  // Those that are open.
  std::vector<std::shared_ptr<const Connection>> open_connections() const;

 private:
  static constexpr unsigned slot_bits = 16;
  static_assert(replication::limits::connections_max < (1U << slot_bits));

  ClientEvents& events() override { return events_; }
  ConnectionShares& shares() override { return shares_; }
  std::span<std::uint8_t> scratch() override { return scratch_; }
  void on_paused(Connection& connection) override { paused_.push_back(connection.id()); }
  void try_again_soon() override;
  void on_open(Connection& connection) override;
  void on_refused(Connection& connection, const std::string& why) override;
  void on_gone(Connection& connection, bool was_securing) override;

  static std::size_t slot_of(replication::ConnectionId id);
  std::shared_ptr<Connection> find(replication::ConnectionId id) const;

  // Why no more may come from this address; nothing if they may.
  std::optional<std::string> objection_to(const boost::asio::ip::address& from,
                                          bool is_secure) const;
  void remember_dirty(Connection& connection);
  void end_turn();
  void flush_dirty();
  void resume_paused();

  boost::asio::io_context& context_;
  ConnectionShares shares_;
  const replication::Clock& clock_;
  ClientEvents& events_;

  std::vector<std::shared_ptr<Connection>> slots_;
  std::vector<std::size_t> free_slots_;
  std::map<boost::asio::ip::address, std::size_t> per_address_;
  std::size_t securing_{};  // connections in the handshake of TLS
  std::uint64_t serial_{};

  std::vector<replication::ConnectionId> dirty_;   // with something to send
  std::vector<replication::ConnectionId> paused_;  // with frames that wait
  bool turn_end_is_due_{};
  boost::asio::steady_timer retry_;
  bool retry_is_due_{};
  std::vector<std::uint8_t> scratch_;
};

}  // namespace zabfs::daemon::clients
