#include "daemon/admin/four_letter.hpp"

#include <algorithm>
#include <map>

#include "daemon/admin/figures.hpp"
#include "daemon/admin/java_text.hpp"
#include "daemon/admin/listings.hpp"
#include "daemon/admin/machine_facts.hpp"

namespace zabfs::daemon::admin {
namespace {

constexpr std::size_t word_bytes = 4;
constexpr std::size_t mask_bytes = 8;

std::string ruok(Subject& /*subject*/) { return "imok"; }

std::string isro(Subject& subject) { return subject.facts().replica.serving ? "rw" : "null"; }

std::string version_line(const Facts& facts) {
  return "Zookeeper version: " + facts.version + "\n";
}

std::string summary(const Subject& subject, const Facts& facts) {
  const auto& replica = facts.replica;
  const Latency latency = request_latency(subject.metrics());
  std::string out =
      "Latency min/avg/max: " + std::to_string(latency.min) + "/" + decimal(latency.average) + "/" +
      std::to_string(latency.max) + "\nReceived: " + std::to_string(replica.requests_received) +
      "\nSent: " + std::to_string(replica.replies_sent) +
      "\nConnections: " + std::to_string(replica.connections) +
      "\nOutstanding: " + std::to_string(replica.requests_outstanding) + "\nZxid: 0x" +
      hexadecimal(replica.last_applied.value) + "\nMode: " + std::string(mode(facts)) +
      "\nNode count: " + std::to_string(replica.znodes) + "\n";
  if (mode(facts) == "leader") {
    const auto& size = subject.metrics().proposal_size;
    out += "Proposal sizes last/min/max: " + std::to_string(size.last()) + "/" +
           std::to_string(size.min()) + "/" + std::to_string(size.max()) + "\n";
  }
  return out;
}

std::string srvr(Subject& subject) {
  const Facts facts = subject.facts();
  return version_line(facts) + summary(subject, facts);
}

std::string stat(Subject& subject) {
  const Facts facts = subject.facts();
  return version_line(facts) + "Clients:\n" + stat_clients(subject) + "\n" +
         summary(subject, facts);
}

std::string conf(Subject& subject) {
  std::string out;
  for (const auto& [key, value] : configuration_lines(subject.settings())) {
    out += key + "=" + value + "\n";
  }
  if (!subject.settings().members.empty()) {
    out += "membership: \n" + membership_text(subject.settings());  // its last line has no end
  }
  return out;
}

std::string envi(Subject& subject) {
  std::string out = "Environment:\n";
  for (const auto& [key, value] : environment(subject.facts())) {
    out += key + "=" + value + "\n";
  }
  return out;
}

std::string dirs(Subject& subject) {
  const Settings& settings = subject.settings();
  return "datadir_size: " + std::to_string(bytes_below(settings.data_directory)) +
         "\nlogdir_size: " + std::to_string(bytes_below(settings.log_directory)) + "\n";
}

std::string mntr(Subject& subject) {
  std::string out;
  for (const Gauge& one : monitored(subject)) {
    out += "zk_" + one.name + "\t";
    if (const auto* text = std::get_if<std::string>(&one.value)) {
      out += *text;
    } else if (const auto* number = std::get_if<std::int64_t>(&one.value)) {
      out += std::to_string(*number);
    } else {
      out += decimal(std::get<double>(one.value));
    }
    out += "\n";
  }
  return out;
}

std::string hash(Subject& subject) {
  std::string out;
  for (const auto& [zxid, digest] : subject.inspect().digests) {
    out += hexadecimal(zxid.value) + ": " + hexadecimal(digest) + "\n";
  }
  return out;
}

std::string crst(Subject& subject) {
  subject.reset_conversations();
  return "Connection stats reset.\n";
}

std::string srst(Subject& subject) {
  subject.reset_counts();
  return "Server stats reset.\n";
}

template <std::string (*listing)(const Subject&)>
std::string listed(Subject& subject) {
  return listing(subject);
}

struct Word {
  std::string (*answer)(Subject&);
  bool needs_service{};  // says nothing while the replica does not serve
};

const std::map<std::string_view, Word>& words() {
  static const std::map<std::string_view, Word> table{
      {"ruok", {ruok, false}},        {"isro", {isro, false}},
      {"envi", {envi, false}},        {"conf", {conf, true}},
      {"srvr", {srvr, true}},         {"stat", {stat, true}},
      {"mntr", {mntr, true}},         {"dirs", {dirs, true}},
      {"hash", {hash, true}},         {"crst", {crst, true}},
      {"srst", {srst, true}},         {"cons", {listed<cons>, true}},
      {"dump", {listed<dump>, true}}, {"wchs", {listed<wchs>, true}},
      {"wchc", {listed<wchc>, true}}, {"wchp", {listed<wchp>, true}},
      {"gtmk", {nullptr, false}},     {"stmk", {nullptr, false}},
  };
  return table;
}

}  // namespace

// As in ZooKeeper, whose zkServer.sh asks `srvr` whatever the configuration says.
bool FourLetterWords::is_allowed(std::string_view word) const {
  return word == "srvr" || std::ranges::any_of(whitelist_, [word](const std::string& listed) {
           return listed == "*" || listed == word;
         });
}

// Without all of its eight bytes, the mask stays what it was.
std::string FourLetterWords::set_trace_mask(std::string_view mask) {
  if (mask.size() >= mask_bytes) {
    std::uint64_t value = 0;
    for (const char byte : mask.substr(0, mask_bytes)) {
      value = value << 8 | static_cast<std::uint8_t>(byte);
    }
    trace_mask_ = static_cast<std::int64_t>(value);
  }
  return std::to_string(trace_mask_);
}

std::optional<std::string> FourLetterWords::answer(std::string_view beginning, Subject& subject) {
  const std::string_view word = beginning.substr(0, word_bytes);
  const auto found = words().find(word);
  if (found == words().end()) {
    return std::nullopt;
  }
  if (!is_allowed(word)) {
    return std::string(word) + " is not executed because it is not in the whitelist.\n";
  }
  if (found->second.needs_service && !subject.facts().replica.serving) {
    return "This ZooKeeper instance is not currently serving requests\n";
  }
  if (found->second.answer == nullptr) {
    return set_trace_mask(word == "stmk" ? beginning.substr(word_bytes) : "");
  }
  return found->second.answer(subject);
}

}  // namespace zabfs::daemon::admin
