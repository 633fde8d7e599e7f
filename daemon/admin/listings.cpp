#include "daemon/admin/listings.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "daemon/admin/java_text.hpp"
#include "daemon/admin/watch_listing.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::daemon::admin {

using replication::SessionId;
using replication::protocol::OpCode;
namespace limits = replication::limits;

namespace {

constexpr std::size_t listed_watches_max = 5 * limits::operator_entries_max;

// By ZooKeeper's numbers; of those that this version does not serve, the name costs nothing.
constexpr std::pair<std::int32_t, std::string_view> letters[] = {
    {-11, "CLOS"}, {-10, "SESS"}, {1, "CREA"},   {2, "DELE"},   {3, "EXIS"},   {4, "GETD"},
    {5, "SETD"},   {6, "GETA"},   {7, "SETA"},   {8, "GETC"},   {9, "SYNC"},   {11, "PING"},
    {12, "GETC"},  {13, "CHEC"},  {14, "MULT"},  {15, "CREA"},  {16, "RECO"},  {17, "CHKW"},
    {18, "REMW"},  {19, "CREA"},  {20, "DELC"},  {21, "CREA"},  {22, "MLTR"},  {100, "AUTH"},
    {101, "SETW"}, {102, "SASL"}, {103, "GETE"}, {104, "GACN"}, {105, "STW2"}, {106, "ADDW"},
    {107, "WHOI"}};

std::string session_text(SessionId session) {
  return "0x" + hexadecimal(static_cast<std::uint64_t>(session.value));
}

// The beginning of a line of `stat` and `cons`; the caller closes the parenthesis.
std::string client_line(const ClientFacts& client) {
  return " /" + client.endpoint + (client.is_read_from ? "[1](queued=" : "[0](queued=") +
         std::to_string(client.unanswered) + ",recved=" + std::to_string(client.received) +
         ",sent=" + std::to_string(client.sent);
}

// What is left out, as a line that no reader takes for a connection.
std::string rest_line(const Subject& subject, std::size_t listed) {
  const std::size_t count = subject.client_count();
  return count <= listed
             ? ""
             : "# " + std::to_string(count - listed) + " more connections are not listed\n";
}

std::string detail_of(const ClientFacts& client, const replication::Connection& connection) {
  constexpr std::int64_t us_per_ms = 1'000;
  const auto& said = connection.conversation;
  const auto ms = [&](std::int64_t us) {
    return std::to_string(said.answers == 0 ? 0 : (us + us_per_ms / 2) / us_per_ms);
  };
  const std::int64_t average =
      said.answers == 0 ? 0 : said.sum_us / static_cast<std::int64_t>(said.answers);
  const std::string zxid =
      said.answers == 0 ? "ffffffffffffffff" : hexadecimal(said.last_zxid.value);
  // ZooKeeper leaves it out before the first request, and behind a ping.
  const std::string xid =
      said.last_xid < 0 ? "" : ",lcxid=0x" + hexadecimal(static_cast<std::uint64_t>(said.last_xid));
  return ",sid=" + session_text(connection.session) +
         ",lop=" + std::string(letters_of(said.last_op)) +
         ",est=" + std::to_string(client.since_ms) +
         ",to=" + std::to_string(connection.timeout_ms) + xid + ",lzxid=0x" + zxid +
         ",lresp=" + std::to_string(said.answers == 0 ? 0 : said.answered_us / us_per_ms) +
         ",llat=" + ms(said.last_us) + ",minlat=" + ms(said.min_us) + ",avglat=" + ms(average) +
         ",maxlat=" + ms(said.max_us);
}

// "k expire at DATE:" and what expires then, for each moment.
using Expiries = std::map<std::int64_t, std::vector<std::string>>;

std::string expiry_sets(std::string_view title, const Expiries& sets, std::size_t count,
                        const Facts& facts) {
  std::string out(title);
  out += "(" + std::to_string(sets.size()) + ")/(" + std::to_string(count) + "):\n";
  for (const auto& [deadline_ms, lines] : sets) {
    out += std::to_string(lines.size()) + " expire at " +
           date(facts.wall_ms + deadline_ms - facts.now_ms) + ":\n";
    for (const auto& line : lines) {
      out += "\t" + line + "\n";
    }
  }
  return out;
}

// The leader knows when each session expires; the others know only that there are sessions.
std::string dump_sessions(const replication::Inspection& inside, const Facts& facts) {
  std::string out = "SessionTracker dump:\n";
  if (facts.replica.role != replication::ServerRole::leading) {
    out += "Global Sessions(" + std::to_string(inside.sessions.size()) + "):\n";
    for (const auto& [id, session] : inside.sessions.sessions()) {
      out += session_text(id) + "\t" + std::to_string(session.timeout_ms) + "ms\n";
    }
    return out;
  }
  Expiries sets;
  inside.expiry.for_each([&](std::int64_t deadline_ms, SessionId session) {
    sets[deadline_ms].push_back(session_text(session));
  });
  return out + expiry_sets("Session Sets ", sets, inside.expiry.size(), facts);
}

std::string dump_ephemerals(const replication::Inspection& inside) {
  std::string out;
  std::size_t owners = 0;
  for (const auto& [id, session] : inside.sessions.sessions()) {
    const auto paths = inside.tree.ephemerals_of(id);
    if (paths.empty()) {
      continue;
    }
    ++owners;
    out += session_text(id) + ":\n";
    for (const auto& path : paths) {
      out += "\t" + path + "\n";
    }
  }
  return "ephemeral nodes dump:\nSessions with Ephemerals (" + std::to_string(owners) + "):\n" +
         out;
}

std::string dump_connections(const Subject& subject, const replication::Inspection& inside,
                             const Facts& facts) {
  Expiries sets;
  for (const ClientFacts& client : subject.clients(limits::operator_entries_max)) {
    const auto found = inside.connections.find(client.id);
    const bool has_session =
        found != inside.connections.end() && found->second.session != SessionId{};
    const std::int64_t deadline_ms =
        has_session
            ? found->second.conversation.answered_us / 1'000 + found->second.timeout_ms
            : facts.now_ms + client.since_ms - facts.wall_ms + limits::sessionless_connection_ms;
    sets[deadline_ms].push_back("ip: /" + client.endpoint + " sessionId: " +
                                (has_session ? session_text(found->second.session) : "0x0"));
  }
  return "Connections dump:\n" +
         expiry_sets("Connections Sets ", sets, subject.client_count(), facts);
}

std::string too_many(std::string_view what, std::size_t count, std::size_t max) {
  return "There are " + std::to_string(count) + " " + std::string(what) + ", more than the " +
         std::to_string(max) + " that are listed. mntr and wchs count them.\n";
}

}  // namespace

