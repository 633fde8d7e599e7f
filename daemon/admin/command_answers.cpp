#include "daemon/admin/command_answers.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "daemon/admin/figures.hpp"
#include "daemon/admin/java_text.hpp"
#include "daemon/admin/listings.hpp"
#include "daemon/admin/machine_facts.hpp"
#include "daemon/admin/watch_listing.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::daemon::admin {

namespace json = boost::json;
namespace limits = replication::limits;
using replication::SessionId;

namespace {

Json too_many(std::string_view what, std::size_t count) {
  return {{"error", "There are " + std::to_string(count) + " " + std::string(what) +
                        ", more than the " + std::to_string(limits::operator_entries_max) +
                        " that are listed."}};
}

json::array numbers_of(const auto& sessions) {
  json::array numbers;
  for (const SessionId session : sessions) {
    numbers.emplace_back(session.value);
  }
  return numbers;
}

Json connection_json(const ClientFacts& client) {
  return {{"remote_socket_address", client.endpoint},
          {"interest_ops", client.is_read_from ? 1 : 0},
          {"outstanding_requests", client.unanswered},
          {"packets_received", client.received},
          {"packets_sent", client.sent}};
}

void add_conversation(const ClientFacts& client, const replication::Connection& connection,
                      Json& to) {
  constexpr std::int64_t us_per_ms = 1'000;
  const auto& said = connection.conversation;
  const bool has_answers = said.answers != 0;
  const auto ms = [&](std::int64_t us) {
    return has_answers ? (us + us_per_ms / 2) / us_per_ms : 0;
  };
  to["session_id"] = connection.session.value;
  to["last_operation"] = letters_of(said.last_op);
  to["established"] = client.since_ms;
  to["session_timeout"] = connection.timeout_ms;
  to["last_cxid"] = said.last_xid;
  to["last_zxid"] = has_answers ? said.last_zxid.wire() : -1;
  to["last_response_time"] = said.answered_us / us_per_ms;
  to["last_latency"] = ms(said.last_us);
  to["min_latency"] = ms(said.min_us);
  to["avg_latency"] = has_answers ? ms(said.sum_us / static_cast<std::int64_t>(said.answers)) : 0;
  to["max_latency"] = ms(said.max_us);
}

Json extent_json(const replication::Extent& extent) {
  return {{"last_buffer_size", extent.last()},
          {"min_buffer_size", extent.min()},
          {"max_buffer_size", extent.max()}};
}

Json texts_json(const KeyValues& lines) {
  Json out;
  for (const auto& [key, value] : lines) {
    out[key] = value;
  }
  return out;
}

std::string host_and_port(const MemberFacts& member, std::uint16_t port) {
  return member.host + ":" + std::to_string(port);
}

Json server_stats(Subject& subject, const Facts& facts) {
  const auto& replica = facts.replica;
  const auto& metrics = subject.metrics();
  const Latency latency = request_latency(metrics);
  return {{"packets_sent", replica.replies_sent},
          {"packets_received", replica.requests_received},
          {"fsync_threshold_exceed_count", metrics.fsync_threshold_exceed_count.value()},
          {"client_response_stats", extent_json(metrics.client_response_size)},
          {"data_dir_size", bytes_below(subject.settings().data_directory)},
          {"log_dir_size", bytes_below(subject.settings().log_directory)},
          {"provider_null", false},
          {"server_state", mode(facts)},
          {"last_processed_zxid", replica.last_applied.wire()},
          {"outstanding_requests", replica.requests_outstanding},
          {"avg_latency", latency.average},
          {"max_latency", latency.max},
          {"min_latency", latency.min},
          {"num_alive_client_connections", replica.connections},
          {"uptime", facts.uptime_ms},
          {"auth_failed_count", metrics.auth_failed_count.value()}};
}

}  // namespace

Json nothing_json(Subject& /*subject*/) { return {}; }

