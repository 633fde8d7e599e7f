// One client's connection: bytes in, whole frames to the replica; frames from it, bytes out.
//
//                        nonsense, EOF, error, a client too slow to send to
//   securing --> open --------------------------------------------------------> gone
//                 |                                                              ^
//                 +--(the replica closes, a four-letter word)--> closing --------+
//                                  the outbox leaves, then the client has some time to close its
//                                  end
//
// With TLS a connection begins as one that nobody hears of, until its handshake is over.
//
// Closing waits for the client's end because a socket that is closed with unread bytes in it resets
// the connection, which takes the last reply away from the client.
//
// What was read is split where it lies, in a buffer that all connections share. Only what cannot be
// delivered yet is kept: a frame that is incomplete, or frames that must wait because the client
// has too much unanswered or unread, or has had its share of this turn. Reading stops then, so the
// client's own writes block in the end.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "daemon/clients/client_events.hpp"
#include "daemon/clients/connection_shares.hpp"
#include "daemon/sockets/channel.hpp"
#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"

namespace zabfs::daemon::clients {

class Connection;

// What the connections of one table share; outlives the last connection that is not gone.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;

  virtual ClientEvents& events() = 0;
  virtual ConnectionShares& shares() = 0;

  // A buffer to read into, for the moment.
  virtual std::span<std::uint8_t> scratch() = 0;

  // Something has happened that the end of the turn must see.
  virtual void schedule_turn_end() = 0;

  // The connection has frames that must wait: resume() it at the end of the turns to come.
  virtual void on_paused(Connection& connection) = 0;

  // A frame must wait for a moment to come at which nothing else need happen.
  virtual void try_again_soon() = 0;

  // The connection is open: it may be heard from now on.
  virtual void on_open(Connection& connection) = 0;

  // The client is refused; on_gone() follows. `why` is a phrase: "does not speak TLS".
  virtual void on_refused(Connection& connection, const std::string& why) = 0;

  // The connection has nothing more to do; with `was_securing`, it never was open.
  virtual void on_gone(Connection& connection, bool was_securing) = 0;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Socket = sockets::Channel::Socket;

  // `session` is null for a connection without TLS.
  Connection(replication::ConnectionId id, Socket socket, tls::Session session,
             ConnectionOwner& owner, std::int64_t now_ms);

  replication::ConnectionId id() const { return id_; }
  const boost::asio::ip::tcp::endpoint& remote() const { return remote_; }
  bool is_open() const { return state_ == State::open; }
  bool is_securing() const { return state_ == State::securing; }
  bool is_secured() const { return channel_.is_secured(); }
  bool is_paused() const { return is_paused_; }

  // When it was opened, on the monotonic clock, while it is open.
  std::int64_t since_ms() const { return since_ms_; }

  // Requests delivered, replies and events sent, requests without a reply.
  std::uint64_t frames_received() const { return received_; }
  std::uint64_t frames_sent() const { return replies_ + notices_; }
  std::uint64_t unanswered() const { return received_ - replies_; }

  // The certificate that the client has shown; null if there is none.
  const X509* certificate() const { return channel_.certificate(); }

  // Shakes hands, if there is TLS, and then begins to read.
  void start();

  // Frames to be sent by the next flush(). Only while open. What is too much for a client that does
  // not read is thrown away, and the client with it at the next flush().
  replication::Bytes& outbox();

  // True once between two flushes: the caller then has to remember it.
  bool becomes_dirty() { return !std::exchange(is_dirty_, true); }

  // Sends what is in the outbox, as far as the socket takes it; the rest follows by itself.
  void flush();

  // Delivers what had to wait, if it may be delivered now, and reads on.
  void resume();

  // Sends what is in the outbox, then closes. The replica hears no more of it.
  void finish(std::int64_t now_ms);

  // Closes at once, without a word.
  void abort();

  // True if the client has taken too long to open a session, to close its end, or to take anything
  // of what waits for it. Call it once in a while.
  bool is_overdue(std::int64_t now_ms);

  // Closes such a one.
  void close_overdue();

 private:
  enum class State { securing, open, closing, gone };

  void shake_hands();
  void await(sockets::Outcome outcome);
  void await_readable();
  void on_readable();
  void take(replication::ByteView bytes);
  void deliver_kept();

  // Delivers whole frames from the front of `stream`; returns how many bytes that were.
  std::size_t deliver(replication::ByteView stream);
  bool answer_word(replication::ByteView stream);
  bool must_wait(std::size_t frame_bytes);
  void take_frame(replication::ByteView payload);
  void pause();

  // Closes because of what the client has done or not done.
  void refuse(replication::Counter& counter, const std::string& why);

  bool has_too_much_unsent() const;
  void count_unsent();
  void await_writable();
  void count_frames();
  std::size_t unsent() const { return outbox_.size() - sent_bytes_; }

  const replication::ConnectionId id_;
  sockets::Channel channel_;
  const boost::asio::ip::tcp::endpoint remote_;
  ConnectionOwner& owner_;
  ConnectionShares& shares_;

  State state_{State::securing};
  std::int64_t since_ms_;   // when it was opened; when it began to close
  bool has_spoken_{};       // a whole frame has come
  bool is_paused_{};        // what is kept must wait
  bool awaits_readable_{};  // at most one wait of each kind is pending
  bool awaits_writable_{};
  bool is_dirty_{};
  bool is_throttled_{};            // the frame that is next has been counted as one that waits
  bool is_given_up_{};             // too much has waited: flush() closes it
  bool was_writable_{};            // since is_overdue() last looked
  std::int64_t stalled_since_ms_;  // something waits, and nothing has left since then
  Account account_;

  replication::Bytes kept_;    // read and not delivered
  replication::Bytes outbox_;  // of which the first sent_bytes_ are sent
  std::size_t sent_bytes_{};
  std::size_t counted_bytes_{};  // of the outbox, by count_frames()
  std::size_t shared_unsent_{};  // what of unsent() is in the sum of all connections

  std::uint64_t received_{};
  std::uint64_t replies_{};
  std::uint64_t notices_{};
};

}  // namespace zabfs::daemon::clients
