#include "fusefs/client/transport.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "fusefs/client/session.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::fusefs::client {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

// The socket of one attempt to reach a server. Handlers keep it alive, and do nothing once the
// transport has gone on to another.
struct Connection {
  explicit Connection(asio::io_context& io) : resolver(io), socket(io) {}

  tcp::resolver resolver;
  tcp::socket socket;
  bool is_open{};             // connected, and sending has not failed since
  bool is_waiting_to_send{};  // the kernel's buffer is full

  // Makes the socket ready for use. False if it can not be, or if nobody listens on a port of this
  // machine and the kernel has connected the socket to itself.
  bool prepare() {
    error_code error;
    const auto here = socket.local_endpoint(error);
    if (error || here == socket.remote_endpoint(error) || error ||
        socket.set_option(tcp::no_delay(true), error) || socket.non_blocking(true, error)) {
      return false;
    }
    is_open = true;
    return true;
  }
};

class Transport : public std::enable_shared_from_this<Transport> {
 public:
  Transport(asio::io_context& io, ClientOptions options)
      : io_(io),
        timer_(io),
        session_(std::move(options.servers), options.timeout_ms,
                 options.seed ? *options.seed : std::random_device{}(),
                 std::move(options.credentials)),
        inbox_(receive_bytes) {
    if (options.resumed.session.value != 0) {
      session_.resume(std::move(options.resumed));
    }
  }

  Session& session() { return session_; }

  // Everything that was called for during this turn of the loop is done at its end.
  void wake() {
    if (!is_awake_) {
      is_awake_ = true;
      asio::post(io_, [self = shared_from_this()] { self->pump(); });
    }
  }

  // The pump that is posted finds this done.
  void send_now() {
    if (is_awake_) {
      send();
    }
  }

  // Nothing is called back any more.
  void stop() {
    is_stopped_ = true;
    session_.deliveries().clear();
    hang_up();
    timer_.cancel();
  }

 private:
  using Attempt = std::shared_ptr<Connection>;
  using Addresses = tcp::resolver::results_type;

  static constexpr std::size_t receive_bytes = 256UL << 10;

  void pump();
  void follow_attempt();
  void dial();
  void connect(const Attempt& attempt, const Addresses& addresses);
  void hang_up();
  void receive(const Attempt& attempt);
  void send();
  void lose();
  void arm_timer();

  asio::io_context& io_;
  asio::steady_timer timer_;
  Session session_;
  Attempt connection_;       // of attempt_; null if there is none
  std::uint64_t attempt_{};  // the session's number for it
  std::vector<std::uint8_t> inbox_;
  replication::Bytes outbox_;
  std::size_t outbox_sent_{};
  std::int64_t timer_ms_{std::numeric_limits<std::int64_t>::max()};  // when the timer ends
  bool is_awake_{};                                                  // a pump is posted or runs
  bool is_stopped_{};
};

// Runs the callbacks, then does what they and the session ask for.
void Transport::pump() {
  is_awake_ = true;
  session_.deliveries().run();
  if (is_stopped_) {
    return;
  }
  follow_attempt();
  send();
  arm_timer();
  is_awake_ = false;
  if (!session_.deliveries().empty()) {
    wake();
  }
}

void Transport::follow_attempt() {
  if (session_.attempt() != attempt_) {
    hang_up();
    attempt_ = session_.attempt();
    if (attempt_ != 0) {
      dial();
    }
  }
}

void Transport::dial() {
  connection_ = std::make_shared<Connection>(io_);
  const auto& server = session_.endpoint();
  const auto port = std::to_string(server.port);
  error_code is_a_name;
  if (const auto address = asio::ip::make_address(server.host, is_a_name); !is_a_name) {
    connect(connection_, Addresses::create(tcp::endpoint{address, server.port}, server.host, port));
    return;
  }
  connection_->resolver.async_resolve(server.host, port, tcp::resolver::numeric_service,
                                      [self = shared_from_this(), attempt = connection_](
                                          error_code error, const Addresses& addresses) {
                                        if (self->connection_ == attempt) {
                                          error ? self->lose() : self->connect(attempt, addresses);
                                        }
                                      });
}

void Transport::connect(const Attempt& attempt, const Addresses& addresses) {
  asio::async_connect(attempt->socket, addresses,
                      [self = shared_from_this(), attempt](error_code error, const tcp::endpoint&) {
                        if (self->connection_ != attempt) {
                          return;
                        }
                        if (error || !attempt->prepare()) {
                          self->lose();
                          return;
                        }
                        self->session_.connected(now_ms());
                        self->receive(attempt);
                        self->pump();
                      });
}

