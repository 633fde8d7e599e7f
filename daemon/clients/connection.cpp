#include "daemon/clients/connection.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "replication/model/limits.hpp"
#include "replication/protocol/frame.hpp"

namespace zabfs::daemon::clients {

using boost::asio::ip::tcp;
using replication::Bytes;
using replication::ByteView;
using replication::ConnectionId;
using replication::protocol::frame_header_bytes;
using replication::protocol::FrameSplit;
using sockets::Outcome;
namespace limits = replication::limits;

namespace {

// A buffer that grew beyond this is given back once it is empty: most connections are idle.
constexpr std::size_t buffer_bytes_kept = 4UL << 10;

constexpr std::size_t word_bytes = 4;

void drop_front(Bytes& bytes, std::size_t count) {
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
}

void empty(Bytes& bytes) {
  bytes.clear();
  if (bytes.capacity() > buffer_bytes_kept) {
    bytes.shrink_to_fit();
  }
}

std::int32_t int_at(const Bytes& bytes, std::size_t offset) {
  std::uint32_t value = 0;
  for (const auto byte : ByteView(bytes).subspan(offset, sizeof(value))) {
    value = value << 8 | byte;
  }
  return static_cast<std::int32_t>(value);
}

tcp::endpoint remote_of(const tcp::socket& socket) {
  boost::system::error_code ignored;  // The client may be gone already; reading will tell.
  return socket.remote_endpoint(ignored);
}

}  // namespace

Connection::Connection(ConnectionId id, Socket socket, tls::Session session, ConnectionOwner& owner,
                       std::int64_t now_ms)
    : id_(id),
      channel_(std::move(socket)),
      remote_(remote_of(channel_.socket())),
      owner_(owner),
      shares_(owner.shares()),
      since_ms_(now_ms),
      stalled_since_ms_(now_ms) {
  if (session) {
    channel_.secure(std::move(session));
  }
}

void Connection::start() { shake_hands(); }

void Connection::shake_hands() {
  const Outcome outcome = channel_.is_secured() ? channel_.handshake() : Outcome::done;
  if (outcome == Outcome::done) {
    state_ = State::open;
    owner_.on_open(*this);
    await_readable();
  } else if (outcome == Outcome::ended) {
    owner_.on_refused(*this, channel_.failure());
    abort();
  } else {
    await(outcome);
  }
}

// Goes on reading when the socket is ready again. That reading waits until something can be sent is
// a matter of TLS, which may have to answer first.
void Connection::await(Outcome outcome) {
  if (outcome != Outcome::wait_writable) {
    await_readable();
  } else if (!std::exchange(awaits_readable_, true)) {
    channel_.socket().async_wait(
        Socket::wait_write,
        [self = shared_from_this()](const boost::system::error_code& /*error*/) {
          self->awaits_readable_ = false;
          self->on_readable();
        });
  }
}

void Connection::await_readable() {
  if (std::exchange(awaits_readable_, true)) {
    return;
  }
  auto go_on = [self = shared_from_this()] {
    self->awaits_readable_ = false;
    self->on_readable();
  };
  if (channel_.has_buffered()) {
    boost::asio::post(channel_.socket().get_executor(), std::move(go_on));
  } else {
    channel_.socket().async_wait(
        Socket::wait_read,
        [go_on = std::move(go_on)](const boost::system::error_code& /*error*/) { go_on(); });
  }
}

void Connection::on_readable() {
  if (state_ == State::gone) {
    return;
  }
  if (state_ == State::securing) {
    shake_hands();
    return;
  }
  const auto scratch = owner_.scratch();
  const auto got = channel_.read(scratch);
  if (got.outcome == Outcome::ended) {
    abort();
    return;
  }
  if (got.bytes > 0 && state_ == State::open) {
    owner_.schedule_turn_end();
    take(scratch.first(got.bytes));
  }
  if (state_ != State::gone && !is_paused_) {
    await(got.outcome);
  }
}

void Connection::take(ByteView bytes) {
  if (kept_.empty()) {
    bytes = bytes.subspan(deliver(bytes));
    if (state_ == State::open) {
      kept_.assign(bytes.begin(), bytes.end());
    }
  } else {
    kept_.insert(kept_.end(), bytes.begin(), bytes.end());
    deliver_kept();
  }
}

void Connection::deliver_kept() {
  const auto consumed = deliver(kept_);
  if (consumed == kept_.size()) {
    empty(kept_);
  } else {
    drop_front(kept_, consumed);
  }
}

std::size_t Connection::deliver(ByteView stream) {
  std::size_t consumed = 0;
  while (state_ == State::open && consumed < stream.size()) {
    if (must_wait(0)) {
      pause();
      break;
    }
    const ByteView rest = stream.subspan(consumed);
    if (!has_spoken_ && answer_word(rest)) {
      break;
    }
    const FrameSplit split =
        replication::protocol::split_frame(rest, shares_.bounds.frame_bytes_max);
    if (split.state == FrameSplit::State::incomplete) {
      break;
    }
    if (split.state == FrameSplit::State::too_long) {
      // Without a word, as ZooKeeper does.
      refuse(shares_.metrics.large_requests_rejected,
             "has sent a request of more than " + std::to_string(shares_.bounds.frame_bytes_max) +
                 " bytes (jute.maxbuffer), or nonsense");
      break;
    }
    if (split.payload.size() > limits::large_request_bytes && must_wait(split.payload.size())) {
      owner_.try_again_soon();
      pause();
      break;
    }
    consumed += split.consumed;
    take_frame(split.payload);
  }
  return consumed;
}

void Connection::take_frame(ByteView payload) {
  has_spoken_ = true;
  is_throttled_ = false;
  ++received_;
  const std::size_t before = outbox_.size();
  owner_.events().on_frame(id_, payload);
  const std::size_t answered = outbox_.size() > before ? outbox_.size() - before : 0;
  account_.pay(shares_.turn, payload.size() + answered);
}

// The first four bytes of a connection are a command if they spell one, and a length if not.
bool Connection::answer_word(ByteView stream) {
  if (stream.size() < word_bytes) {
    return false;
  }
  const auto answer = owner_.events().answer_to(replication::text_of(stream));
  if (!answer) {
    return false;
  }
  owner_.events().on_disconnected(id_);
  outbox_.assign(answer->begin(), answer->end());
  counted_bytes_ = outbox_.size();  // no frame
  finish(since_ms_);
  flush();
  return true;
}

// True if the next frame, of so many bytes, cannot be delivered now.
bool Connection::must_wait(std::size_t frame_bytes) {
  if (account_.is_used_up(shares_.turn)) {
    owner_.schedule_turn_end();  // The next turn has another share.
    return true;
  }
  if (unsent() <= limits::outbox_bytes_high && owner_.events().may_read(id_, frame_bytes)) {
    return false;
  }
  shares_.metrics.request_throttle_wait_count.add(is_throttled_ ? 0 : 1);
  is_throttled_ = true;
  return true;
}

void Connection::pause() {
  is_paused_ = true;
  owner_.on_paused(*this);
}

void Connection::resume() {
  if (state_ != State::open || !is_paused_) {
    return;
  }
  if (must_wait(0)) {
    owner_.on_paused(*this);
    return;
  }
  is_paused_ = false;
  const auto before = received_;
  deliver_kept();
  if (received_ != before) {
    owner_.schedule_turn_end();
  }
  if (state_ != State::gone && !is_paused_) {
    await_readable();
  }
}

Bytes& Connection::outbox() {
  count_unsent();
  is_given_up_ = is_given_up_ || has_too_much_unsent();
  if (is_given_up_) {
    outbox_ = {};
    sent_bytes_ = counted_bytes_ = 0;
  }
  return outbox_;
}

bool Connection::has_too_much_unsent() const {
  return unsent() > shares_.bounds.outbox_bytes_max ||
         (unsent() > limits::outbox_bytes_high &&
          shares_.unsent_bytes > shares_.bounds.outboxes_bytes_max);
}

void Connection::count_unsent() {
  shares_.unsent_bytes += unsent() - shared_unsent_;
  shared_unsent_ = unsent();
}

void Connection::flush() {
  is_dirty_ = false;
  if (is_given_up_) {
    refuse(shares_.metrics.connection_drop_count, "does not read what it has asked for");
  }
  if (state_ == State::gone || awaits_writable_) {
    return;
  }
  count_frames();
  while (unsent() > 0) {
    const auto sent = channel_.write(ByteView(outbox_).subspan(sent_bytes_));
    sent_bytes_ += sent.bytes;
    if (sent.outcome == Outcome::wait_writable) {
      await_writable();
      break;
    }
    if (sent.outcome != Outcome::done) {
      abort();
      return;
    }
  }
  count_unsent();
  if (unsent() == 0) {
    empty(outbox_);
    sent_bytes_ = counted_bytes_ = 0;
    if (state_ == State::closing) {
      channel_.finish();
      await_readable();
    }
  }
}

void Connection::await_writable() {
  count_unsent();
  if (has_too_much_unsent()) {
    refuse(shares_.metrics.connection_drop_count, "does not read what it has asked for");
    return;
  }
  if (sent_bytes_ > unsent()) {
    drop_front(outbox_, sent_bytes_);
    counted_bytes_ -= sent_bytes_;
    sent_bytes_ = 0;
  }
  awaits_writable_ = true;
  channel_.socket().async_wait(
      Socket::wait_write, [self = shared_from_this()](const boost::system::error_code& /*error*/) {
        self->awaits_writable_ = false;
        self->was_writable_ = true;
        if (self->state_ != State::gone) {
          self->owner_.schedule_turn_end();
          self->flush();
        }
      });
}

void Connection::count_frames() {
  while (counted_bytes_ < outbox_.size()) {
    constexpr std::int32_t notice_xid = -1;
    const std::size_t payload = counted_bytes_ + frame_header_bytes;
    const std::size_t end = payload + static_cast<std::size_t>(int_at(outbox_, counted_bytes_));
    const bool is_notice =
        end - payload >= sizeof(notice_xid) && int_at(outbox_, payload) == notice_xid;
    ++(is_notice ? notices_ : replies_);
    counted_bytes_ = end;
  }
}

void Connection::finish(std::int64_t now_ms) {
  state_ = State::closing;
  since_ms_ = now_ms;
  is_paused_ = false;
}

void Connection::abort() {
  const State before = std::exchange(state_, State::gone);
  if (before == State::gone) {
    return;
  }
  outbox_ = kept_ = {};
  sent_bytes_ = counted_bytes_ = 0;
  count_unsent();
  boost::system::error_code ignored;  // It is of no use any more, whatever close says.
  channel_.socket().close(ignored);
  if (before == State::open) {
    owner_.events().on_disconnected(id_);
    owner_.schedule_turn_end();
  }
  owner_.on_gone(*this, before == State::securing);
}

bool Connection::is_overdue(std::int64_t now_ms) {
  if (!awaits_writable_ || std::exchange(was_writable_, false)) {
    stalled_since_ms_ = now_ms;
  }
  const bool is_waited_for = state_ != State::open || !has_spoken_;
  return (is_waited_for && now_ms - since_ms_ > shares_.bounds.sessionless_ms) ||
         now_ms - stalled_since_ms_ > limits::outbox_stalled_ms;
}

void Connection::close_overdue() {
  if (state_ == State::closing) {
    abort();
  } else if (!has_spoken_) {
    refuse(shares_.metrics.sessionless_connections_expired,
           "has opened no session within " + std::to_string(shares_.bounds.sessionless_ms) +
               " ms (nio.sessionlessCnxnTimeout)");
  } else {
    refuse(shares_.metrics.connection_drop_count,
           "has read nothing of what it has asked for within " +
               std::to_string(limits::outbox_stalled_ms) + " ms");
  }
}

void Connection::refuse(replication::Counter& counter, const std::string& why) {
  if (state_ != State::gone) {
    counter.add();
    owner_.on_refused(*this, why);
    abort();
  }
}

}  // namespace zabfs::daemon::clients
