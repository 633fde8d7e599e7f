#include "daemon/clients/listener.hpp"

#include <boost/asio/ip/v6_only.hpp>
#include <chrono>
#include <utility>

namespace zabfs::daemon::clients {

using boost::asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds pause_without_descriptors{100};

// What can be done about `error`, for the operator.
std::string advice(const error_code& error) {
  if (error == boost::asio::error::address_in_use) {
    return "stop the program that has this port, or change clientPort";
  }
  if (error == boost::asio::error::access_denied) {
    return "choose a clientPort above 1023, or run as a user that may take this one";
  }
  return "check clientPort and clientPortAddress";
}

}  // namespace

Listener::Listener(boost::asio::io_context& context, OnAccepted on_accepted)
    : acceptor_(context), pause_(context), on_accepted_(std::move(on_accepted)) {}

std::optional<std::string> Listener::listen(const std::string& address, std::uint16_t port,
                                            int backlog) {
  error_code error;
  if (address.empty()) {
    error = open({tcp::v6(), port}, backlog);
    if (error == boost::asio::error::address_family_not_supported ||
        error == boost::asio::error::make_error_code(
                     static_cast<boost::asio::error::basic_errors>(EADDRNOTAVAIL))) {
      error = open({tcp::v4(), port}, backlog);  // a machine without IPv6
    }
  } else {
    tcp::resolver resolver(acceptor_.get_executor());
    const auto found = resolver.resolve(address, std::to_string(port), error);
    if (!error) {
      error = open(found.begin()->endpoint(), backlog);
    }
  }
  if (error) {
    return "cannot listen on " + (address.empty() ? "port" : address + " port") + " " +
           std::to_string(port) + ": " + error.message() + " (" + advice(error) + ")";
  }
  port_ = acceptor_.local_endpoint().port();
  return std::nullopt;
}

error_code Listener::open(const tcp::endpoint& endpoint, int backlog) {
  error_code error;
  acceptor_.close(error);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) {
    acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  }
  if (!error && endpoint.protocol() == tcp::v6()) {
    acceptor_.set_option(boost::asio::ip::v6_only(false), error);
  }
  if (!error) {
    acceptor_.bind(endpoint, error);
  }
  if (!error) {
    acceptor_.listen(backlog, error);
  }
  return error;
}

void Listener::start() {
  acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
    if (error != boost::asio::error::operation_aborted) {
      on_accepted(error, std::move(socket));
    }
  });
}

void Listener::on_accepted(const error_code& error, tcp::socket socket) {
  if (!error) {
    on_accepted_(std::move(socket));
  }
  if (!error || error == boost::asio::error::connection_aborted) {
    start();
    return;
  }
  pause_.expires_after(pause_without_descriptors);
  pause_.async_wait([this](const error_code& cancelled) {
    if (!cancelled) {
      start();
    }
  });
}

void Listener::close() {
  error_code ignored;  // There is nothing to do about it.
  acceptor_.close(ignored);
  pause_.cancel();
}

}  // namespace zabfs::daemon::clients
