#include "tests/benchmark/echo.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace zabfs::benchmark {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void send_without_delay(int descriptor) {
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

int connect_to(std::uint16_t port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(descriptor);
    throw std::runtime_error("nobody listens on the port");
  }
  send_without_delay(descriptor);
  return descriptor;
}

EchoServer::EchoServer() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      listen(listener_, 1) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    close(listener_);
    throw std::runtime_error("no loopback port is free");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

EchoServer::~EchoServer() {
  thread_.join();
  close(listener_);
}

void EchoServer::serve() const {
  const int peer = accept(listener_, nullptr, nullptr);
  send_without_delay(peer);
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = recv(peer, buffer.data(), buffer.size(), 0)) > 0;) {
    if (send(peer, buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) != got) {
      break;
    }
  }
  close(peer);
}

}  // namespace zabfs::benchmark
