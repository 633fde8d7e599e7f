#include "daemon/peers/mesh.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <iterator>
#include <utility>

#include "daemon/tls/certificate.hpp"
#include "replication/model/check.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::daemon::peers {

using boost::asio::ip::tcp;
using boost::system::error_code;
using replication::Bytes;
using replication::ByteView;
using replication::ServerId;
namespace limits = replication::limits;

namespace {

Identity identity_of(const MeshOptions& options) {
  Identity identity{.self = options.self,
                    .membership = options.admits_joiners ? Digest{} : digest_of(options.membership),
                    .admits_joiners = options.admits_joiners,
                    .secret = options.secret,
                    .version = options.version};
  return identity;
}

}  // namespace

Mesh::Mesh(boost::asio::io_context& context, const MeshOptions& options, MeshPorts ports,
           PeerEvents& events)
    : context_(context),
      listen_(options.listen),
      listens_on_all_(options.listen.host.empty()),
      identity_(identity_of(options)),
      ports_(std::move(ports)),
      events_(events),
      acceptor_(context,
                {.whom = " for the other servers",
                 .when_taken = "stop the program that has this port, or change this server's line "
                               "server.N everywhere",
                 .otherwise = "check the address in this server's own line server.N; with "
                              "quorumListenOnAllIPs=true only the port matters"},
                [this](tcp::socket socket) { on_accepted(std::move(socket)); }),
      resolver_(context),
      move_(context) {
  for (const auto& [id, address] : options.others) {
    CHECK(id != options.self, "server ", id, " is no peer of itself");
    set_addresses(id, {address});
  }
}

Mesh::~Mesh() { stop(); }

std::optional<std::string> Mesh::listen() {
  is_listening_ = true;
  return acceptor_.listen(listen_.host, listen_.port, static_cast<int>(limits::peer_strangers_max));
}

void Mesh::start() {
  acceptor_.start();
  is_started_ = true;
  for (const auto& [id, peer] : peers_) {
    if (id < identity_.self) {
      dial(id);
    } else if (peer.retry) {
      dial_again(id);
    }
  }
}

// --- the servers there are ---

Mesh::Peer& Mesh::peer_at(ServerId id) {
  Peer& peer = peers_[id];
  if (!peer.retry && (id < identity_.self || identity_.admits_joiners)) {
    peer.retry = std::make_unique<boost::asio::steady_timer>(context_);
  }
  return peer;
}

void Mesh::set_addresses(ServerId id, std::vector<PeerAddress> addresses) {
  Peer& peer = peer_at(id);
  const bool was_sought = !peer.addresses.empty();
  peer.addresses = std::move(addresses);
  if (!peer.addresses.empty()) {
    identity_.others.insert(id);
  }
  if (is_started_ && !was_sought && !peer.addresses.empty() && peer.retry && !peer.link) {
    dial_again(id);
  }
}

void Mesh::on_servers(const replication::KnownServers& servers) {
  events_.on_servers(servers);
  if (is_stopped_ || servers.in_force.members.empty()) {
    return;
  }
  if (servers.in_force.version != replication::Zxid{}) {
    identity_.admits_joiners = true;  // whatever this server's lines say, they count no more
    identity_.membership = {};
  }
  std::map<ServerId, std::vector<PeerAddress>> wanted;
  std::vector<replication::Ensemble> ensembles = servers.heard;
  if (servers.next) {
    ensembles.push_back(*servers.next);
  }
  ensembles.push_back(servers.in_force);
  for (const auto& ensemble : ensembles) {
    for (const auto& member : ensemble.members) {
      auto& addresses = wanted[member.id];
      const PeerAddress address{.host = member.host, .port = member.port};
      if (std::ranges::find(addresses, address) == addresses.end()) {
        addresses.push_back(address);
      }
    }
  }
  for (const auto& [id, peer] : peers_) {
    wanted.try_emplace(id);
  }
  for (auto& [id, addresses] : wanted) {
    if (id != identity_.self) {
      set_addresses(id, std::move(addresses));
    }
  }
  const auto* own = replication::find_member(servers.in_force, identity_.self);
  if (own != nullptr && servers.in_force.version != replication::Zxid{}) {
    move_to({.host = listens_on_all_ ? "" : own->host, .port = own->port});
  }
}

