// Accepts connections on one port.
//
// When the process has no file descriptor left, accepting pauses for a moment instead of spinning.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace zabfs::daemon::sockets {

// For the sentence that says why a port cannot be had.
struct PortPurpose {
  std::string whom{};            // is listened for: " for the other servers"; may be empty
  std::string when_taken{};      // what to do if another program has the port
  std::string when_forbidden{};  // if this user may not have it; empty: as otherwise
  std::string otherwise{};
};

class Acceptor {
 public:
  using OnAccepted = std::function<void(boost::asio::ip::tcp::socket)>;

  // `context` outlives the acceptor.
  Acceptor(boost::asio::io_context& context, PortPurpose purpose, OnAccepted on_accepted);

  // Takes the port (blocking, while a name is looked up); an empty host means all addresses, port 0
  // a free port. Returns a sentence if it cannot be done.
  std::optional<std::string> listen(const std::string& host, std::uint16_t port, int backlog);

  // Begins to accept.
  void start();

  // Accepts nobody any more, and gives the port up.
  void close();

  // The port that was taken; 0 if none was, also when it could not be done the last time.
  std::uint16_t port() const { return port_; }

 private:
  boost::system::error_code open(const boost::asio::ip::tcp::endpoint& endpoint, int backlog);
  void on_accepted(const boost::system::error_code& error, boost::asio::ip::tcp::socket socket);
  const std::string& advice(const boost::system::error_code& error) const;

  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  const PortPurpose purpose_;
  OnAccepted on_accepted_;
  std::uint16_t port_{};
};

}  // namespace zabfs::daemon::sockets
