#include "daemon/server.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdlib>
#include <utility>
#include <variant>

#include "daemon/ensemble_mesh.hpp"
#include "daemon/tls/certificate.hpp"
#include "daemon/version.hpp"

namespace zabfs::daemon {

using replication::ByteView;
using replication::ConnectionId;
using replication::Ticket;

namespace {

constexpr std::int64_t tick_ms_max = 250;
constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t refresh_ms = 1'000;  // between two looks at what may have changed

// What to do if the port of `key` cannot be had.
sockets::PortPurpose port_purpose(const std::string& key) {
  return {
      .when_taken = "stop the program that has this port, or change " + key,
      .when_forbidden = "choose a " + key + " above 1023, or run as a user that may take this one",
      .otherwise = "check " + key + " and " + key + "Address"};
}

// A seed that differs from machine to machine and from start to start.
std::uint64_t drawn_from(MachineEntropy& entropy) {
  std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
  entropy.fill(bytes);
  return std::bit_cast<std::uint64_t>(bytes);
}

// This server's own line says where its clients connect, even if the configuration says it
// elsewhere: so does ZooKeeper's.
replication::Ensemble members_of(const EnsembleConfig& config, const Config& all) {
  replication::Ensemble ensemble;
  for (const auto& [id, member] : config.members) {
    replication::Member one = member;
    for (const auto& [group, servers] : config.groups) {
      if (std::ranges::find(servers, id) != servers.end()) {
        one.group = static_cast<std::uint32_t>(group);
      }
    }
    if (id == config.self && !one.client_port) {
      one.client_address = all.client_address;
      one.client_port = all.client_port;
    }
    ensemble.members.push_back(one);
  }
  return ensemble;
}

}  // namespace

Server::Server(boost::asio::io_context& context, const Config& config,
               std::function<void()> on_serving)
    : context_(context),
      config_(config),
      on_serving_(std::move(on_serving)),
      chance_(drawn_from(entropy_)),
      logger_(make_logger(config.log_level)),
      trace_(logger_, clock_),
      table_(context,
             {.per_address_max = config.clients.connections_per_address_max,
              .total_max = config.clients.connections_max,
              .frame_bytes_max = config.clients.frame_bytes_max,
              .sessionless_ms = config.clients.sessionless_ms,
              .keeps_alive = config.clients.keeps_alive},
             clock_, metrics_, *this),
      schemes_({.digest_algorithm = config.security.digest_algorithm,
                .super_digest = config.security.super_digest}),
      acceptor_(context, port_purpose("clientPort"),
                [this](auto socket) { table_.add(std::move(socket)); }),
      secure_acceptor_(
          context, port_purpose("secureClientPort"),
          [this](auto socket) { table_.add(std::move(socket), client_credentials_->accepted()); }),
      view_(config_, clock_, table_, metrics_, schemes_, replica_),
      operators_(context, config.admin, view_),
      words_(config.four_letter_words),
      tick_(context),
      burst_end_(context),
      minute_began_ms_(clock_.monotonic_ms()) {}

Server::~Server() { stop(); }

std::optional<std::string> Server::start() {
  auto directories = disk::DataDirectories::open(config_.data_directory, config_.log_directory);
  if (auto* why = std::get_if<std::string>(&directories)) {
    return std::move(*why);
  }
  for (const auto step : {&Server::open_audit, &Server::load_credentials, &Server::listen}) {
    if (auto why = (this->*step)()) {
      return why;
    }
  }
  peers::PeerEvents& events = *this;
  mesh_ = std::make_unique<peers::Mesh>(context_, mesh_options(config_.ensemble),
                                        peers::MeshPorts{.clock = clock_,
                                                         .entropy = entropy_,
                                                         .random = chance_,
                                                         .logger = logger_,
                                                         .credentials = peer_credentials_.get()},
                                        events);
  if (auto why = start_replica(std::get<disk::DataDirectories>(std::move(directories)))) {
    return why;
  }
  if (!is_alone()) {
    if (auto why = mesh_->listen()) {  // where it is now, which the data says
      replica_.reset();
      return why;
    }
  }
  logger_->info("zabd {}: data in {}, clients on port {}{}", version(), config_.data_directory,
                client_port(),
                client_credentials_ ? ", with TLS on port " + std::to_string(secure_port()) : "");
  if (auto why = admit_operators()) {
    return why;
  }
  if (!is_alone()) {
    mesh_->start();
  }
  if (audit_) {
    audit_->record({.operation = "serverStart"});
  }
  serve_when_ready();
  table_.schedule_turn_end();
  await_tick();
  return std::nullopt;
}

std::optional<std::string> Server::start_replica(disk::DataDirectories directories) {
  disk_ = std::make_unique<disk::PosixDisk>(std::move(directories),
                                            [this](Ticket done) { on_disk_progress(done); });
  replica_ = std::make_unique<replication::Replica>(
      replica_options(), replication::ReplicaPorts{.clock = clock_,
                                                   .entropy = entropy_,
                                                   .authenticator = schemes_,
                                                   .disk = *disk_,
                                                   .clients = table_,
                                                   .peers = *mesh_,
                                                   .trace = trace_,
                                                   .metrics = &metrics_,
                                                   .audit = audit_.get()});
  if (auto why = replica_->start()) {
    replica_.reset();
    return why;
  }
  return std::nullopt;
}

std::optional<std::string> Server::open_audit() {
  if (!config_.security.audits) {
    return std::nullopt;
  }
  audit_ = std::make_unique<AuditLog>();
  return config_.security.audit_file.empty() ? std::nullopt
                                             : audit_->open(config_.security.audit_file);
}

std::optional<std::string> Server::load_credentials() {
  const auto load = [](bool is_wanted, const tls::Options& options,
                       std::unique_ptr<tls::Credentials>& to) -> std::optional<std::string> {
    if (is_wanted) {
      auto loaded = tls::Credentials::load(options);
      if (auto* why = std::get_if<std::string>(&loaded)) {
        return std::move(*why);
      }
      to = std::get<std::unique_ptr<tls::Credentials>>(std::move(loaded));
    }
    return std::nullopt;
  };
  const SecurityConfig& security = config_.security;
  auto why = load(security.secure_port.has_value(), security.client_tls, client_credentials_);
  return why ? why : load(security.encrypts_peers, security.peer_tls, peer_credentials_);
}

std::optional<std::string> Server::listen() {
  auto why = acceptor_.listen(config_.client_address, config_.client_port, config_.listen_backlog);
  if (!why && client_credentials_) {
    why = secure_acceptor_.listen(config_.security.secure_address, *config_.security.secure_port,
                                  config_.listen_backlog);
  }
  return why;
}

void Server::refresh() {
  const auto now_ms = clock_.monotonic_ms();
  if (now_ms - refreshed_ms_ < refresh_ms) {
    return;
  }
  refreshed_ms_ = now_ms;
  refresh_credentials();
  if (missed_address_ && !move_clients(*missed_address_)) {
    missed_address_.reset();
  }
}

void Server::refresh_credentials() {
  for (const auto& credentials : {client_credentials_.get(), peer_credentials_.get()}) {
    const auto news = credentials == nullptr ? std::nullopt : credentials->refresh();
    if (news) {
      logger_->log(news->changed ? spdlog::level::info : spdlog::level::err, "{}", news->sentence);
    }
  }
}

std::optional<std::string> Server::admit_operators() {
  view_.on_listening(client_port(), client_credentials_ ? secure_port() : -1);
  if (auto why = operators_.start()) {
    return why;
  }
  if (operators_.command_port() != 0) {
    logger_->info("commands over HTTP on port {}", operators_.command_port());
  }
  if (operators_.metrics_port() != 0) {
    logger_->info("metrics for Prometheus on port {}", operators_.metrics_port());
  }
  return std::nullopt;
}

replication::ReplicaOptions Server::replica_options() const {
  replication::ReplicaOptions options{
      .tick_ms = config_.tick_ms,
      .session_timeout_min_ms = config_.session_timeout_min_ms,
      .session_timeout_max_ms = config_.session_timeout_max_ms,
      .snapshot_every = config_.snapshot_every,
      .snapshot_log_bytes = config_.snapshot_log_bytes,
      .snapshots_kept = config_.snapshots_kept,
      .request_bytes_max = config_.clients.request_bytes_max,
      .knows_certificates = config_.security.secure_port &&
                            config_.security.client_tls.certificates != tls::Certificates::none,
      .has_ttl = config_.tree.has_ttl,
      .removal_check_ms = config_.tree.removal_check_ms,
      .removals_per_minute = config_.tree.removals_per_minute,
      .container_never_used_ms = config_.tree.container_never_used_ms,
      .enforces_quota = config_.tree.enforces_quota};
  options.is_reconfigurable = config_.ensemble.is_reconfigurable;
  if (config_.security.enforces_authentication) {
    options.required_schemes = config_.security.required_schemes;
  }
  if (!config_.ensemble.members.empty()) {
    options.id = config_.ensemble.self;
    options.voters_min = config_.ensemble.is_alone_if_single ? 2 : 1;
    if (!is_alone()) {
      options.ensemble = members_of(config_.ensemble, config_);
    }
    options.peer_timeout_ms = config_.ensemble.peer_timeout_ms;
    options.init_timeout_ms = config_.ensemble.init_ms;
    options.sync_timeout_ms = std::max(config_.ensemble.sync_ms, options.peer_timeout_ms);
  }
  return options;
}

void Server::stop() {
  if (std::exchange(is_stopped_, true)) {
    return;
  }
  if (audit_ && replica_) {
    audit_->record({.operation = "serverStop", .result = replication::AuditResult::invoked});
  }
  acceptor_.close();
  secure_acceptor_.close();
  operators_.stop();
  tick_.cancel();
  burst_end_.cancel();
  if (disk_) {
    disk_->finish();
  }
  if (replica_) {
    replica_->on_disk_done({disk_done_.load()});
  }
  table_.close_all();
  if (mesh_) {
    mesh_->stop();  // Last, for what the disk has finished and clients that go are told to the
                    // others.
  }
}

void Server::on_disk_progress(Ticket done) {
  disk_done_.store(done.value);
  if (!disk_report_is_posted_.exchange(true)) {
    boost::asio::post(context_, [this] { take_disk_report(); });
  }
}

void Server::take_disk_report() {
  disk_report_is_posted_.store(false);
  if (!is_stopped_) {
    const auto unanswered = replica_->status().writes_outstanding;
    replica_->on_disk_done({disk_done_.load()});
    serve_when_ready();
    if (burst_.begin(unanswered, replica_->status().writes_outstanding)) {
      await_burst_end();
    }
    table_.schedule_turn_end();
  }
}

void Server::await_burst_end() {
  burst_end_.expires_after(std::chrono::microseconds(replication::limits::burst_wait_us));
  burst_end_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled && !is_stopped_) {
      burst_.on_time_over();
      table_.schedule_turn_end();
    }
  });
}