// Links that are there stay.
void Mesh::move_to(const PeerAddress& address) {
  if (address == listen_) {
    return;
  }
  listen_ = address;
  if (!is_listening_) {
    return;
  }
  acceptor_.close();
  const auto why = listen();
  if (!why) {
    ports_.logger->info("the other servers connect to port {} from now on", listen_.port);
    acceptor_.start();
    return;
  }
  ports_.logger->error("{}; trying again", *why);
  listen_ = {};
  move_.expires_after(std::chrono::milliseconds(limits::peer_lower_patience_ms));
  move_.async_wait([this, address](const error_code& cancelled) {
    if (!cancelled && !is_stopped_) {
      move_to(address);
    }
  });
}

// --- links ---

void Mesh::flush() {
  for (const auto& [id, peer] : peers_) {
    if (const auto link = peer.link) {
      link->flush();
    }
  }
}

void Mesh::stop() {
  if (std::exchange(is_stopped_, true)) {
    return;
  }
  flush();
  acceptor_.close();
  move_.cancel();
  resolver_.cancel();
  for (auto& [id, peer] : peers_) {
    if (peer.retry) {
      peer.retry->cancel();
    }
    for (const auto& link : {std::exchange(peer.link, {}), std::exchange(peer.attempt, {})}) {
      if (link) {
        link->end();
      }
    }
  }
  for (const auto& stranger : std::exchange(strangers_, {})) {
    stranger->end();
  }
}

bool Mesh::is_up(ServerId peer) const {
  const auto found = peers_.find(peer);
  return found != peers_.end() && found->second.link;
}

Bytes& Mesh::outbox(ServerId peer) {
  CHECK(is_up(peer), "no link to server ", peer);
  return peers_.at(peer).link->outbox();
}

std::size_t Mesh::unsent(ServerId peer) const {
  return is_up(peer) ? peers_.at(peer).link->unsent() : 0;
}

void Mesh::drop(ServerId peer) {
  if (is_up(peer)) {
    ports_.logger->info("link to server {} dropped", peer.value);
    peers_.at(peer).link->end();
    on_link_over(peer);
  }
}

void Mesh::on_accepted(tcp::socket socket) {
  if (strangers_.size() >= limits::peer_strangers_max) {
    const auto oldest = strangers_.front();
    strangers_.pop_front();
    oldest->end();
    warn("too many strangers connect as servers: closed " + oldest->remote());
  }
  LinkOwner& owner = *this;
  strangers_.push_back(std::make_shared<Link>(
      std::move(socket), Handshake::from_stranger(identity_, nonce()), ports_.credentials, owner));
  const auto link = strangers_.back();
  link->start();
}

void Mesh::forget_stranger(const Link& link) {
  std::erase_if(strangers_, [&](const auto& stranger) { return stranger.get() == &link; });
}

// Whoever connects must be at home where the configurations have him; who is in none of them, where
// he comes from.
std::optional<std::string> Mesh::objection_to_certificate(Link& link, const Peer& peer) const {
  if (ports_.credentials == nullptr || !ports_.credentials->options().verifies_client_host_name) {
    return std::nullopt;
  }
  const X509* certificate = link.certificate();
  const auto is_for = [&](const std::string& host) {
    return certificate != nullptr && tls::is_for_host(*certificate, host);
  };
  if (peer.addresses.empty()) {
    const std::string host = link.remote_host();
    return is_for(host) ? std::nullopt
                        : std::optional("its certificate is not for " + host +
                                        ", and no configuration says where else server " +
                                        std::to_string(link.peer().value) + " is");
  }
  if (std::ranges::any_of(peer.addresses, is_for, &PeerAddress::host)) {
    return std::nullopt;
  }
  return "its certificate is not for " + peer.addresses.front().host +
         ", where the configuration has server " + std::to_string(link.peer().value);
}

void Mesh::on_established(Link& link) {
  const auto established = link.shared_from_this();
  const ServerId id = link.peer();
  Peer& peer = peer_at(id);
  if (peer.attempt == established) {
    peer.attempt.reset();
  } else {
    forget_stranger(link);
    if (auto why = objection_to_certificate(link, peer)) {
      link.end();
      warn("refused " + link.remote() + " as a server: " + *why);
      return;
    }
    if (const auto attempt = std::exchange(peer.attempt, {})) {
      attempt->end();  // one is enough
    }
  }
  if (const auto older = std::exchange(peer.link, {})) {
    older->end();
    ports_.logger->info("link to server {} replaced by a newer one", id.value);
    events_.on_peer_down(id);
  }
  peer.link = established;
  peer.up_since_ms = ports_.clock.monotonic_ms();
  peer.told.clear();
  ports_.logger->info("link to server {} established ({})", id.value, link.remote());
  events_.on_peer_up(id);
}

