#include "daemon/operator_view.hpp"

#include <boost/asio/ip/host_name.hpp>
#include <sstream>

#include "daemon/version.hpp"

namespace zabfs::daemon {
namespace {

admin::MemberFacts facts_of(const replication::Member& member) {
  const std::string address = member.client_address.empty() ? "0.0.0.0" : member.client_address;
  return {.id = member.id,
          .host = member.host,
          .port = member.port,
          .election_port = member.election_port == 0 ? member.port : member.election_port,
          .is_observer = member.is_observer,
          .client_address = member.client_port ? address + ":" + std::to_string(*member.client_port)
                                               : std::string()};
}

admin::Settings settings_of(const Config& config) {
  admin::Settings settings{
      .address = config.client_address.empty() ? "0.0.0.0" : config.client_address,
      .client_port = config.client_port,
      .data_directory = config.data_directory,
      .log_directory = config.log_directory,
      .tick_ms = config.tick_ms,
      .connections_per_address_max = config.clients.connections_per_address_max,
      .session_timeout_min_ms = config.session_timeout_min_ms,
      .session_timeout_max_ms = config.session_timeout_max_ms,
      .listen_backlog = config.listen_backlog,
      .server_id = config.ensemble.self.value,
      .init_ticks = config.ensemble.init_ms / config.tick_ms,
      .sync_ticks = config.ensemble.sync_ms / config.tick_ms,
      .text = config.text};
  for (const auto& [id, member] : config.ensemble.members) {
    settings.members.push_back(facts_of(member));
  }
  return settings;
}

}  // namespace

OperatorView::OperatorView(const Config& config, const replication::Clock& clock,
                           const clients::ConnectionTable& table, replication::Metrics& metrics,
                           const std::unique_ptr<replication::Replica>& replica)
    : clock_(clock),
      table_(table),
      metrics_(metrics),
      replica_(replica),
      settings_(settings_of(config)),
      is_standalone_(config.ensemble.is_alone()),
      started_ms_(clock.monotonic_ms()) {}

void OperatorView::on_servers(const replication::Ensemble& in_force) {
  settings_.members.clear();
  for (const auto& member : in_force.members) {
    settings_.members.push_back(facts_of(member));
  }
  settings_.ensemble_version = in_force.version;
}

admin::Facts OperatorView::facts() const {
  boost::system::error_code unknown;
  const std::int64_t now_ms = clock_.monotonic_ms();
  return {.replica = replica_->status(),
          .version = zookeeper_version(),
          .host = boost::asio::ip::host_name(unknown),
          .uptime_ms = now_ms - started_ms_,
          .now_ms = now_ms,
          .wall_ms = clock_.wall_ms(),
          .is_standalone = is_standalone_};
}

std::vector<admin::ClientFacts> OperatorView::clients(std::size_t count) const {
  const std::int64_t wall_of_start_ms = clock_.wall_ms() - clock_.monotonic_ms();
  std::vector<admin::ClientFacts> facts;
  for (const auto& client : table_.open_connections()) {
    if (facts.size() >= count) {
      break;
    }
    std::ostringstream endpoint;
    endpoint << client->remote();
    facts.push_back({.id = client->id(),
                     .endpoint = endpoint.str(),
                     .is_read_from = !client->is_paused(),
                     .unanswered = client->unanswered(),
                     .received = client->frames_received(),
                     .sent = client->frames_sent(),
                     .since_ms = wall_of_start_ms + client->since_ms()});
  }
  return facts;
}

}  // namespace zabfs::daemon
