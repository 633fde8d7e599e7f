#include "daemon/config.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <sstream>

#include "daemon/admin_lines.hpp"
#include "daemon/config_value.hpp"
#include "daemon/ensemble_lines.hpp"
#include "daemon/limit_lines.hpp"
#include "daemon/security_lines.hpp"
#include "daemon/spelling.hpp"

namespace zabfs::daemon {
namespace {

namespace limits = replication::limits;

constexpr std::int64_t timeout_ms_max = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t line_bytes_max = 4096;

struct Draft {
  Config config{};
  std::int64_t session_timeout_min_ms{-1};  // -1: twice the tick
  std::int64_t session_timeout_max_ms{-1};  // -1: twenty times the tick
  std::int64_t init_ticks{10};
  std::int64_t sync_ticks{5};
  std::optional<bool> is_observer{};  // peerType, if it is given
  std::map<replication::ServerId, std::uint64_t> weights{};
  std::string servers_file{};  // dynamicConfigFile
};

// Checked as ZooKeeper does, and not used.
Complaint unused(std::string_view value, Range range) {
  std::int64_t ignored{};
  return number(value, range, ignored);
}

Complaint text(std::string_view value, std::string& to) {
  to = value;
  return std::nullopt;
}

// -1 stands for the default (ZooKeeper).
Complaint backlog(std::string_view value, int& to) {
  auto complaint = number(value, {-1, 65535}, to);
  to = to == -1 ? Config{}.listen_backlog : to;
  return complaint;
}

// Kilobytes; none or less stand for no bound at all (ZooKeeper).
Complaint log_between(std::string_view value, std::uint64_t& to) {
  std::int64_t kilobytes{};
  auto complaint = number(value, {-1, std::int64_t{1} << 40}, kilobytes);
  to = static_cast<std::uint64_t>(std::max<std::int64_t>(kilobytes, 0)) * 1024;
  return complaint;
}

Complaint directory(std::string_view value, std::string& to) {
  if (value.empty()) {
    return "the directory's name is missing (write the path behind the '=')";
  }
  to = value;
  return std::nullopt;
}

Complaint file_name(std::string_view value, std::string& to) {
  if (value.empty()) {
    return "the file's name is missing (write the path behind the '=')";
  }
  to = value;
  return std::nullopt;
}

Complaint words(std::string_view value, std::vector<std::string>& to) {
  to.clear();
  std::string list(value);
  std::ranges::replace(list, ',', ' ');
  std::istringstream in(list);
  for (std::string word; in >> word;) {
    if (word != "*" && word.size() != 4) {
      return quoted(word) + " is no four-letter word (write for example 'srvr, ruok', or '*')";
    }
    to.push_back(word);
  }
  return std::nullopt;
}

Complaint level(std::string_view value, LogLevel& to) {
  constexpr std::array<std::pair<std::string_view, LogLevel>, 4> levels{
      {{"debug", LogLevel::debug},
       {"info", LogLevel::info},
       {"warn", LogLevel::warn},
       {"error", LogLevel::error}}};
  const auto found = std::ranges::find(levels, value, &decltype(levels)::value_type::first);
  if (found == levels.end()) {
    return quoted(value) + " is not a level (write debug, info, warn or error)";
  }
  to = found->second;
  return std::nullopt;
}

Complaint peer_type(std::string_view value, std::optional<bool>& is_observer) {
  const std::string type = lowered(value);
  if (type != "observer" && type != "participant") {
    return quoted(value) + " is no type of server (write participant or observer)";
  }
  is_observer = type == "observer";
  return std::nullopt;
}

Complaint election_algorithm(std::string_view value) {
  return value == "3" ? std::nullopt
                      : Complaint(quoted(value) +
                                  " is no algorithm of this version (3 is the only "
                                  "one; remove the line)");
}

constexpr Range any_limit{1, 1'000'000};  // ticks that an ensemble may wait

using Setter = std::function<Complaint(std::string_view value, Draft& draft)>;
using Keys = std::map<std::string_view, Setter>;

// Those of one replica and its place in an ensemble; others have files of their own.
Keys keys_of_a_replica() {
  using V = std::string_view;
  using D = Draft;
  return {
      {"dataDir", [](V v, D& d) { return directory(v, d.config.data_directory); }},
      {"dataLogDir", [](V v, D& d) { return directory(v, d.config.log_directory); }},
      {"clientPort",
       [](V v, D& d) {
         return number(v, {0, 65535}, d.config.client_port);
       }},
      {"clientPortAddress", [](V v, D& d) { return text(v, d.config.client_address); }},
      {"clientPortListenBacklog", [](V v, D& d) { return backlog(v, d.config.listen_backlog); }},
      {"tickTime",
       [](V v, D& d) {
         return number(v, {10, 3'600'000}, d.config.tick_ms);
       }},
      {"minSessionTimeout",
       [](V v, D& d) {
         return number(v, {-1, timeout_ms_max}, d.session_timeout_min_ms);
       }},
      {"maxSessionTimeout",
       [](V v, D& d) {
         return number(v, {-1, timeout_ms_max}, d.session_timeout_max_ms);
       }},
      {"snapCount",
       [](V v, D& d) {
         return number(v, {2, 1'000'000'000}, d.config.snapshot_every);
       }},
      {"snapSizeLimitInKb", [](V v, D& d) { return log_between(v, d.config.snapshot_log_bytes); }},
      {"autopurge.snapRetainCount",
       [](V v, D& d) {
         return number(v, {limits::snapshots_kept_min, 1'000'000}, d.config.snapshots_kept);
       }},
      {"autopurge.purgeInterval",
       [](V v, D&) {
         return unused(v, {0, 1'000'000});
       }},
      {"initLimit", [](V v, D& d) { return number(v, any_limit, d.init_ticks); }},
      {"syncLimit", [](V v, D& d) { return number(v, any_limit, d.sync_ticks); }},
      {"peerType", [](V v, D& d) { return peer_type(v, d.is_observer); }},
      {"electionAlg", [](V v, D&) { return election_algorithm(v); }},
      {"quorumListenOnAllIPs",
       [](V v, D& d) { return truth(v, d.config.ensemble.listens_on_all_addresses); }},
      {"dynamicConfigFile", [](V v, D& d) { return file_name(v, d.servers_file); }},
      {"reconfigEnabled", [](V v, D& d) { return truth(v, d.config.ensemble.is_reconfigurable); }},
      {"standaloneEnabled",
       [](V v, D& d) { return truth(v, d.config.ensemble.is_alone_if_single); }},
      {"zabfs.peerSecretFile",
       [](V v, D& d) { return file_name(v, d.config.ensemble.secret_file); }},
      {"zabfs.allowUnauthenticatedPeers",
       [](V v, D& d) { return truth(v, d.config.ensemble.allows_unauthenticated_peers); }},
      {"zabfs.peerTimeout",
       [](V v, D& d) {
         return number(v, {limits::peer_timeout_ms_min, timeout_ms_max},
                       d.config.ensemble.peer_timeout_ms);
       }},
      {"4lw.commands.whitelist", [](V v, D& d) { return words(v, d.config.four_letter_words); }},
      {"log.level", [](V v, D& d) { return level(v, d.config.log_level); }},
  };
}

const Keys& keys() {
  static const Keys table = [] {
    Keys all = keys_of_a_replica();
    for (const auto& [key, set] : admin_keys()) {
      all.emplace(key,
                  [set = set](std::string_view v, Draft& d) { return set(v, d.config.admin); });
    }
    for (const auto& [key, set] : limit_keys()) {
      all.emplace(key,
                  [set = set](std::string_view v, Draft& d) { return set(v, d.config.clients); });
    }
    for (const auto& [key, set] : security_keys()) {
      all.emplace(key,
                  [&set = set](std::string_view v, Draft& d) { return set(v, d.config.security); });
    }
    for (const auto& [key, set] : tree_keys()) {
      all.emplace(key,
                  [&set = set](std::string_view v, Draft& d) { return set(v, d.config.tree); });
    }
    return all;
  }();
  return table;
}

// Keys that carry a number: server.1, group.1, weight.1.
using NumberedSetter = Complaint (*)(std::int64_t number, std::string_view value, Draft& draft);

struct NumberedKeys {
  std::string_view kind{};
  Range numbers{};
  NumberedSetter set{};
};

const std::array<NumberedKeys, 3>& numbered_keys() {
  using N = std::int64_t;
  using V = std::string_view;
  using D = Draft;
  static const std::array<NumberedKeys, 3> table{
      {{"server",
        {1, limits::server_id_max},
        [](N n, V v, D& d) { return server_line(n, v, d.config.ensemble); }},
       {"group",
        {1, limits::server_id_max},
        [](N n, V v, D& d) { return group_line(n, v, d.config.ensemble); }},
       {"weight", {1, limits::server_id_max}, [](N n, V v, D& d) {
          return weight_line(n, v, d.weights);
        }}}};
  return table;
}

// The row of `key`, if it begins as such keys do, whatever follows the point.
const NumberedKeys* numbered(std::string_view key) {
  const auto row =
      std::ranges::find(numbered_keys(), key.substr(0, key.find('.')), &NumberedKeys::kind);
  return row == numbered_keys().end() || key == row->kind ? nullptr : &*row;
}

std::string unknown_key(std::string_view key) {
  const auto nearest = nearest_spelling(key, keys());
  return "unknown key " + quoted(key) +
         (nearest ? " (did you mean '" + std::string(*nearest) + "'?)"
                  : " (remove the line; the manual page zabd(8) lists every key)");
}

constexpr std::string_view servers_file_key = "dynamicConfigFile";

// Calls take(number, line) for every line, from 1 on.
void for_each_line(std::string_view text, const std::function<void(int, std::string_view)>& take) {
  for (int number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    take(number, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

class Parser {
 public:
  // `reads_files`: also those that the configuration leads to.
  Parser(const std::string& file, bool reads_files) : file_(file), reads_files_(reads_files) {}

  void line(int number, std::string_view text) {
    if (text.size() > line_bytes_max) {
      complain(number, "the line is longer than " + std::to_string(line_bytes_max) +
                           " bytes (is this a configuration file?)");
      return;
    }
    text = trimmed(text);
    if (text.empty() || text.front() == '#') {
      return;
    }
    const auto equals = text.find('=');
    if (equals == text.npos) {
      complain(number, quoted(text) + " is not of the form key=value");
      return;
    }
    assign(number, trimmed(text.substr(0, equals)), trimmed(text.substr(equals + 1)));
  }

  std::variant<Config, ConfigErrors> finish() {
    Config& config = draft_.config;
    if (!lines_.contains("dataDir")) {
      errors_.push_back(file_ + ": dataDir is missing (add a line such as dataDir=/var/lib/zabd)");
    }
    if (config.log_directory.empty()) {
      config.log_directory = config.data_directory;
    }
    complete_session_timeouts();
    config.ensemble.init_ms = draft_.init_ticks * config.tick_ms;
    config.ensemble.sync_ms = draft_.sync_ticks * config.tick_ms;
    if (reads_files_ && !draft_.servers_file.empty()) {
      take_servers_file();
    }
    if (errors_.empty()) {  // Lines that are wrong by themselves would be blamed twice.
      complain(complete_ensemble(draft_.weights, lines_, config.ensemble));
      complain(complete_security(lines_, config.ensemble, config.security));
      if (config.ensemble.members.empty() && draft_.is_observer == true) {
        complain(lines_["peerType"],
                 "peerType: without a line server.N there is nothing to "
                 "observe (add the ensemble's lines, or remove this one)");
      }
    }
    if (errors_.empty() && reads_files_) {
      read_files();
    }
    if (!errors_.empty()) {
      return std::move(errors_);
    }
    return std::move(config);
  }

 private:
  void assign(int number, std::string_view key, std::string_view value) {
    constexpr std::string_view java = "zookeeper.";
    key.remove_prefix(key.starts_with(java) ? java.size() : 0);
    std::string name(key);
    std::optional<std::int64_t> which;
    const auto known = keys().find(key);
    const auto* const row = numbered(key);
    if (row != nullptr) {
      const auto text = key.substr(row->kind.size() + 1);
      which = number_in(text, row->numbers);
      if (!which) {
        complain(number, quoted(key) + " is not '" + std::string(row->kind) +
                             ".' and a number from " + std::to_string(row->numbers.min) + " to " +
                             std::to_string(row->numbers.max));
        return;
      }
      name = std::string(row->kind) + "." + std::to_string(*which);
    } else if (known == keys().end()) {
      complain(number, unknown_key(key));
      return;
    }
    const auto [earlier, is_new] =
        lines_.try_emplace(name, source_ == &file_ ? number : line_of(lines_, servers_file_key));
    if (!is_new) {
      complain(number, name + " is given a second time, after line " +
                           std::to_string(earlier->second) + " (remove one of the two)");
      return;
    }
    if (const auto complaint =
            which ? row->set(*which, value, draft_) : known->second(value, draft_)) {
      complain(number, name + ": " + *complaint);
    }
  }

  // The lines of a file that is about servers alone. What they say together is blamed on the line
  // that names the file.
  void take_servers_file() {
    const int at = line_of(lines_, servers_file_key);
    const auto other = std::ranges::find_if(
        lines_, [](const auto& line) { return numbered(line.first) != nullptr; });
    const auto read = read_servers(draft_.servers_file);
    if (other != lines_.end()) {
      complain(at, std::string(servers_file_key) + ": " + other->first +
                       " stands in this file, on line " + std::to_string(other->second) +
                       " (let all servers stand in one of the two)");
    } else if (const auto* why = std::get_if<std::string>(&read)) {
      complain(at, std::string(servers_file_key) + ": " + *why);
    } else {
      source_ = &draft_.servers_file;
      for_each_line(std::get<ServersFile>(read).text, [this](int number, std::string_view text) {
        const auto key = trimmed(text.substr(0, text.find('=')));
        if (key.empty() || key.front() == '#' || numbered(key) != nullptr) {
          line(number, text);
        } else if (key != "version") {
          complain(number, quoted(key) + " is not about servers (server.N, group.N and weight.N " +
                               "stand here; the rest stands in " + file_ + ")");
        }
      });
      source_ = &file_;
    }
  }

  void complete_session_timeouts() {
    Config& config = draft_.config;
    const auto or_ticks = [&config](std::int64_t given_ms, std::int64_t ticks) {
      return given_ms == -1 ? ticks * config.tick_ms : given_ms;
    };
    config.session_timeout_min_ms = or_ticks(draft_.session_timeout_min_ms, 2);
    config.session_timeout_max_ms = or_ticks(draft_.session_timeout_max_ms, 20);
    if (config.session_timeout_min_ms > config.session_timeout_max_ms) {
      complain(std::max(line_of(lines_, "minSessionTimeout"), line_of(lines_, "maxSessionTimeout")),
               "the shortest session timeout, " + std::to_string(config.session_timeout_min_ms) +
                   " ms, is above the longest, " + std::to_string(config.session_timeout_max_ms) +
                   " ms (change minSessionTimeout or maxSessionTimeout)");
    }
  }

  void read_files() {
    EnsembleConfig& ensemble = draft_.config.ensemble;
    const bool is_alone = ensemble.members.empty();
    for (const auto& complaint :
         {read_passwords(draft_.config.security),
          is_alone ? std::nullopt : read_self(draft_.config.data_directory, file_, ensemble),
          ensemble.secret_file.empty() ? std::nullopt : read_secret(ensemble)}) {
      if (complaint) {
        errors_.push_back(*complaint);
      }
    }
    if (errors_.empty() && !is_alone) {
      apply_own_line(ensemble.members.at(ensemble.self));
    }
  }

  // What this server's own line says besides its address.
  void apply_own_line(const replication::Member& own) {
    Config& config = draft_.config;
    const std::string key = "server." + std::to_string(config.ensemble.self.value);
    const auto conflict = [&](const std::string& other, const std::string& remedy) {
      complain(std::max(line_of(lines_, key), line_of(lines_, other)),
               other + " on line " + std::to_string(line_of(lines_, other)) + " contradicts " +
                   key + " on line " + std::to_string(line_of(lines_, key)) + " (" + remedy + ")");
    };
    if (draft_.is_observer.value_or(own.is_observer) != own.is_observer) {
      conflict("peerType",
               "every server must read the same: let the line of the server say "
               "whether it is an observer");
    }
    if (!own.client_port) {
      return;
    }
    if (lines_.contains("clientPort") && config.client_port != *own.client_port) {
      conflict("clientPort", "remove one of the two");
    }
    if (lines_.contains("clientPortAddress") && !own.client_address.empty() &&
        config.client_address != own.client_address) {
      conflict("clientPortAddress", "remove one of the two");
    }
    config.client_port = *own.client_port;
    config.client_address = own.client_address.empty() ? config.client_address : own.client_address;
  }

  void complain(const LineComplaints& complaints) {
    for (const auto& [line, message] : complaints) {
      complain(line, message);
    }
  }

  void complain(int number, const std::string& message) {
    errors_.push_back(*source_ + ":" + std::to_string(number) + ": " + message);
  }

  const std::string& file_;
  const std::string* source_{&file_};  // of the line that is read
  bool reads_files_;
  Draft draft_{};
  KeyLines lines_;  // where each key was given
  ConfigErrors errors_;
};

std::variant<Config, ConfigErrors> parse(std::string_view text, const std::string& file,
                                         bool reads_files) {
  Parser parser(file, reads_files);
  for_each_line(text, [&parser](int number, std::string_view line) { parser.line(number, line); });
  return parser.finish();
}

}  // namespace

std::variant<Config, ConfigErrors> parse_config(std::string_view text, const std::string& file) {
  return parse(text, file, false);
}

std::variant<Config, ConfigErrors> read_config(const std::string& file) {
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in || !text) {
    return ConfigErrors{file + ": cannot be read: " + std::strerror(errno != 0 ? errno : EIO) +
                        " (give the path of a configuration file)"};
  }
  auto parsed = parse(text.str(), file, true);
  if (auto* config = std::get_if<Config>(&parsed)) {
    config->text = text.str();
  }
  return parsed;
}

}  // namespace zabfs::daemon