void Mesh::on_frame(Link& link, ByteView payload) { events_.on_peer_frame(link.peer(), payload); }

void Mesh::on_ended(Link& link, const std::string& why) {
  const auto ended = link.shared_from_this();
  if (is_stopped_) {
    return;
  }
  for (auto& [id, peer] : peers_) {
    if (peer.attempt == ended) {
      peer.attempt.reset();
      on_attempt_failed(id, "(" + link.remote() + ") " + why);
      return;
    }
    if (peer.link == ended) {
      ports_.logger->warn("link to server {} lost: it {}", id.value, why);
      on_link_over(id);
      events_.on_peer_down(id);
      return;
    }
  }
  forget_stranger(link);
  warn("refused " + link.remote() + " as a server: it " + why);
}

// One link to `id` is over, and whoever has to know knows.
void Mesh::on_link_over(ServerId id) {
  Peer& peer = peers_.at(id);
  peer.link.reset();
  if (ports_.clock.monotonic_ms() - peer.up_since_ms >= limits::peer_retry_ms_max) {
    peer.pause_ms = 0;
  }
  if (peer.retry) {
    dial_again(id);
  }
}

// A server that is in no configuration is not looked for.
void Mesh::on_attempt_failed(ServerId id, const std::string& why) {
  Peer& peer = peers_.at(id);
  if (peer.told != why) {
    ports_.logger->warn("no link to server {} yet: {}", id.value, why);
    peer.told = why;
  }
  dial_again(id);
}

void Mesh::dial_again(ServerId id) {
  Peer& peer = peers_.at(id);
  const auto pause_ms = std::exchange(
      peer.pause_ms,
      std::clamp(2 * peer.pause_ms, limits::peer_retry_ms_min, limits::peer_retry_ms_max));
  const auto half = static_cast<std::uint64_t>(pause_ms / 2);
  const auto patience_ms = id < identity_.self ? 0 : limits::peer_lower_patience_ms;
  peer.retry->expires_after(std::chrono::milliseconds(patience_ms + pause_ms / 2) +
                            std::chrono::milliseconds(ports_.random.below(half + 1)));
  peer.retry->async_wait([this, id](const error_code& cancelled) {
    const Peer& sought = peers_.at(id);
    if (!cancelled && !is_stopped_ && !sought.link && !sought.attempt) {
      dial(id);
    }
  });
}

void Mesh::dial(ServerId id) {
  Peer& peer = peers_.at(id);
  if (peer.addresses.empty()) {
    return;
  }
  const PeerAddress at = peer.addresses[peer.attempts % peer.addresses.size()];
  error_code error;
  const auto address = boost::asio::ip::make_address(at.host, error);
  if (!error) {
    connect(id, {address, at.port}, at.host);
    return;
  }
  // However long the look-up takes, there is one at a time for each peer.
  resolver_.async_resolve(
      at.host, std::to_string(at.port),
      [this, id, at](const error_code& failed, const tcp::resolver::results_type& found) {
        if (is_stopped_) {
          return;
        }
        if (failed) {
          on_attempt_failed(id, "its address cannot be looked up: " + failed.message());
          return;
        }
        const Peer& sought = peers_.at(id);
        if (sought.link || sought.attempt) {
          return;  // it has come by itself
        }
        const auto choice =
            sought.attempts / std::max<std::size_t>(1, sought.addresses.size()) % found.size();
        connect(id, std::next(found.begin(), static_cast<std::ptrdiff_t>(choice))->endpoint(),
                at.host);
      });
}

void Mesh::connect(ServerId id, const tcp::endpoint& endpoint, const std::string& host) {
  Peer& peer = peers_.at(id);
  ++peer.attempts;
  LinkOwner& owner = *this;
  peer.attempt = std::make_shared<Link>(
      tcp::socket(context_), Handshake::to(identity_, id, nonce()), ports_.credentials, owner);
  const auto attempt = peer.attempt;
  attempt->connect(endpoint, host);
}

Nonce Mesh::nonce() {
  Nonce nonce{};
  ports_.entropy.fill(nonce);
  return nonce;
}

void Mesh::warn(const std::string& line) {
  const auto now_ms = ports_.clock.monotonic_ms();
  const auto held_back = warnings_.take_held_back(now_ms);
  if (warnings_.admits(now_ms)) {
    ports_.logger->warn("{}{}", line,
                        held_back == 0 ? "" : " (and " + std::to_string(held_back) + " others)");
  }
}

}  // namespace zabfs::daemon::peers
