#include "daemon/config.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <sstream>

#include "daemon/spelling.hpp"

namespace zabfs::daemon {
namespace {

namespace limits = replication::limits;

constexpr std::int64_t timeout_ms_max = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t line_bytes_max = 4096;

// What a key's value may be and where it goes. Returns what is wrong with the value, or nothing.
using Complaint = std::optional<std::string>;

struct Draft {
  Config config{};
  std::int64_t session_timeout_min_ms{-1};  // -1: twice the tick
  std::int64_t session_timeout_max_ms{-1};  // -1: twenty times the tick
};

std::string quoted(std::string_view text) {
  std::string shown = "'";
  for (const char c : text.substr(0, 60)) {
    shown += c >= ' ' && c != '\x7f' ? c : '?';
  }
  return shown + (text.size() > 60 ? "...'" : "'");
}

struct Range {
  std::int64_t min{};
  std::int64_t max{};
};

Complaint number(std::string_view value, Range range, auto& to) {
  std::int64_t parsed{};
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), parsed);
  if (error != std::errc{} || end != value.data() + value.size() || parsed < range.min ||
      parsed > range.max) {
    return quoted(value) + " is not a number from " + std::to_string(range.min) + " to " +
           std::to_string(range.max);
  }
  to = static_cast<std::remove_reference_t<decltype(to)>>(parsed);
  return std::nullopt;
}

// A limit on a count, of which 0 means `unlimited`.
Complaint count(std::string_view value, std::size_t max, std::size_t unlimited, std::size_t& to) {
  auto complaint = number(value, {0, static_cast<std::int64_t>(max)}, to);
  to = to == 0 ? unlimited : to;
  return complaint;
}

// Checked as ZooKeeper does, and used only by an ensemble of more than one replica.
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

Complaint directory(std::string_view value, std::string& to) {
  if (value.empty()) {
    return "the directory's name is missing (write the path behind the '=')";
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

constexpr Range any_limit{1, 1'000'000};  // ticks that an ensemble may wait

using Setter = Complaint (*)(std::string_view value, Draft& draft);

const std::map<std::string_view, Setter>& keys() {
  using V = std::string_view;
  using D = Draft;
  static const std::map<std::string_view, Setter> table{
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
      {"maxClientCnxns",
       [](V v, D& d) {
         return count(v, limits::connections_max, 0, d.config.connections_per_address_max);
       }},
      {"maxCnxns",
       [](V v, D& d) {
         return count(v, limits::connections_max, limits::connections_max,
                      d.config.connections_max);
       }},
      {"globalOutstandingLimit",
       [](V v, D& d) {
         return number(v, {1, limits::requests_in_flight_max}, d.config.requests_max);
       }},
      {"snapCount",
       [](V v, D& d) {
         return number(v, {2, 1'000'000'000}, d.config.snapshot_every);
       }},
      {"autopurge.snapRetainCount",
       [](V v, D& d) {
         return number(v, {limits::snapshots_kept_min, 1'000'000}, d.config.snapshots_kept);
       }},
      {"autopurge.purgeInterval",
       [](V v, D&) {
         return unused(v, {0, 1'000'000});
       }},
      {"initLimit", [](V v, D&) { return unused(v, any_limit); }},
      {"syncLimit", [](V v, D&) { return unused(v, any_limit); }},
      {"4lw.commands.whitelist", [](V v, D& d) { return words(v, d.config.four_letter_words); }},
      {"log.level", [](V v, D& d) { return level(v, d.config.log_level); }},
  };
  return table;
}

// What to say of a key that is not in the table.
std::string unknown_key(std::string_view key) {
  for (const std::string_view ensemble : {"server.", "group.", "weight."}) {
    if (key.starts_with(ensemble)) {
      return quoted(key) +
             " describes an ensemble, and this version runs a single replica (remove "
             "the line; with several replicas the data would not be shared)";
    }
  }
  const auto nearest = nearest_spelling(key, keys());
  return "unknown key " + quoted(key) +
         (nearest ? " (did you mean '" + std::string(*nearest) + "'?)"
                  : " (remove the line; the manual page zabd(8) lists every key)");
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\f\v";
  const auto first = text.find_first_not_of(blank);
  return first == text.npos ? std::string_view{}
                            : text.substr(first, text.find_last_not_of(blank) - first + 1);
}

class Parser {
 public:
  explicit Parser(const std::string& file) : file_(file) {}

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
    const auto or_ticks = [&config](std::int64_t given_ms, std::int64_t ticks) {
      return given_ms == -1 ? ticks * config.tick_ms : given_ms;
    };
    config.session_timeout_min_ms = or_ticks(draft_.session_timeout_min_ms, 2);
    config.session_timeout_max_ms = or_ticks(draft_.session_timeout_max_ms, 20);
    if (config.session_timeout_min_ms > config.session_timeout_max_ms) {
      complain(std::max(lines_["minSessionTimeout"], lines_["maxSessionTimeout"]),
               "the shortest session timeout, " + std::to_string(config.session_timeout_min_ms) +
                   " ms, is above the longest, " + std::to_string(config.session_timeout_max_ms) +
                   " ms (change minSessionTimeout or maxSessionTimeout)");
    }
    if (!errors_.empty()) {
      return std::move(errors_);
    }
    return std::move(config);
  }

 private:
  void assign(int number, std::string_view key, std::string_view value) {
    const auto known = keys().find(key);
    if (known == keys().end()) {
      complain(number, unknown_key(key));
      return;
    }
    const auto [earlier, is_new] = lines_.try_emplace(known->first, number);
    if (!is_new) {
      complain(number, std::string(key) + " is given a second time, after line " +
                           std::to_string(earlier->second) + " (remove one of the two)");
      return;
    }
    if (const auto complaint = known->second(value, draft_)) {
      complain(number, std::string(key) + ": " + *complaint);
    }
  }

  void complain(int number, const std::string& message) {
    errors_.push_back(file_ + ":" + std::to_string(number) + ": " + message);
  }

  const std::string& file_;
  Draft draft_{};
  std::map<std::string_view, int> lines_;  // where each key was given
  ConfigErrors errors_;
};

}  // namespace

std::variant<Config, ConfigErrors> parse_config(std::string_view text, const std::string& file) {
  Parser parser(file);
  for (int number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    parser.line(number, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parser.finish();
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
  return parse_config(text.str(), file);
}

}  // namespace zabfs::daemon
