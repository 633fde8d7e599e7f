// The client on real sockets, against a server that lives on the same loop.
#include "fusefs/client/transport.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "replication/model/limits.hpp"
#include "replication/protocol/codec.hpp"
#include "replication/protocol/frame.hpp"
#include "replication/protocol/handshake.hpp"

namespace zabfs::fusefs::client {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using replication::Bytes;
using replication::ByteView;
using replication::ErrorCode;
using namespace replication::protocol;

// Grants every session, and answers every setData with its size as the version.
class Server {
 public:
  explicit Server(asio::io_context& io)
      : acceptor_(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    accept();
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  std::string address() const { return "127.0.0.1:" + std::to_string(port()); }

  // Closes so many connections without a word before it serves one.
  void refuse(int connections) { refusals_ = connections; }
  int accepted() const { return accepted_; }

  // Reads nothing until it is told to go on.
  void pause() { is_paused_ = true; }
  void go_on() {
    is_paused_ = false;
    for (const auto& connection : connections_) {
      read(connection);
    }
  }

 private:
  struct Connection {
    explicit Connection(tcp::socket accepted) : socket(std::move(accepted)) {}
    tcp::socket socket;
    Bytes inbox{};
    bool is_greeted{};
  };

  void accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (error) {
        return;
      }
      ++accepted_;
      if (refusals_-- <= 0) {
        connections_.push_back(std::make_shared<Connection>(std::move(socket)));
        read(connections_.back());
      }
      accept();
    });
  }

  void read(const std::shared_ptr<Connection>& connection) {
    const auto old_size = connection->inbox.size();
    connection->inbox.resize(old_size + 65'536);
    connection->socket.async_read_some(
        asio::buffer(connection->inbox.data() + old_size, 65'536),
        [this, connection, old_size](error_code error, std::size_t size) {
          connection->inbox.resize(old_size + size);
          if (!error) {
            answer(*connection);
            if (!is_paused_) {
              read(connection);
            }
          }
        });
  }

  void answer(Connection& connection) {
    Bytes out;
    for (auto split = split_frame(connection.inbox, 1 << 20);
         split.state == FrameSplit::State::whole; split = split_frame(connection.inbox, 1 << 20)) {
      append_answer(out, connection, split.payload);
      connection.inbox.erase(
          connection.inbox.begin(),
          connection.inbox.begin() + static_cast<std::ptrdiff_t>(split.consumed));
    }
    error_code ignored;
    asio::write(connection.socket, asio::buffer(out), ignored);
  }

  static void append_answer(Bytes& out, Connection& connection, ByteView payload) {
    if (!connection.is_greeted) {
      connection.is_greeted = true;
      append_frame(out,
                   ConnectResponse{.timeout_ms = 4'000, .session_id = 1, .password = Bytes(16)});
      return;
    }
    const auto split = split_request(payload);
    const auto request = decode_request(split->header.op, split->body);
    const ReplyHeader header{.xid = split->header.xid, .zxid = 1};
    if (const auto* set = std::get_if<SetDataRequest>(&*request)) {
      const auto size = static_cast<std::int32_t>(set->data->size());
      append_reply(out, header, StatResponse{{.version = size}});
    } else {
      append_reply(out, header);
    }
  }

  tcp::acceptor acceptor_;
  std::vector<std::shared_ptr<Connection>> connections_;
  int accepted_{};
  int refusals_{};
  bool is_paused_{};
};

class ClientTransport : public ::testing::Test {
 protected:
  std::unique_ptr<Client> connect(const std::string& servers) {
    return make_client(io_, {.servers = *parse_connect_string(servers), .seed = 1});
  }

  // Runs the loop until `condition`; false if that takes longer than anything here should.
  template <class Condition>
  bool run_until(Condition condition) {
    using namespace std::chrono_literals;
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!condition() && std::chrono::steady_clock::now() < deadline) {
      io_.run_one_for(100ms);
    }
    return condition();
  }

  // Runs everything that is ready.
  void run_ready() {
    while (io_.poll() > 0) {
    }
  }

  static Request set_of(std::size_t size) {
    return SetDataRequest{.path = "/a", .data = Bytes(size)};
  }

  asio::io_context io_;
  Server server_{io_};
};

TEST_F(ClientTransport, ConnectsAndIsAnswered) {
  const auto client = connect(server_.address());
  std::vector<SessionState> states;
  client->on_state([&](SessionState state) { states.push_back(state); });
  std::vector<std::int32_t> versions;
  for (const std::size_t size : {3U, 1U, 2U}) {
    client->submit(set_of(size), [&](const replication::Result<Reply>& reply) {
      versions.push_back(std::get<StatResponse>(reply->body).stat.version);
    });
  }
  EXPECT_TRUE(run_until([&] { return versions.size() == 3; }));
  EXPECT_EQ(versions, (std::vector<std::int32_t>{3, 1, 2}));
  EXPECT_EQ(states, (std::vector<SessionState>{SessionState::connected}));
  EXPECT_EQ(client->server(), server_.address());
  EXPECT_EQ(client->session().value, 1);
  EXPECT_EQ(client->timeout_ms(), 4'000);
  EXPECT_EQ(client->last_zxid().value, 1U);
}

TEST_F(ClientTransport, FindsAServerByName) {
  const auto client = connect("localhost:" + std::to_string(server_.port()));
  EXPECT_TRUE(run_until([&] { return client->state() == SessionState::connected; }));
}

TEST_F(ClientTransport, GoesOnUntilAServerServes) {
  std::string dead;
  {
    tcp::acceptor unused(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    dead = "127.0.0.1:" + std::to_string(unused.local_endpoint().port());
  }
  server_.refuse(2);
  const auto client = connect(dead + "," + server_.address());
  EXPECT_TRUE(run_until([&] { return client->state() == SessionState::connected; }));
  EXPECT_EQ(server_.accepted(), 3);
}

TEST_F(ClientTransport, HoldsBackWhatAServerDoesNotRead) {
  constexpr int count = 64;
  const auto client = connect(server_.address());
  ASSERT_TRUE(run_until([&] { return client->state() == SessionState::connected; }));
  server_.pause();
  std::vector<std::int32_t> versions;
  for (int i = 0; i < count; ++i) {
    const auto size = replication::limits::value_bytes_max - static_cast<std::size_t>(i);
    client->submit(set_of(size), [&](const replication::Result<Reply>& reply) {
      versions.push_back(std::get<StatResponse>(reply->body).stat.version);
    });
  }
  run_ready();
  EXPECT_EQ(versions.size(), 0U);
  server_.go_on();
  ASSERT_TRUE(run_until([&] { return versions.size() == count; }));
  EXPECT_TRUE(std::ranges::is_sorted(versions, std::greater<>{}));
}

TEST_F(ClientTransport, SendsBeforeTheTurnOfTheLoopEndsIfItIsToldTo) {
  // A server that the loop knows nothing of: what it has got was sent without the loop.
  asio::io_context elsewhere;
  tcp::acceptor acceptor(elsewhere, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  const auto client = connect("127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()));
  client->send_now();  // There is no connection: nothing happens.
  tcp::socket socket(elsewhere);
  acceptor.non_blocking(true);
  error_code error;
  ASSERT_TRUE(run_until([&] { return socket.is_open() || !acceptor.accept(socket, error); }));
  socket.non_blocking(true);
  Bytes got;
  const auto receive = [&] {
    std::array<std::uint8_t, 4'096> chunk{};
    got.insert(
        got.end(), chunk.begin(),
        chunk.begin() + static_cast<std::ptrdiff_t>(socket.read_some(asio::buffer(chunk), error)));
    return !got.empty();
  };
  ASSERT_TRUE(run_until(receive));
  Bytes greeting;
  append_frame(greeting,
               ConnectResponse{.timeout_ms = 4'000, .session_id = 1, .password = Bytes(16)});
  asio::write(socket, asio::buffer(greeting));
  ASSERT_TRUE(run_until([&] { return client->state() == SessionState::connected; }));
  run_ready();
  got.clear();
  client->submit(set_of(1), [](const auto&) {});
  client->submit(set_of(2), [](const auto&) {});
  EXPECT_FALSE(receive());
  client->send_now();
  EXPECT_TRUE(receive());
  const auto at_once = got.size();
  run_ready();
  receive();
  EXPECT_EQ(got.size(), at_once) << "and nothing is sent twice";
}

TEST_F(ClientTransport, CanBeDestroyedByItsOwnCallbackAndSaysNothingMore) {
  auto client = connect(server_.address());
  int calls = 0;
  for (int i = 0; i < 3; ++i) {
    client->submit(set_of(1), [&](const auto&) {
      ++calls;
      client.reset();
    });
  }
  EXPECT_TRUE(run_until([&] { return client == nullptr; }));
  run_ready();
  EXPECT_EQ(calls, 1);
}

TEST_F(ClientTransport, CanBeDestroyedAtAnyTurnOfTheLoop) {
  for (int turns = 0; turns < 12; ++turns) {
    auto client = connect("localhost:" + std::to_string(server_.port()));
    bool destroyed = false;
    client->submit(set_of(1), [&](const auto&) { EXPECT_FALSE(destroyed); });
    for (int i = 0; i < turns; ++i) {
      io_.run_one_for(std::chrono::milliseconds{50});
    }
    client.reset();
    destroyed = true;
    run_ready();
  }
}

TEST_F(ClientTransport, ClosesAndThenRefuses) {
  const auto client = connect(server_.address());
  ASSERT_TRUE(run_until([&] { return client->state() == SessionState::connected; }));
  bool done = false;
  client->close([&] { done = true; });
  EXPECT_TRUE(run_until([&] { return done; }));
  EXPECT_EQ(client->state(), SessionState::closed);
  EXPECT_EQ(client->server(), "");
  std::optional<ErrorCode> error;
  client->submit(set_of(1),
                 [&](const replication::Result<Reply>& reply) { error = reply.error(); });
  EXPECT_FALSE(error.has_value());
  EXPECT_TRUE(run_until([&] { return error.has_value(); }));
  EXPECT_EQ(error, ErrorCode::session_expired);
}

TEST_F(ClientTransport, ForgetsOnRequest) {
  const auto client = connect(server_.address());
  bool first = false;
  bool second = false;
  client->forget(client->submit(set_of(1), [&](const auto&) { first = true; }));
  client->submit(set_of(1), [&](const auto&) { second = true; });
  EXPECT_TRUE(run_until([&] { return second; }));
  EXPECT_FALSE(first);
}

}  // namespace
}  // namespace zabfs::fusefs::client
