// A client's session as a machine without sockets and clocks: calls, bytes and times go in; bytes,
// a wish for a connection and callbacks come out. client.hpp says what it promises; transport.cpp
// feeds it.
//
//             tick                connected()           handshake accepted
//   waiting ---------> dialing --------------> greeting -------------------> attached
//      ^                  |                       |                             |
//      +------------------+-----------------------+-----------------------------+
//        the server is silent for too long, closes, or says something that makes no sense;
//        from greeting also: the session is over (expired); from anywhere: closed
//
// - attached sends the recorded watches first. Only when the server has confirmed them, and so has
//   reported every change that was missed, is the state announced as connected. Requests do not
//   wait for that; replies come behind it.
// - In front of everything go the credentials. Where a server refuses one before there was ever a
//   session to lose, the session ends as refused; later, that costs the connection.
// - A reply must carry the xid of the oldest request without one. Anything else, and anything that
//   can not be read, costs the connection: the stream's order is the only link between the two.
// - A read whose reply can not be read, or is larger than limits::reply_frame_bytes_max, fails with
//   marshalling_error instead of being asked for again and again.
// - "Sent" is what was given out by append_output, whether or not it left the machine.
// - It pings after a third of the timeout without sending, and gives a server up after two thirds
//   without hearing from it, which leaves a third to find another.
//
// More than limits::client_requests_queued_max requests without an answer are refused with
// throttled_op. A request no server would read (its frame too large), and the requests the client
// makes itself (ping, auth, setWatches, closeSession) are refused with bad_arguments.
//
// All times are milliseconds of one clock that never goes back.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fusefs/client/chroot.hpp"
#include "fusefs/client/client.hpp"
#include "fusefs/client/credentials.hpp"
#include "fusefs/client/delivery_queue.hpp"
#include "fusefs/client/endpoints.hpp"
#include "fusefs/client/request_queue.hpp"
#include "fusefs/client/watch_book.hpp"
#include "replication/model/bytes.hpp"
#include "replication/protocol/handshake.hpp"

namespace zabfs::fusefs::client {

class Session {
 public:
  // Asks for a session of `timeout_ms`; `seed` decides the order of the servers. The first tick
  // begins.
  Session(ConnectString servers, std::int32_t timeout_ms, std::uint64_t seed,
          Credentials credentials = {});

  // Begins with a session that another process had, instead of a new one. Before the first tick.
  void resume(SessionIdentity identity);

  // --- the user's calls, as in Client ---

  RequestId submit(replication::protocol::Request request, ReplyCallback callback,
                   std::int64_t now_ms, bool is_patient = false);
  void forget(RequestId id);
  void close(std::function<void()> done, std::int64_t now_ms);
  SessionState state() const { return state_; }
  replication::SessionId id() const { return id_; }
  std::int32_t timeout_ms() const { return timeout_ms_; }
  replication::Zxid last_zxid() const { return last_zxid_; }
  SessionIdentity identity() const { return {id_, password_, last_zxid_}; }
  std::string server() const;
  std::int64_t silence_ms(std::int64_t now_ms) const { return now_ms - last_received_ms_; }
  const std::string& chroot() const { return chroot_.path(); }
  std::size_t watches() const { return watches_.size(); }
  void keep_watches(const std::function<bool(std::string_view)>& is_needed);

  // Callbacks wait here until they are run.
  DeliveryQueue& deliveries() { return deliveries_; }

  // --- the connection ---

  // The number of the connection it wants; 0 if it wants none. A new number asks to drop the old
  // connection and to dial endpoint().
  std::uint64_t attempt() const;
  const Endpoint& endpoint() const { return order_.current(); }

  // What happened to the connection of the current attempt.
  void connected(std::int64_t now_ms);
  void received(replication::ByteView bytes, std::int64_t now_ms);
  void disconnected(std::int64_t now_ms);

  // Appends what is to be sent now, about limits::client_send_batch_bytes at most. Nothing appended
  // means there is nothing to send.
  void append_output(replication::Bytes& out, std::int64_t now_ms);

  // --- time ---

  // Does what is due; next_tick_ms() is when something will be, if nothing else happens.
  void tick(std::int64_t now_ms);
  std::int64_t next_tick_ms() const;

 private:
  enum class Link { none, waiting, dialing, greeting, attached };

  bool is_linked() const { return link_ != Link::none && link_ != Link::waiting; }
  std::int64_t patience_ms() const;
  void dial(std::int64_t now_ms);
  void lose_connection(std::int64_t now_ms);
  void give_up_unread_reply(std::int64_t now_ms);

  std::size_t consume_frames(replication::ByteView bytes, std::int64_t now_ms);
  void on_frame(replication::ByteView payload, std::int64_t now_ms);
  void on_handshake(replication::ByteView payload, std::int64_t now_ms);
  void attach(const replication::protocol::ConnectResponse& response, std::int64_t now_ms);
  bool on_reply(replication::ByteView payload);
  bool on_pong();
  bool on_event(replication::ByteView body, std::int64_t zxid);
  bool on_authenticated(const replication::protocol::ReplyHeader& header);
  bool on_watches_set(const replication::protocol::ReplyHeader& header);
  void announce_if_ready();
  bool on_answer(const replication::protocol::ReplyHeader& header, replication::ByteView body);

  void append_requests(replication::Bytes& out);
  void expire_unsent(std::int64_t now_ms);
  void answer(PendingRequest& request, replication::Result<Reply> result);
  void announce(SessionState state);
  void end(SessionState state);

  Chroot chroot_;
  EndpointOrder order_;
  Credentials credentials_;
  RequestQueue queue_;
  WatchBook watches_;
  DeliveryQueue deliveries_;

  SessionState state_{SessionState::connecting};
  replication::SessionId id_{};
  replication::Bytes password_;
  std::int32_t asked_timeout_ms_;
  std::int32_t timeout_ms_;  // what the server granted; before that, what is asked for
  replication::Zxid last_zxid_{};
  std::uint64_t last_request_id_{};
  std::int32_t last_xid_{};

  Link link_{Link::waiting};
  std::uint64_t attempts_{};
  std::int64_t link_since_ms_{};  // when link_ became what it is; waiting: when it ends
  std::int64_t last_sent_ms_{};   // on this connection
  std::int64_t last_received_ms_{};
  replication::Bytes inbox_;   // the beginning of a frame
  replication::Bytes urgent_;  // goes out before any request
  bool ping_is_due_{};
  std::size_t pings_unanswered_{};
  std::size_t auths_unanswered_{};
  std::size_t set_watches_unanswered_{};
  bool has_been_connected_{};

  bool is_closing_{};
  std::int64_t close_by_ms_{};
  std::vector<DeliveryQueue::Done> closed_callbacks_;
};

}  // namespace zabfs::fusefs::client