void Server::serve_when_ready() {
  if (!is_accepting_ && (!is_alone() || replica_->status().serving)) {
    is_accepting_ = true;
    acceptor_.start();
    if (client_credentials_) {
      secure_acceptor_.start();
    }
    on_serving_();
  }
}

void Server::await_tick() {
  const std::int64_t tick_ms =
      is_alone() ? config_.tick_ms / 4
                 : std::min(config_.tick_ms / 4, config_.ensemble.peer_timeout_ms / 20);
  tick_.expires_after(std::chrono::milliseconds(std::clamp<std::int64_t>(tick_ms, 1, tick_ms_max)));
  tick_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled && !is_stopped_) {
      replica_->on_tick();
      count_syncs();
      trace_.on_tick();
      refresh();
      table_.on_tick();
      table_.schedule_turn_end();
      await_tick();
    }
  });
}

void Server::on_connected(ConnectionId connection, std::string address, const X509* certificate) {
  replication::Identities identities;
  if (certificate != nullptr) {
    const std::string subject = tls::subject_of(*certificate);
    if (subject == config_.security.super_certificate) {
      identities.push_back({.scheme = replication::super_scheme, .id = subject});
    }
    identities.push_back({.scheme = "x509", .id = subject});
  }
  if (config_.security.skips_acls) {
    identities.push_back({.scheme = replication::super_scheme, .id = ""});
  }
  replica_->on_connected(connection, std::move(address), std::move(identities));
}

