// Accepts clients on one port, over IPv4 and IPv6.
//
// When the process has no file descriptor left, accepting pauses for a moment instead of spinning:
// the clients wait in the kernel's queue meanwhile.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace zabfs::daemon::clients {

class Listener {
 public:
  using OnAccepted = std::function<void(boost::asio::ip::tcp::socket)>;

  // `context` outlives the listener.
  Listener(boost::asio::io_context& context, OnAccepted on_accepted);

  // Takes the port; an empty address means all of them, port 0 a free one. Clients can connect from
  // now on, and wait. Returns a sentence if it cannot be done.
  std::optional<std::string> listen(const std::string& address, std::uint16_t port, int backlog);

  // Begins to accept.
  void start();

  // Accepts nobody any more, and gives the port up.
  void close();

  // The port that was taken.
  std::uint16_t port() const { return port_; }

 private:
  boost::system::error_code open(const boost::asio::ip::tcp::endpoint& endpoint, int backlog);
  void on_accepted(const boost::system::error_code& error, boost::asio::ip::tcp::socket socket);

  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  OnAccepted on_accepted_;
  std::uint16_t port_{};
};

}  // namespace zabfs::daemon::clients
