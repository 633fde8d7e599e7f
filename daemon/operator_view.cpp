#include "daemon/operator_view.hpp"

#include <boost/asio/ip/host_name.hpp>
#include <iterator>
#include <sstream>

#include "daemon/admin/machine_facts.hpp"
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
                           const replication::Authenticator& authenticator,
                           const std::unique_ptr<replication::Replica>& replica)
    : clock_(clock),
      table_(table),
      metrics_(metrics),
      authenticator_(authenticator),
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

admin::Standing OperatorView::standing(std::string_view scheme, const replication::Data& credential,
                                       const std::string& address) const {
  replication::Identities proved{{.scheme = "ip", .id = address}};
  const auto gained = authenticator_.authenticate(scheme, credential, proved);
  if (!gained) {
    return admin::Standing::nobody;
  }
  proved.insert(proved.end(), gained->begin(), gained->end());
  return replication::may_do_everything(inspect(), proved) ? admin::Standing::master
                                                           : admin::Standing::somebody;
}

void OperatorView::take_snapshot(SnapshotTaken taken) {
  replica_->take_snapshot();
  waiting_.push_back({.since = replica_->status().last_applied, .taken = std::move(taken)});
  on_turn_end();
}

std::optional<std::string> OperatorView::restore(replication::ByteView snapshot,
                                                 replication::RestorationDone done) {
  auto read = replication::read_state(snapshot);
  if (const auto* why = std::get_if<std::string>(&read)) {
    return "The body is no whole snapshot of zabd. " + *why;
  }
  replica_->restore(std::make_unique<replication::RestorableState>(
                        std::get<replication::RestorableState>(std::move(read))),
                    std::move(done));
  return std::nullopt;
}

void OperatorView::on_turn_end() {
  if (waiting_.empty()) {
    return;
  }
  const auto status = replica_->status();
  std::vector<Waiting> still;
  for (Waiting& one : std::exchange(waiting_, {})) {
    if (!status.serving || one.since == replication::Zxid{}) {
      one.taken(std::nullopt);
    } else if (status.newest_snapshot < one.since) {
      still.push_back(std::move(one));
    } else if (const auto file = admin::newest_snapshot(settings_.data_directory);
               file.zxid == status.newest_snapshot.value) {
      one.taken(admin::SnapshotFile{
          .path = file.path, .zxid = status.newest_snapshot, .bytes = file.bytes});
    } else {
      still.push_back(std::move(one));  // a leader's snapshot is on its way into its place
    }
  }
  waiting_.insert(waiting_.end(), std::make_move_iterator(still.begin()),
                  std::make_move_iterator(still.end()));
}

}  // namespace zabfs::daemon
