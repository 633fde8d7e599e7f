// One connection to another server: the handshake, then frames in both directions.
//
//   connecting --> securing --> greeting --> up --> gone
//        |            |            |                 ^
//        +------------+------------+-----------------+    a timeout, a refusal, nonsense, an error,
//                                                         end()
//
// Securing is the handshake of TLS; without TLS there is none.
//
// What is read is split where it lies, in the link's own buffer, which grows to the largest frame
// that has come. What is appended to the outbox leaves
// with one call of send per turn; what the kernel does not take follows when it does.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "daemon/peers/handshake.hpp"
#include "daemon/sockets/channel.hpp"
#include "daemon/tls/credentials.hpp"
#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"

namespace zabfs::daemon::peers {

class Link;

// Who has the links; outlives the last one that is not gone.
class LinkOwner {
 public:
  virtual ~LinkOwner() = default;

  // The handshake is over: link.peer() is at the other end.
  virtual void on_established(Link& link) = 0;

  // One whole frame, without its header. May end the link.
  virtual void on_frame(Link& link, replication::ByteView payload) = 0;

  // The link is gone, and why: a sentence without its subject, such as "closed the connection". Not
  // called for a link that was ended by its owner.
  virtual void on_ended(Link& link, const std::string& why) = 0;

  // Something has happened that the end of the turn must see. Between two calls of read at least
  // one turn ends.
  virtual void schedule_turn_end() = 0;
};

class Link : public std::enable_shared_from_this<Link> {
 public:
  using Socket = sockets::Channel::Socket;

  // `credentials` are those of this server, which outlive the link, or null for a link without TLS.
  Link(Socket socket, Handshake handshake, const tls::Credentials* credentials, LinkOwner& owner);

  // Connects to `endpoint`, which is `host` in the configuration, then goes on as start() does.
  void connect(const boost::asio::ip::tcp::endpoint& endpoint, const std::string& host);

  // Begins the handshake; the socket is connected.
  void start();

  bool is_up() const { return state_ == State::up; }
  replication::ServerId peer() const { return handshake_.peer(); }

  // The address at the other end, for messages; empty before start().
  const std::string& remote() const { return remote_; }

  // The address alone, without its port; empty if nobody is there any more.
  std::string remote_host();

  // The certificate that the other side has shown; null if there is none.
  const X509* certificate() const { return channel_.certificate(); }

  // Frames to be sent by the next flush(). Only while up.
  replication::Bytes& outbox() { return outbox_; }
  std::size_t unsent() const { return outbox_.size() - sent_bytes_; }

  // Sends what is in the outbox, as far as the kernel takes it; the rest follows by itself. If too
  // much is left, the link ends.
  void flush();

  // Closes at once, without a word to anybody.
  void end();

 private:
  enum class State { connecting, securing, greeting, up, gone };

  void limit_time(std::int64_t ms, const char* why);
  void secure();
  void begin_greeting();
  void await(sockets::Outcome outcome);
  void on_ready();
  void read();
  void greet();
  void deliver();
  void make_room(std::size_t frame_bytes);
  void send();
  void await_writable();
  void fail(const std::string& why);

  sockets::Channel channel_;
  boost::asio::steady_timer deadline_;
  Handshake handshake_;
  const tls::Credentials* credentials_;
  std::string host_;  // that this side connects to
  LinkOwner& owner_;
  State state_{State::connecting};
  std::string remote_;

  replication::Bytes received_;   // the buffer
  std::size_t received_bytes_{};  // of it that are filled
  std::size_t taken_bytes_{};     // from its front, while they are delivered

  replication::Bytes outbox_;
  std::size_t sent_bytes_{};  // from the front of outbox_
  bool awaits_writable_{};
};

}  // namespace zabfs::daemon::peers
