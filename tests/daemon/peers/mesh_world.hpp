// Servers that are nothing but their links, all on one thread and one io_context; and a peer that
// can say whatever a test wants.
#pragma once

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "daemon/machine.hpp"
#include "daemon/peers/mesh.hpp"
#include "replication/protocol/peer_frame.hpp"
#include "tests/daemon/clients/loopback_client.hpp"

namespace zabfs::test {

// One server: remembers what it hears, and answers nothing.
class MeshNode : public daemon::peers::PeerEvents {
 public:
  MeshNode(boost::asio::io_context& context, const daemon::peers::MeshOptions& options)
      : context_(context),
        logger_(std::make_shared<spdlog::logger>(
            "test", std::make_shared<spdlog::sinks::ostream_sink_st>(log))),
        mesh(context, options,
             {.clock = clock_, .entropy = entropy_, .random = random_, .logger = logger_}, *this) {
    EXPECT_EQ(mesh.listen(), std::nullopt);
  }

  void on_peer_up(replication::ServerId peer) override {
    EXPECT_FALSE(up[peer]);
    up[peer] = true;
    ++ups[peer];
  }
  void on_peer_frame(replication::ServerId peer, replication::ByteView payload) override {
    EXPECT_TRUE(up[peer]);
    frames[peer].emplace_back(replication::text_of(payload));
    bytes_of_turn_max = std::max(bytes_of_turn_max, bytes_of_turn_ += payload.size());
    if (frames[peer].back() == "drop me") {
      drop(peer);
    }
  }
  void on_peer_down(replication::ServerId peer) override {
    EXPECT_TRUE(up[peer]);
    up[peer] = false;
    ++downs[peer];
  }
  void schedule_turn_end() override {
    if (!std::exchange(turn_end_is_due_, true)) {
      boost::asio::post(context_, [this] {
        turn_end_is_due_ = false;
        bytes_of_turn_ = 0;
        mesh.flush();
      });
    }
  }

  void drop(replication::ServerId peer) {
    up[peer] = false;
    mesh.drop(peer);
  }

  void send(replication::ServerId peer, std::string_view payload) {
    auto& out = mesh.outbox(peer);
    const auto start = replication::protocol::begin_peer_frame(out);
    out.insert(out.end(), payload.begin(), payload.end());
    replication::protocol::end_peer_frame(out, start);
    schedule_turn_end();
  }

  bool has_logged(const std::string& words) const {
    return log.str().find(words) != std::string::npos;
  }

  std::ostringstream log;
  std::size_t bytes_of_turn_max{};
  std::map<replication::ServerId, bool> up;
  std::map<replication::ServerId, int> ups;
  std::map<replication::ServerId, int> downs;
  std::map<replication::ServerId, std::vector<std::string>> frames;

 private:
  boost::asio::io_context& context_;
  daemon::MachineClock clock_;
  daemon::MachineEntropy entropy_;
  replication::Random random_{7};
  std::shared_ptr<spdlog::logger> logger_;
  bool turn_end_is_due_{};
  std::size_t bytes_of_turn_{};

 public:
  daemon::peers::Mesh mesh;
};

class MeshTest : public testing::Test {
 protected:
  ~MeshTest() override {
    for (const auto& [id, node] : nodes_) {
      node->mesh.stop();
    }
    context_.restart();
    context_.poll();
  }

  static constexpr std::uint16_t nobodys_port = 1;

  // The options of server `id` of three. Those below it that it shall reach have been added before.
  daemon::peers::MeshOptions options(std::int64_t id) const {
    daemon::peers::MeshOptions options{.self = {id},
                                       .listen = {"127.0.0.1", 0},
                                       .membership = "servers 1, 2 and 3",
                                       .secret = replication::Bytes(16, 's')};
    for (std::int64_t other = 1; other <= 3; ++other) {
      if (other != id) {
        const auto port = ports_.find(other);
        options.others[{other}] = {"127.0.0.1", port == ports_.end() ? nobodys_port : port->second};
      }
    }
    return options;
  }

  MeshNode& add(const daemon::peers::MeshOptions& options) {
    auto& node = nodes_[options.self.value];
    node = std::make_unique<MeshNode>(context_, options);
    ports_[options.self.value] = node->mesh.port();
    node->mesh.start();
    return *node;
  }
  MeshNode& add(std::int64_t id) { return add(options(id)); }

  MeshNode& node(std::int64_t id) { return *nodes_.at(id); }

  bool until(const std::function<bool()>& condition) { return run_until(context_, condition); }

  bool are_linked(std::int64_t a, std::int64_t b) { return node(a).up[{b}] && node(b).up[{a}]; }

  boost::asio::io_context context_;
  std::map<std::int64_t, std::unique_ptr<MeshNode>> nodes_;
  std::map<std::int64_t, std::uint16_t> ports_;
};

// Connects to a node as server `id` would, and does what the test says.
class RawPeer {
 public:
  RawPeer(boost::asio::io_context& context, std::uint16_t port,
          const daemon::peers::MeshOptions& options)
      : client(context, port),
        identity_{.self = options.self,
                  .membership = daemon::peers::digest_of(options.membership),
                  .secret = options.secret} {
    for (const auto& [id, address] : options.others) {
      identity_.others.insert(id);
    }
  }

  // True once `node` trusts it.
  bool shakes_hands_with(replication::ServerId node) {
    auto handshake = daemon::peers::Handshake::to(identity_, node, {});
    replication::Bytes out;
    handshake.begin(out);
    client.send(out);
    for (const std::size_t expected : {92U, 32U}) {
      out.clear();
      handshake.take(client.take(expected), out);
      client.send(out);
    }
    return handshake.state() == daemon::peers::Handshake::State::done;
  }

  LoopbackClient client;

 private:
  daemon::peers::Identity identity_;
};

// Accepts what a node connects to.
class RawListener {
 public:
  explicit RawListener(boost::asio::io_context& context)
      : context_(context), acceptor_(context, {boost::asio::ip::address_v4::loopback(), 0}) {
    acceptor_.non_blocking(true);
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  // The next connection, once there is one.
  LoopbackClient accept() {
    boost::asio::ip::tcp::socket socket(context_);
    EXPECT_TRUE(run_until(context_, [&] {
      boost::system::error_code error;
      acceptor_.accept(socket, error);
      return !error;
    }));
    return {context_, std::move(socket)};
  }

 private:
  boost::asio::io_context& context_;
  boost::asio::ip::tcp::acceptor acceptor_;
};

}  // namespace zabfs::test
