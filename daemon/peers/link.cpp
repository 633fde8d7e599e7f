#include "daemon/peers/link.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstring>
#include <span>
#include <sstream>
#include <utility>

#include "replication/model/limits.hpp"
#include "replication/protocol/peer_frame.hpp"

namespace zabfs::daemon::peers {

using boost::asio::ip::tcp;
using boost::system::error_code;
using replication::Bytes;
using replication::ByteView;
using replication::protocol::PeerFrameSplit;
using sockets::Outcome;
namespace limits = replication::limits;

namespace {

constexpr std::size_t greeting_buffer_bytes = 4UL << 10;
constexpr std::size_t buffer_bytes_kept = 4UL << 20;  // of an outbox, once it is empty
constexpr std::size_t buffer_bytes_min = 256UL << 10;

void empty(Bytes& bytes) {
  bytes.clear();
  if (bytes.capacity() > buffer_bytes_kept) {
    bytes.shrink_to_fit();
  }
}

std::string text_of(const tcp::endpoint& endpoint) {
  std::ostringstream text;
  text << endpoint;
  return text.str();
}

// A link that carries one direction only must end: its ballots would keep the others electing a
// server that hears none of theirs. By itself the kernel goes on for a quarter of an hour.
void end_unless_acknowledged(tcp::socket& socket) {
  const int ms = limits::peer_unacknowledged_ms_max;
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
}

}  // namespace

Link::Link(Socket socket, Handshake handshake, const tls::Credentials* credentials,
           LinkOwner& owner)
    : channel_(std::move(socket)),
      deadline_(channel_.socket().get_executor()),
      handshake_(std::move(handshake)),
      credentials_(credentials),
      owner_(owner),
      received_(greeting_buffer_bytes) {}

void Link::connect(const tcp::endpoint& endpoint, const std::string& host) {
  host_ = host;
  remote_ = text_of(endpoint);
  limit_time(limits::peer_connect_ms_max, "cannot be reached in time");
  channel_.socket().async_connect(endpoint, [self = shared_from_this()](const error_code& error) {
    if (self->state_ == State::gone) {
      return;
    }
    if (error) {
      self->fail("cannot be reached: " + error.message());
    } else {
      self->start();
    }
  });
}

void Link::start() {
  error_code error;
  channel_.socket().set_option(tcp::no_delay(true), error);  // Slower without it, nothing worse.
  end_unless_acknowledged(channel_.socket());
  if (const auto remote = channel_.socket().remote_endpoint(error); !error) {
    remote_ = text_of(remote);  // Else it is gone already, and reading will tell.
  }
  if (credentials_ == nullptr) {
    begin_greeting();
    return;
  }
  state_ = State::securing;
  limit_time(limits::peer_handshake_ms_max, "did not finish the handshake of TLS in time");
  channel_.secure(host_.empty() ? credentials_->accepted() : credentials_->connecting(host_));
  secure();
}

std::string Link::remote_host() {
  error_code error;
  const auto address = channel_.socket().remote_endpoint(error).address();
  if (error) {
    return "";
  }
  const bool is_mapped = address.is_v6() && address.to_v6().is_v4_mapped();
  return is_mapped ? boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6())
                         .to_string()
                   : address.to_string();
}

void Link::secure() {
  const Outcome outcome = channel_.handshake();
  if (outcome == Outcome::ended) {
    fail(channel_.failure());
  } else if (outcome == Outcome::done) {
    begin_greeting();
  } else {
    await(outcome);
  }
}

void Link::begin_greeting() {
  state_ = State::greeting;
  limit_time(limits::peer_handshake_ms_max, "did not finish the handshake in time");
  handshake_.begin(outbox_);
  send();
  await(Outcome::wait_readable);
}

void Link::limit_time(std::int64_t ms, const char* why) {
  deadline_.expires_after(std::chrono::milliseconds(ms));
  // The link may have passed this state while the handler was on its way.
  deadline_.async_wait([self = shared_from_this(), why, at = state_](const error_code& cancelled) {
    if (!cancelled && self->state_ == at) {
      self->fail(why);
    }
  });
}

// Goes on when the socket is ready again, or at once if TLS has taken more from it than was read.
void Link::await(Outcome outcome) {
  if (state_ == State::gone) {
    return;
  }
  auto go_on = [self = shared_from_this()](const error_code& /*error*/) { self->on_ready(); };
  if (outcome == Outcome::wait_writable) {
    channel_.socket().async_wait(Socket::wait_write, std::move(go_on));
  } else if (channel_.has_buffered()) {
    boost::asio::post(channel_.socket().get_executor(),
                      [go_on = std::move(go_on)] { go_on(error_code{}); });
  } else {
    channel_.socket().async_wait(Socket::wait_read, std::move(go_on));
  }
}