std::string_view letters_of(OpCode op) {
  const auto found = std::ranges::find(letters, static_cast<std::int32_t>(op),
                                       &std::pair<std::int32_t, std::string_view>::first);
  return found == std::ranges::end(letters) ? "NA" : found->second;
}

std::string stat_clients(const Subject& subject) {
  std::string out;
  const auto clients = subject.clients(limits::operator_entries_max);
  for (const ClientFacts& client : clients) {
    out += client_line(client) + ")\n";
  }
  return out + rest_line(subject, clients.size());
}

std::string cons(const Subject& subject) {
  const auto inside = subject.inspect();
  std::string out;
  const auto clients = subject.clients(limits::operator_entries_max);
  for (const ClientFacts& client : clients) {
    out += client_line(client);
    const auto found = inside.connections.find(client.id);
    if (found != inside.connections.end() && found->second.session != SessionId{}) {
      out += detail_of(client, found->second);
    }
    out += ")\n";
  }
  return out + rest_line(subject, clients.size()) + "\n";
}

std::string dump(const Subject& subject) {
  const Facts facts = subject.facts();
  const auto inside = subject.inspect();
  if (inside.sessions.size() > limits::operator_entries_max) {
    return too_many("sessions", inside.sessions.size(), limits::operator_entries_max);
  }
  if (inside.tree.ephemeral_count() > listed_watches_max) {
    return too_many("ephemeral znodes", inside.tree.ephemeral_count(), listed_watches_max);
  }
  return dump_sessions(inside, facts) + dump_ephemerals(inside) +
         dump_connections(subject, inside, facts);
}

std::string wchs(const Subject& subject) {
  const auto& watches = subject.inspect().watches;
  return std::to_string(watches.connection_count()) + " connections watching " +
         std::to_string(watches.path_count()) +
         " paths\nTotal watches:" + std::to_string(watches.size()) + "\n";
}

std::string wchc(const Subject& subject) {
  const auto inside = subject.inspect();
  if (inside.watches.size() > listed_watches_max) {
    return too_many("watches", inside.watches.size(), listed_watches_max);
  }
  std::string out;
  for (const auto& [session, paths] : watched_by_session(inside)) {
    out += session_text(session) + "\n";
    for (const auto path : paths) {
      out += "\t" + std::string(path) + "\n";
    }
  }
  return out + "\n";
}

std::string wchp(const Subject& subject) {
  const auto inside = subject.inspect();
  if (inside.watches.size() > listed_watches_max) {
    return too_many("watches", inside.watches.size(), listed_watches_max);
  }
  std::string out;
  for (const auto& [path, sessions] : watchers_by_path(inside)) {
    out += std::string(path) + "\n";
    for (const SessionId session : sessions) {
      out += "\t" + session_text(session) + "\n";
    }
  }
  return out + "\n";
}

}  // namespace zabfs::daemon::admin
