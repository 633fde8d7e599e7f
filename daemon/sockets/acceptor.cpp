#include "daemon/sockets/acceptor.hpp"

#include <boost/asio/ip/v6_only.hpp>
#include <chrono>
#include <utility>

namespace zabfs::daemon::sockets {

using boost::asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds pause_without_descriptors{100};

}  // namespace

Acceptor::Acceptor(boost::asio::io_context& context, PortPurpose purpose, OnAccepted on_accepted)
    : acceptor_(context),
      pause_(context),
      purpose_(std::move(purpose)),
      on_accepted_(std::move(on_accepted)) {}

const std::string& Acceptor::advice(const error_code& error) const {
  if (error == boost::asio::error::address_in_use) {
    return purpose_.when_taken;
  }
  return error == boost::asio::error::access_denied && !purpose_.when_forbidden.empty()
             ? purpose_.when_forbidden
             : purpose_.otherwise;
}

std::optional<std::string> Acceptor::listen(const std::string& host, std::uint16_t port,
                                            int backlog) {
  error_code error;
  if (host.empty()) {
    error = open({tcp::v6(), port}, backlog);
    if (error == boost::asio::error::address_family_not_supported ||
        error == boost::asio::error::make_error_code(
                     static_cast<boost::asio::error::basic_errors>(EADDRNOTAVAIL))) {
      error = open({tcp::v4(), port}, backlog);  // a machine without IPv6
    }
  } else {
    tcp::resolver resolver(acceptor_.get_executor());
    const auto found = resolver.resolve(host, std::to_string(port), error);
    if (!error) {
      error = open(found.begin()->endpoint(), backlog);
    }
  }
  if (error) {
    port_ = 0;
    return "cannot listen" + purpose_.whom + " on " + (host.empty() ? "port" : host + " port") +
           " " + std::to_string(port) + ": " + error.message() + " (" + advice(error) + ")";
  }
  port_ = acceptor_.local_endpoint().port();
  return std::nullopt;
}

error_code Acceptor::open(const tcp::endpoint& endpoint, int backlog) {
  error_code error;
  acceptor_.close(error);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) {
    acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  }
  if (!error && endpoint.protocol() == tcp::v6()) {
    // An address of IPv4 comes through the one that stands for all.
    acceptor_.set_option(boost::asio::ip::v6_only(!endpoint.address().is_unspecified()), error);
  }
  if (!error) {
    acceptor_.bind(endpoint, error);
  }
  if (!error) {
    acceptor_.listen(backlog, error);
  }
  return error;
}

void Acceptor::start() {
  acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
    if (error != boost::asio::error::operation_aborted) {
      on_accepted(error, std::move(socket));
    }
  });
}

void Acceptor::on_accepted(const error_code& error, tcp::socket socket) {
  if (!acceptor_.is_open()) {
    return;
  }
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

void Acceptor::close() {
  error_code ignored;  // There is nothing to do about it.
  acceptor_.close(ignored);
  pause_.cancel();
}

}  // namespace zabfs::daemon::sockets