void Link::on_ready() {
  if (state_ == State::securing) {
    secure();
  } else if (state_ != State::gone) {
    read();
  }
}

void Link::read() {
  const auto free = received_.size() - received_bytes_;
  const auto got = channel_.read(
      std::span(received_).subspan(received_bytes_, std::min(free, limits::peer_read_bytes_max)));
  if (got.outcome == Outcome::ended) {
    fail(state_ == State::greeting    ? handshake_.meaning_of_the_end()
         : channel_.failure().empty() ? "closed the connection"
                                      : channel_.failure());
    return;
  }
  received_bytes_ += got.bytes;
  const auto self = shared_from_this();  // the owner may let go of a link that ends
  if (got.bytes > 0) {
    owner_.schedule_turn_end();
    greet();
    deliver();
  }
  await(got.outcome);
}

void Link::greet() {
  if (state_ != State::greeting) {
    return;
  }
  taken_bytes_ = handshake_.take(ByteView(received_).first(received_bytes_), outbox_);
  send();
  if (state_ == State::gone) {
    return;
  }
  if (handshake_.state() == Handshake::State::refused) {
    fail(handshake_.refusal());
  } else if (handshake_.state() == Handshake::State::done) {
    state_ = State::up;
    deadline_.cancel();
    owner_.on_established(*this);
  }
}

void Link::deliver() {
  std::size_t wanted = 0;
  while (state_ == State::up) {
    const auto rest = ByteView(received_).subspan(taken_bytes_, received_bytes_ - taken_bytes_);
    const auto split = replication::protocol::split_peer_frame(rest, limits::peer_frame_bytes_max);
    if (split.state == PeerFrameSplit::State::incomplete) {
      wanted = split.wanted;
      break;
    }
    if (split.state != PeerFrameSplit::State::whole) {
      fail(split.state == PeerFrameSplit::State::damaged
               ? "sent a damaged frame"
               : "sent a frame longer than " + std::to_string(limits::peer_frame_bytes_max) +
                     " bytes");
      return;
    }
    taken_bytes_ += split.consumed;
    owner_.on_frame(*this, split.payload);
  }
  if (state_ != State::gone) {
    make_room(wanted);
  }
}

// Moves what is not yet a frame to the front, and makes the buffer as large as that frame.
void Link::make_room(std::size_t frame_bytes) {
  received_bytes_ -= taken_bytes_;
  std::memmove(received_.data(), received_.data() + taken_bytes_, received_bytes_);
  taken_bytes_ = 0;
  const auto size = std::max(frame_bytes, buffer_bytes_min);
  if (state_ == State::up && received_.size() < size) {
    received_.resize(size);
  }
}

void Link::flush() {
  if (state_ != State::up) {
    return;
  }
  if (!awaits_writable_) {
    send();
  }
  if (state_ == State::up && unsent() > limits::peer_outbox_bytes_max) {
    fail("takes too little: " + std::to_string(unsent()) + " bytes wait for it");
  }
}

void Link::send() {
  if (unsent() == 0) {
    return;
  }
  Outcome outcome{};
  do {
    const auto sent = channel_.write(ByteView(outbox_).subspan(sent_bytes_));
    sent_bytes_ += sent.bytes;
    outcome = sent.outcome;
  } while (outcome == Outcome::done && channel_.is_secured() && unsent() > 0);
  if (outcome == Outcome::ended) {
    fail(channel_.failure().empty() ? "closed the connection" : channel_.failure());
    return;
  }
  if (unsent() == 0) {
    empty(outbox_);
    sent_bytes_ = 0;
    return;
  }
  if (sent_bytes_ > unsent()) {
    outbox_.erase(outbox_.begin(), outbox_.begin() + static_cast<std::ptrdiff_t>(sent_bytes_));
    sent_bytes_ = 0;
  }
  await_writable();
}

void Link::await_writable() {
  awaits_writable_ = true;
  channel_.socket().async_wait(Socket::wait_write,
                               [self = shared_from_this()](const error_code& /*error*/) {
                                 self->awaits_writable_ = false;
                                 if (self->state_ != State::gone) {
                                   self->owner_.schedule_turn_end();
                                   self->send();
                                 }
                               });
}

void Link::end() {
  state_ = State::gone;
  deadline_.cancel();
  error_code ignored;  // It is of no use any more, whatever close says.
  channel_.socket().close(ignored);
  outbox_ = {};
  sent_bytes_ = 0;
}

void Link::fail(const std::string& why) {
  end();
  owner_.schedule_turn_end();
  owner_.on_ended(*this, why);
}

}  // namespace zabfs::daemon::peers
