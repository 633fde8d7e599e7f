#include "daemon/server.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/ip/host_name.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <sstream>
#include <utility>
#include <variant>

#include "daemon/version.hpp"

namespace zabfs::daemon {

using replication::ByteView;
using replication::ConnectionId;
using replication::Ticket;

namespace {

constexpr std::int64_t tick_ms_max = 250;

std::string configured_words(const Config& config) {
  std::string words;
  for (const auto& word : config.four_letter_words) {
    words += (words.empty() ? "" : ",") + word;
  }
  return words;
}

}  // namespace

Server::Server(boost::asio::io_context& context, const Config& config,
               std::function<void()> on_serving)
    : context_(context),
      config_(config),
      on_serving_(std::move(on_serving)),
      logger_(make_logger(config.log_level)),
      trace_(logger_, clock_),
      table_(context,
             {.per_address_max = config.connections_per_address_max,
              .total_max = config.connections_max},
             clock_, *this),
      listener_(context, [this](auto socket) { table_.add(std::move(socket)); }),
      words_(config.four_letter_words),
      tick_(context),
      burst_end_(context),
      started_ms_(clock_.monotonic_ms()) {}

Server::~Server() { stop(); }

std::optional<std::string> Server::start() {
  auto directories = disk::DataDirectories::open(config_.data_directory, config_.log_directory);
  if (auto* why = std::get_if<std::string>(&directories)) {
    return std::move(*why);
  }
  if (auto why =
          listener_.listen(config_.client_address, config_.client_port, config_.listen_backlog)) {
    return why;
  }
  disk_ = std::make_unique<disk::PosixDisk>(std::get<disk::DataDirectories>(std::move(directories)),
                                            [this](Ticket done) { on_disk_progress(done); });
  replica_ = std::make_unique<replication::Replica>(
      replication::ReplicaOptions{.tick_ms = config_.tick_ms,
                                  .session_timeout_min_ms = config_.session_timeout_min_ms,
                                  .session_timeout_max_ms = config_.session_timeout_max_ms,
                                  .snapshot_every = config_.snapshot_every,
                                  .snapshots_kept = config_.snapshots_kept},
      replication::ReplicaPorts{.clock = clock_,
                                .entropy = entropy_,
                                .disk = *disk_,
                                .clients = table_,
                                .trace = trace_});
  if (auto why = replica_->start()) {
    replica_.reset();
    return why;
  }
  logger_->info("zabd {}: data in {}, clients on port {}", version(), config_.data_directory,
                client_port());
  table_.schedule_turn_end();
  await_tick();
  return std::nullopt;
}

void Server::stop() {
  if (std::exchange(is_stopped_, true)) {
    return;
  }
  listener_.close();
  tick_.cancel();
  burst_end_.cancel();
  if (disk_) {
    disk_->finish();
  }
  if (replica_) {
    replica_->on_disk_done({disk_done_.load()});
  }
  table_.close_all();
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
    const auto unanswered = replica_->status().requests_outstanding;
    replica_->on_disk_done({disk_done_.load()});
    serve_when_ready();
    if (burst_.begin(unanswered, replica_->status().requests_outstanding)) {
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
  if (!is_accepting_ && replica_->status().serving) {
    is_accepting_ = true;
    listener_.start();
    on_serving_();
  }
}

void Server::await_tick() {
  tick_.expires_after(
      std::chrono::milliseconds(std::clamp<std::int64_t>(config_.tick_ms / 4, 1, tick_ms_max)));
  tick_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled && !is_stopped_) {
      replica_->on_tick();
      trace_.on_tick();
      table_.on_tick();
      table_.schedule_turn_end();
      await_tick();
    }
  });
}

void Server::on_connected(ConnectionId connection, std::string address) {
  replica_->on_connected(connection, std::move(address));
}

void Server::on_frame(ConnectionId connection, ByteView payload) {
  replica_->on_frame(connection, payload);
}

void Server::on_disconnected(ConnectionId connection) { replica_->on_disconnected(connection); }

bool Server::may_read(ConnectionId connection) const {
  return !is_overloaded_ && replica_->may_read(connection);
}

std::optional<std::string> Server::answer_to(std::string_view word) {
  return words_.answer(word, [this] { return facts(); });
}

void Server::on_turn_end() {
  if (!is_stopped_) {
    if (burst_.is_over(replica_->status().requests_outstanding)) {
      replica_->on_turn_end();
    }
    is_overloaded_ = replica_->status().requests_outstanding >= config_.requests_max;
  }
}

admin::Facts Server::facts() const {
  admin::Facts facts{.replica = replica_->status(),
                     .version = zookeeper_version(),
                     .host = boost::asio::ip::host_name(),
                     .uptime_ms = clock_.monotonic_ms() - started_ms_};
  for (const auto& client : table_.open_connections()) {
    std::ostringstream endpoint;
    endpoint << client->remote();
    facts.clients.push_back({.endpoint = endpoint.str(),
                             .is_read_from = !client->is_paused(),
                             .unanswered = client->unanswered(),
                             .received = client->frames_received(),
                             .sent = client->frames_sent()});
  }
  facts.configuration = {
      {"clientPort", std::to_string(client_port())},
      {"dataDir", config_.data_directory},
      {"dataLogDir", config_.log_directory},
      {"tickTime", std::to_string(config_.tick_ms)},
      {"maxClientCnxns", std::to_string(config_.connections_per_address_max)},
      {"minSessionTimeout", std::to_string(config_.session_timeout_min_ms)},
      {"maxSessionTimeout", std::to_string(config_.session_timeout_max_ms)},
      {"clientPortListenBacklog", std::to_string(config_.listen_backlog)},
      {"4lw.commands.whitelist", configured_words(config_)},
      {"serverId", "1"},
  };
  return facts;
}

}  // namespace zabfs::daemon