Json configuration_json(Subject& subject) {
  const Settings& settings = subject.settings();
  return {{"client_port", settings.client_port},
          {"data_dir", settings.data_directory},
          {"data_log_dir", settings.log_directory},
          {"tick_time", settings.tick_ms},
          {"max_client_cnxns", settings.connections_per_address_max},
          {"min_session_timeout", settings.session_timeout_min_ms},
          {"max_session_timeout", settings.session_timeout_max_ms},
          {"server_id", settings.server_id},
          {"client_port_listen_backlog", settings.listen_backlog}};
}

Json connections_json(Subject& subject) {
  if (subject.client_count() > limits::operator_entries_max) {
    return too_many("connections", subject.client_count());
  }
  const auto inside = subject.inspect();
  json::array clients;
  for (const ClientFacts& client : subject.clients(limits::operator_entries_max)) {
    Json one = connection_json(client);
    if (const auto found = inside.connections.find(client.id); found != inside.connections.end()) {
      add_conversation(client, found->second, one);
    }
    clients.push_back(std::move(one));
  }
  return {{"connections", std::move(clients)}, {"secure_connections", json::array{}}};
}

Json dump_json(Subject& subject) {
  const auto inside = subject.inspect();
  const auto entries = std::max(inside.sessions.size(), inside.tree.ephemeral_count());
  if (entries > limits::operator_entries_max) {
    return too_many("sessions or ephemeral znodes", entries);
  }
  Json expiries;
  inside.expiry.for_each([&](std::int64_t deadline_ms, SessionId session) {
    auto& at = expiries[std::to_string(deadline_ms)];
    if (!at.is_array()) {
      at = json::array{};
    }
    at.as_array().emplace_back(session.value);
  });
  Json ephemerals;
  for (const auto& [id, session] : inside.sessions.sessions()) {
    json::array paths;
    for (auto& path : inside.tree.ephemerals_of(id)) {
      paths.emplace_back(path);
    }
    if (!paths.empty()) {
      ephemerals[std::to_string(id.value)] = std::move(paths);
    }
  }
  return {{"expiry_time_to_session_ids", std::move(expiries)},
          {"session_id_to_ephemeral_paths", std::move(ephemerals)}};
}

Json environment_json(Subject& subject) { return texts_json(environment(subject.facts())); }

Json dirs_json(Subject& subject) {
  return {{"datadir_size", bytes_below(subject.settings().data_directory)},
          {"logdir_size", bytes_below(subject.settings().log_directory)}};
}

Json hash_json(Subject& subject) {
  json::array digests;
  for (const auto& [zxid, digest] : subject.inspect().digests) {
    digests.push_back(Json{{"zxid", hexadecimal(zxid.value)}, {"digest", hexadecimal(digest)}});
  }
  return {{"digests", std::move(digests)}};
}

Json initial_configuration_json(Subject& subject) {
  return {{"initial_configuration", subject.settings().text}};
}

Json is_read_only_json(Subject& /*subject*/) { return {{"read_only", false}}; }

Json last_snapshot_json(Subject& subject) {
  const auto newest = newest_snapshot(subject.settings().data_directory);
  return {{"zxid", hexadecimal(newest.zxid)}, {"timestamp", newest.written_at}};
}

Json leader_json(Subject& subject) {
  const Facts facts = subject.facts();
  if (facts.is_standalone) {
    return {{"error", "server is not initialized"}};
  }
  const auto leader = facts.replica.leader;
  Json out{{"is_leader", leader && leader->value == subject.settings().server_id}};
  out["leader_id"] = leader ? json::value(leader->value) : json::value(nullptr);
  out["leader_ip"] = nullptr;
  for (const MemberFacts& member : subject.settings().members) {
    if (leader && member.id == *leader) {
      out["leader_ip"] = member.host;
    }
  }
  return out;
}

Json monitor_json(Subject& subject) {
  Json out;
  for (const Gauge& one : monitored(subject)) {
    std::visit([&](const auto& value) { out[one.name] = value; }, one.value);
  }
  return out;
}

Json observers_json(Subject& subject) {
  return {{"synced_observers", subject.facts().replica.observers}, {"observers", json::array{}}};
}

