// The links between this server and the others: exactly one per pair.
//
// The servers come and go with the configurations that the replica knows of. One that is in none of
// them keeps the link it has, for as long as that lasts.
//
// The higher server of a pair connects, the lower one accepts. Where the ensemble can change, the
// lower one connects, too, when it has had no link for a while: the higher one may not know it yet,
// or not any more, or know it where it was before. A link that is lost is connected
// again, at once if it had lasted, then after pauses that double, each a little different so that
// servers that lost one another together do not all come back together. The lower server keeps the
// newest link: when it learns of a new connection before the end of the old one, the old one ends.
//
// Whoever connects is a stranger until his handshake is over. There may be a bounded number of
// strangers; one more drives the oldest away, so a real server gets through if it is quick.
#pragma once

#include <spdlog/logger.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/pace/rate_limit.hpp"
#include "daemon/peers/handshake.hpp"
#include "daemon/peers/link.hpp"
#include "daemon/peers/peer_events.hpp"
#include "daemon/sockets/acceptor.hpp"
#include "daemon/tls/credentials.hpp"
#include "replication/ports/clock.hpp"
#include "replication/ports/entropy.hpp"
#include "replication/ports/peer_links.hpp"
#include "replication/ports/random.hpp"

namespace zabfs::daemon::peers {

struct PeerAddress {
  std::string host{};  // a name, or an address without brackets
  std::uint16_t port{};

  bool operator==(const PeerAddress&) const = default;
};

struct MeshOptions {
  replication::ServerId self{};
  PeerAddress listen{};  // an empty host: all addresses; port 0: a free one
  std::map<replication::ServerId, PeerAddress> others{};
  std::string membership{};     // a text that must be the same on every server of the ensemble
  replication::Bytes secret{};  // empty: the servers prove nothing to each other
  bool admits_joiners{};        // the ensemble can change
  std::uint32_t version{protocol_version};
};

// What the mesh needs of its surroundings. All of it outlives the mesh.
struct MeshPorts {
  const replication::Clock& clock;
  replication::Entropy& entropy;  // for nonces
  replication::Random& random;    // for pauses
  std::shared_ptr<spdlog::logger> logger;
  const tls::Credentials* credentials{};  // null: nothing is encrypted
};

class Mesh : public replication::PeerLinks, private LinkOwner {
 public:
  // `context` and `events` outlive the mesh.
  Mesh(boost::asio::io_context& context, const MeshOptions& options, MeshPorts ports,
       PeerEvents& events);
  ~Mesh() override;

  // Takes the port. Returns a sentence if it cannot be done; then the mesh is of no further use.
  std::optional<std::string> listen();

  // Where the others connect; after listen().
  std::uint16_t port() const { return acceptor_.port(); }

  // Begins to accept and to connect.
  void start();

  // Sends what waits. Call it at the end of the turn, behind everything that appends to outboxes.
  // May call on_peer_down.
  void flush();

  // Sends what the kernel takes, then ends every link; nothing is told to anybody. Handlers that
  // were already on their way still pass through the mesh: destroy it when the context has run dry,
  // or will never run again.
  void stop();

  bool is_up(replication::ServerId peer) const;

  replication::Bytes& outbox(replication::ServerId peer) override;
  std::size_t unsent(replication::ServerId peer) const override;
  void drop(replication::ServerId peer) override;
  void on_servers(const replication::KnownServers& servers) override;

 private:
  struct Peer {
    std::vector<PeerAddress> addresses{};  // it may be at any of them; empty: nobody connects to it
    std::unique_ptr<boost::asio::steady_timer> retry{};  // only where this server connects
    std::shared_ptr<Link> link{};                        // that is up
    std::shared_ptr<Link> attempt{};                     // that may become it
    std::uint64_t attempts{};
    std::int64_t pause_ms{};  // before the next attempt
    std::int64_t up_since_ms{};
    std::string told{};  // of the last attempt that failed; empty after one that did not
  };

  void on_established(Link& link) override;
  void on_frame(Link& link, replication::ByteView payload) override;
  void on_ended(Link& link, const std::string& why) override;
  void schedule_turn_end() override { events_.schedule_turn_end(); }

  void on_accepted(boost::asio::ip::tcp::socket socket);
  void forget_stranger(const Link& link);
  void dial(replication::ServerId id);
  Peer& peer_at(replication::ServerId id);
  void set_addresses(replication::ServerId id, std::vector<PeerAddress> addresses);
  void move_to(const PeerAddress& address);
  void connect(replication::ServerId id, const boost::asio::ip::tcp::endpoint& endpoint,
               const std::string& host);
  std::optional<std::string> objection_to_certificate(Link& link, const Peer& peer) const;
  void on_attempt_failed(replication::ServerId id, const std::string& why);
  void on_link_over(replication::ServerId id);
  void dial_again(replication::ServerId id);
  Nonce nonce();
  void warn(const std::string& line);

  boost::asio::io_context& context_;
  PeerAddress listen_;
  const bool listens_on_all_;
  Identity identity_;
  MeshPorts ports_;
  PeerEvents& events_;
  sockets::Acceptor acceptor_;
  boost::asio::ip::tcp::resolver resolver_;
  std::map<replication::ServerId, Peer> peers_;
  std::deque<std::shared_ptr<Link>> strangers_;  // the oldest first
  RateLimit warnings_{1};
  boost::asio::steady_timer move_;  // until the next attempt to listen elsewhere
  bool is_listening_{};
  bool is_started_{};
  bool is_stopped_{};
};

}  // namespace zabfs::daemon::peers