void Transport::hang_up() {
  if (connection_) {
    error_code ignored;
    connection_->resolver.cancel();
    connection_->socket.close(ignored);
    connection_.reset();
  }
  outbox_.clear();
  outbox_sent_ = 0;
}

void Transport::receive(const Attempt& attempt) {
  attempt->socket.async_read_some(asio::buffer(inbox_), [self = shared_from_this(), attempt](
                                                            error_code error, std::size_t size) {
    if (self->connection_ != attempt) {
      return;
    }
    if (error) {
      self->lose();
      return;
    }
    self->session_.received({self->inbox_.data(), size}, now_ms());
    self->pump();
    if (self->connection_ == attempt) {
      self->receive(attempt);
    }
  });
}

// Sends until there is nothing to send or the kernel takes no more.
void Transport::send() {
  const auto attempt = connection_;
  while (attempt && attempt->is_open && !attempt->is_waiting_to_send) {
    if (outbox_sent_ == outbox_.size()) {
      outbox_.clear();
      outbox_sent_ = 0;
      session_.append_output(outbox_, now_ms());
      if (outbox_.empty()) {
        return;
      }
    }
    error_code error;
    outbox_sent_ += attempt->socket.write_some(
        asio::buffer(outbox_.data() + outbox_sent_, outbox_.size() - outbox_sent_), error);
    if (error == asio::error::would_block) {
      attempt->is_waiting_to_send = true;
      attempt->socket.async_wait(tcp::socket::wait_write,
                                 [self = shared_from_this(), attempt](error_code failure) {
                                   attempt->is_waiting_to_send = false;
                                   if (self->connection_ == attempt && !failure) {
                                     self->pump();
                                   }
                                 });
    } else if (error) {
      // What the server still said is in the kernel: the read finds it, and then the end.
      attempt->is_open = false;
    }
  }
}

void Transport::lose() {
  session_.disconnected(now_ms());
  pump();
}

void Transport::arm_timer() {
  const auto next = session_.next_tick_ms();
  if (next >= timer_ms_) {
    return;
  }
  timer_ms_ = next;
  timer_.expires_at(std::chrono::steady_clock::time_point{std::chrono::milliseconds{next}});
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (!error) {
      self->timer_ms_ = std::numeric_limits<std::int64_t>::max();
      self->session_.tick(now_ms());
      self->pump();
    }
  });
}

// The user's end of a transport.
class AsioClient : public Client {
 public:
  AsioClient(asio::io_context& io, ClientOptions options)
      : transport_(std::make_shared<Transport>(io, std::move(options))) {
    transport_->wake();
  }
  AsioClient(const AsioClient&) = delete;
  AsioClient& operator=(const AsioClient&) = delete;
  ~AsioClient() override { transport_->stop(); }

  RequestId submit(replication::protocol::Request request, ReplyCallback callback) override {
    transport_->wake();
    return machine().submit(std::move(request), std::move(callback), now_ms());
  }
  RequestId submit_patiently(replication::protocol::Request request,
                             ReplyCallback callback) override {
    transport_->wake();
    return machine().submit(std::move(request), std::move(callback), now_ms(), true);
  }
  void send_now() override { transport_->send_now(); }
  void forget(RequestId id) override { machine().forget(id); }
  void on_event(EventCallback callback) override {
    machine().deliveries().on_event(std::move(callback));
  }
  void on_state(std::function<void(SessionState)> callback) override {
    machine().deliveries().on_state(std::move(callback));
  }
  SessionState state() const override { return machine().state(); }
  replication::SessionId session() const override { return machine().id(); }
  std::int32_t timeout_ms() const override { return machine().timeout_ms(); }
  std::string server() const override { return machine().server(); }
  std::int64_t silence_ms() const override { return machine().silence_ms(now_ms()); }
  const std::string& chroot() const override { return machine().chroot(); }
  std::size_t watches() const override { return machine().watches(); }
  void keep_watches(const std::function<bool(std::string_view)>& is_needed) override {
    machine().keep_watches(is_needed);
  }
  SessionIdentity identity() const override { return machine().identity(); }
  replication::Zxid last_zxid() const override { return machine().last_zxid(); }
  void close(std::function<void()> done) override {
    transport_->wake();
    machine().close(std::move(done), now_ms());
  }

 private:
  Session& machine() const { return transport_->session(); }

  std::shared_ptr<Transport> transport_;
};

}  // namespace

std::unique_ptr<Client> make_client(asio::io_context& io, ClientOptions options) {
  return std::make_unique<AsioClient>(io, std::move(options));
}

}  // namespace zabfs::fusefs::client