void Server::on_refused(const std::string& address, const std::string& why) {
  const auto now_ms = clock_.monotonic_ms();
  const auto held_back = refused_.take_held_back(now_ms);
  if (refused_.admits(now_ms)) {
    logger_->warn("refused a client at {}: it {}{}", address, why,
                  held_back == 0 ? "" : " (and " + std::to_string(held_back) + " others)");
  }
}

void Server::on_frame(ConnectionId connection, ByteView payload) {
  replica_->on_frame(connection, payload);
}

void Server::on_disconnected(ConnectionId connection) { replica_->on_disconnected(connection); }

bool Server::may_read(ConnectionId connection, std::size_t bytes) const {
  return !is_overloaded_ && replica_->may_read(connection, bytes);
}

std::optional<std::string> Server::answer_to(std::string_view beginning) {
  return words_.answer(beginning, view_);
}

// What the disk's thread has measured, and the minutes of all that is measured.
void Server::count_syncs() {
  constexpr std::int64_t long_us = 1'000'000;
  for (const std::int64_t took_us : disk_->take_sync_times()) {
    metrics_.fsynctime.add(took_us);
    if (took_us > long_us) {
      metrics_.fsync_threshold_exceed_count.add();
      logger_->warn("a sync of the log has taken {} ms: the disk is slow, or busy with other work",
                    took_us / 1'000);
    }
  }
  if (clock_.monotonic_ms() - minute_began_ms_ >= minute_ms) {
    minute_began_ms_ = clock_.monotonic_ms();
    metrics_.begin_minute();
  }
}

void Server::on_turn_end() {
  if (!is_stopped_) {
    if (burst_.is_over(replica_->status().writes_outstanding)) {
      replica_->on_turn_end();
    }
    end_if_failed();
    view_.on_turn_end();
    mesh_->flush();
    is_overloaded_ = replica_->status().requests_outstanding >= config_.clients.requests_max;
  }
}

// Nothing of this turn has left yet: what this server would say cannot be trusted.
void Server::end_if_failed() {
  if (const auto& sentence = replica_->failure()) {
    end_with(*sentence);
  }
}

void Server::end_with(const std::string& sentence) {
  logger_->critical("{}", sentence);
  logger_->flush();
  std::_Exit(EXIT_FAILURE);
}

void Server::on_peer_up(replication::ServerId peer) {
  logger_->info("the link to server {} is up", peer.value);
  replica_->on_peer_up(peer);
}

void Server::on_peer_frame(replication::ServerId peer, ByteView payload) {
  replica_->on_peer_frame(peer, payload);
}

// Connections that are there stay.
void Server::on_servers(const replication::KnownServers& servers) {
  view_.on_servers(servers.in_force);
  const auto* own = replication::find_member(servers.in_force, config_.ensemble.self);
  if (is_stopped_ || own == nullptr || !own->client_port ||
      servers.in_force.version == replication::Zxid{} || *own->client_port == acceptor_.port() ||
      *own->client_port == 0) {
    return;
  }
  ClientAddress wanted{.host = own->client_address, .port = *own->client_port};
  if (missed_address_ == wanted) {
    return;  // It is being tried, and that has been said.
  }
  missed_address_.reset();
  if (const auto why = move_clients(wanted)) {
    logger_->error("{}; clients cannot connect before, it is tried again every second", *why);
    missed_address_ = std::move(wanted);
  }
}

std::optional<std::string> Server::move_clients(const ClientAddress& wanted) {
  if (auto why = acceptor_.listen(wanted.host, wanted.port, config_.listen_backlog)) {
    return why;
  }
  logger_->info("clients connect to port {} from now on", client_port());
  view_.on_listening(client_port(), client_credentials_ ? secure_port() : -1);
  if (is_accepting_) {
    acceptor_.start();
  }
  return std::nullopt;
}

void Server::on_peer_down(replication::ServerId peer) {
  logger_->info("the link to server {} is down", peer.value);
  if (!is_stopped_) {
    replica_->on_peer_down(peer);
  }
}

}  // namespace zabfs::daemon
