// A client of a test, on the same thread and the same io_context as what it talks to: it sends and
// receives raw bytes, and waits by running the context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <string>

#include "replication/model/bytes.hpp"

namespace zabfs::test {

// Runs `context` until `condition` holds; false if it still does not after 20 seconds.
bool run_until(boost::asio::io_context& context, const std::function<bool()>& condition);

class LoopbackClient {
 public:
  LoopbackClient(boost::asio::io_context& context, std::uint16_t port);

  // Takes a connection over that somebody else made.
  LoopbackClient(boost::asio::io_context& context, boost::asio::ip::tcp::socket socket);

  // Sends all of `bytes`, running the context while the other side does not read. False if the
  // other side has closed.
  bool send(replication::ByteView bytes);
  bool send(const std::string& text) { return send(replication::bytes_of(text)); }

  // Everything received so far and not taken yet.
  replication::Bytes& received();

  // Waits for `count` bytes and takes them; fewer if the other side closes first.
  replication::Bytes take(std::size_t count);

  // Waits for a whole frame and takes its payload.
  replication::Bytes take_frame();

  // True once the other side has closed the connection and everything is received.
  bool sees_the_end();

  // Ends its own side.
  void close() { socket_.close(); }

 private:
  void receive_what_is_there();

  boost::asio::io_context& context_;
  boost::asio::ip::tcp::socket socket_;
  replication::Bytes received_;
  bool ended_{};
};

}  // namespace zabfs::test
