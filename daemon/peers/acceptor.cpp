#include "daemon/peers/acceptor.hpp"

#include <boost/asio/ip/v6_only.hpp>
#include <chrono>
#include <utility>

#include "replication/model/limits.hpp"

namespace zabfs::daemon::peers {

using boost::asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds pause_without_descriptors{100};

std::string advice(const error_code& error) {
  return error == boost::asio::error::address_in_use
             ? "stop the program that has this port, or change this server's line server.N "
               "everywhere"
             : "check the address in this server's own line server.N; with "
               "quorumListenOnAllIPs=true only the port matters";
}

}  // namespace

Acceptor::Acceptor(boost::asio::io_context& context, OnAccepted on_accepted)
    : acceptor_(context), pause_(context), on_accepted_(std::move(on_accepted)) {}

std::optional<std::string> Acceptor::listen(const std::string& host, std::uint16_t port) {
  error_code error;
  if (host.empty()) {
    error = open({tcp::v6(), port});
    if (error) {
      error = open({tcp::v4(), port});  // a machine without IPv6
    }
  } else {
    tcp::resolver resolver(acceptor_.get_executor());
    const auto found = resolver.resolve(host, std::to_string(port), error);
    if (!error) {
      error = open(found.begin()->endpoint());
    }
  }
  if (error) {
    return "cannot listen for the other servers on " + (host.empty() ? "port" : host + " port") +
           " " + std::to_string(port) + ": " + error.message() + " (" + advice(error) + ")";
  }
  port_ = acceptor_.local_endpoint().port();
  return std::nullopt;
}

error_code Acceptor::open(const tcp::endpoint& endpoint) {
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
    acceptor_.listen(static_cast<int>(replication::limits::peer_strangers_max), error);
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

}  // namespace zabfs::daemon::peers
