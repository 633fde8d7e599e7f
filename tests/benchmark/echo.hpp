// The least that any server does: a thread which sends back what it gets, over loopback. What a
// round trip to it takes is what the machine and its scheduler take, and no server can be below.
#pragma once

#include <cstdint>
#include <thread>

namespace zabfs::benchmark {

// Connects to 127.0.0.1 without delaying small messages; throws std::runtime_error if nobody
// listens there. The caller closes it.
int connect_to(std::uint16_t port);

class EchoServer {
 public:
  // Starts listening, for one connection.
  EchoServer();
  // Waits for that connection to be closed, so one must have been made.
  ~EchoServer();
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  void serve() const;

  int listener_;
  std::uint16_t port_{};
  std::thread thread_;
};

}  // namespace zabfs::benchmark
