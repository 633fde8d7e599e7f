#include "daemon/admin/four_letter.hpp"

#include <algorithm>
#include <map>
#include <sstream>

namespace zabfs::daemon::admin {
namespace {

std::string ruok(const Facts& /*facts*/) { return "imok"; }

std::string isro(const Facts& facts) { return facts.replica.serving ? "rw" : "null"; }

std::string version_line(const Facts& facts) {
  return "Zookeeper version: " + facts.version + "\n";
}

// ZooKeeper's words.
std::string_view mode(const Facts& facts) {
  if (facts.is_standalone) {
    return "standalone";
  }
  switch (facts.replica.role) {
    case replication::ServerRole::leading:
      return "leader";
    case replication::ServerRole::following:
      return "follower";
    case replication::ServerRole::observing:
      return "observer";
    case replication::ServerRole::looking:
      break;
  }
  return "leaderelection";
}

// Latency is not measured; the line is there because ZooKeeper's readers expect it.
std::string summary(const Facts& facts) {
  const auto& replica = facts.replica;
  std::ostringstream out;
  out << "Latency min/avg/max: 0/0.0/0\n"
      << "Received: " << replica.requests_received << "\nSent: " << replica.replies_sent
      << "\nConnections: " << replica.connections
      << "\nOutstanding: " << replica.requests_outstanding << "\nZxid: 0x" << std::hex
      << replica.last_applied.value << std::dec
      << "\nMode: " << mode(facts) << "\nNode count: " << replica.znodes << "\n";
  return out.str();
}

std::string srvr(const Facts& facts) { return version_line(facts) + summary(facts); }

std::string stat(const Facts& facts) {
  std::ostringstream out;
  out << version_line(facts) << "Clients:\n";
  for (const auto& client : facts.clients) {
    out << " /" << client.endpoint << '[' << (client.is_read_from ? 1 : 0)
        << "](queued=" << client.unanswered << ",recved=" << client.received
        << ",sent=" << client.sent << ")\n";
  }
  out << "\n" << summary(facts);
  return out.str();
}

std::string conf(const Facts& facts) {
  std::string out;
  for (const auto& [key, value] : facts.configuration) {
    out += key + "=" + value + "\n";
  }
  return out;
}

std::string envi(const Facts& facts) {
  return "Environment:\nzookeeper.version=" + facts.version + "\nhost.name=" + facts.host +
         "\nos.name=Linux\n";
}

std::string mntr(const Facts& facts) {
  const auto& replica = facts.replica;
  std::ostringstream out;
  const auto line = [&out](std::string_view key, const auto& value) {
    out << "zk_" << key << '\t' << value << '\n';
  };
  line("version", facts.version);
  line("server_state", mode(facts));
  line("peer_state", replica.serving ? "serving" : "starting");
  line("uptime", facts.uptime_ms);
  line("num_alive_connections", replica.connections);
  line("outstanding_requests", replica.requests_outstanding);
  line("packets_received", replica.requests_received);
  line("packets_sent", replica.replies_sent);
  line("znode_count", replica.znodes);
  line("ephemerals_count", replica.ephemerals);
  line("watch_count", replica.watches);
  line("approximate_data_size", replica.data_bytes);
  line("global_sessions", replica.sessions);
  if (replica.role == replication::ServerRole::leading && !facts.is_standalone) {
    line("synced_followers", replica.learners);
  }
  return out.str();
}

struct Word {
  std::string (*answer)(const Facts&);
  bool needs_service{};  // says nothing while the replica does not serve
};

const std::map<std::string_view, Word>& words() {
  static const std::map<std::string_view, Word> table{
      {"ruok", {ruok, false}}, {"isro", {isro, false}}, {"envi", {envi, false}},
      {"conf", {conf, true}},  {"srvr", {srvr, true}},  {"stat", {stat, true}},
      {"mntr", {mntr, true}},
  };
  return table;
}

}  // namespace

bool FourLetterWords::is_allowed(std::string_view word) const {
  return std::ranges::any_of(
      whitelist_, [word](const std::string& listed) { return listed == "*" || listed == word; });
}

std::optional<std::string> FourLetterWords::answer(std::string_view word,
                                                   const std::function<Facts()>& facts) const {
  const auto found = words().find(word);
  if (found == words().end()) {
    return std::nullopt;
  }
  if (!is_allowed(word)) {
    return std::string(word) + " is not executed because it is not in the whitelist.\n";
  }
  const Facts now = facts();
  if (found->second.needs_service && !now.replica.serving) {
    return "This ZooKeeper instance is not currently serving requests\n";
  }
  return found->second.answer(now);
}

}  // namespace zabfs::daemon::admin