Json server_stats_json(Subject& subject) {
  const Facts facts = subject.facts();
  Json out{{"version", facts.version},
           {"read_only", false},
           {"server_stats", server_stats(subject, facts)},
           {"client_response", extent_json(subject.metrics().client_response_size)},
           {"node_count", facts.replica.znodes}};
  if (mode(facts) == "leader") {
    out["proposal_stats"] = extent_json(subject.metrics().proposal_size);
  }
  return out;
}

Json stats_json(Subject& subject) {
  if (subject.client_count() > limits::operator_entries_max) {
    return too_many("connections", subject.client_count());
  }
  Json out = server_stats_json(subject);
  json::array clients;
  for (const ClientFacts& client : subject.clients(limits::operator_entries_max)) {
    clients.push_back(connection_json(client));
  }
  out["connections"] = std::move(clients);
  out["secure_connections"] = json::array{};
  return out;
}

// Of ZooKeeper's, those that a program without a Java runtime has.
Json system_properties_json(Subject& subject) { return texts_json(environment(subject.facts())); }

Json voting_view_json(Subject& subject) {
  Json view;
  for (const MemberFacts& member : subject.settings().members) {
    if (!member.is_observer) {
      view[std::to_string(member.id.value)] =
          Json{{"server_addresses", json::array{host_and_port(member, member.port)}},
               {"election_addresses", json::array{host_and_port(member, member.election_port)}},
               {"client_address", member.client_address},
               {"learner_type", "participant"}};
    }
  }
  return {{"current_config", std::move(view)}};
}

Json watch_summary_json(Subject& subject) {
  const auto& watches = subject.inspect().watches;
  return {{"num_connections", watches.connection_count()},
          {"num_paths", watches.path_count()},
          {"num_total_watches", watches.size()}};
}

Json watches_json(Subject& subject) {
  const auto inside = subject.inspect();
  if (inside.watches.size() > limits::operator_entries_max) {
    return too_many("watches", inside.watches.size());
  }
  Json out;
  for (const auto& [session, paths] : watched_by_session(inside)) {
    out[std::to_string(session.value)] = json::array(paths.begin(), paths.end());
  }
  return {{"session_id_to_watched_paths", std::move(out)}};
}

Json watches_by_path_json(Subject& subject) {
  const auto inside = subject.inspect();
  if (inside.watches.size() > limits::operator_entries_max) {
    return too_many("watches", inside.watches.size());
  }
  Json out;
  for (const auto& [path, sessions] : watchers_by_path(inside)) {
    out[path] = numbers_of(sessions);
  }
  return {{"path_to_session_ids", std::move(out)}};
}

Json zabstate_json(Subject& subject) {
  const Facts facts = subject.facts();
  if (facts.is_standalone) {
    return {{"voting", false}, {"zabstate", ""}};
  }
  const Settings& settings = subject.settings();
  const auto zxid = facts.replica.last_applied;
  Json out{{"myid", settings.server_id},
           {"is_leader", facts.replica.role == replication::ServerRole::leading}};
  for (const MemberFacts& member : settings.members) {
    if (member.id.value == settings.server_id) {
      out["quorum_address"] = Json{{"one", host_and_port(member, member.port)}};
      out["election_address"] = Json{{"one", host_and_port(member, member.election_port)}};
      out["voting"] = !member.is_observer;
    }
  }
  out["client_address"] = settings.address + ":" + std::to_string(settings.client_port);
  out["last_zxid"] = "0x" + hexadecimal(zxid.value);
  out["zab_epoch"] = zxid.epoch().value;
  out["zab_counter"] = zxid.counter();
  out["zabstate"] =
      facts.replica.role == replication::ServerRole::looking ? "election" : "broadcast";
  return out;
}

Json reset_conversations_json(Subject& subject) {
  subject.reset_conversations();
  return {};
}

Json reset_counts_json(Subject& subject) {
  subject.reset_counts();
  return {};
}

}  // namespace zabfs::daemon::admin
