// One connected socket, plain or inside TLS: bytes in and out, without ever blocking.
//
// Whoever has it waits on the socket until it is readable or writable, as the outcome of the last
// call says, and tries again. Plain, a call here is one system call; with TLS it is as many as the
// bytes take.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <span>
#include <string>

#include "daemon/tls/session.hpp"
#include "replication/model/bytes.hpp"

namespace zabfs::daemon::sockets {

enum class Outcome {
  done,           // at least one byte has moved; the handshake is over
  wait_readable,  // then try again
  wait_writable,  // likewise
  ended,          // by the other side, or by an error: the channel is of no further use
};

struct Transfer {
  Outcome outcome{};
  std::size_t bytes{};  // moved; 0 unless done
};

class Channel {
 public:
  using Socket = boost::asio::ip::tcp::socket;

  explicit Channel(Socket socket) : socket_(std::move(socket)) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel();

  Socket& socket() { return socket_; }

  // From here on everything goes through TLS, which begins with handshake(). Only once, while
  // nothing has moved yet.
  void secure(tls::Session session);
  bool is_secured() const { return session_ != nullptr; }

  // Until it is done, nothing else may be read or written.
  Outcome handshake();

  // What went wrong, as a phrase; empty if the other side has ended the connection in order.
  const std::string& failure() const { return failure_; }

  // As much as there is and `into` takes.
  Transfer read(std::span<std::uint8_t> into);

  // Does not wait for readability.
  Transfer write(replication::ByteView bytes);

  // True if something was taken from the socket that read() has not returned: then the socket may
  // never become readable, and read() must be called without waiting.
  bool has_buffered() const;

  // Says that nothing more follows.
  void finish();

  // The certificate that the other side has shown, and that is trusted; null if there is none.
  const X509* certificate() const;

 private:
  Transfer read_plain(std::span<std::uint8_t> into);
  Outcome outcome_of_errno(Outcome if_early);
  Outcome outcome_of(int result);

  Socket socket_;
  tls::Session session_;
  std::string failure_;
};

}  // namespace zabfs::daemon::sockets
