// zoo.cfg: the configuration of one replica, in ZooKeeper's format.
//
//   # a comment                   only at the beginning of a line, as for ZooKeeper
//   key = value                   blanks around both are ignored, and so is the \r of a Windows
//   file
//
// A key may have the `zookeeper.` in front that it has as a property of Java. Every key is given at
// most once. A key that zabd does not know is an error: a misspelled limit
// that is silently ignored would be found out on the day it was needed. docs/zabd.md says what each
// key means. Where a default is a limit of ours, it is the one in replication/model/limits.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/admin_config.hpp"
#include "daemon/client_limits.hpp"
#include "daemon/ensemble_config.hpp"
#include "daemon/security_config.hpp"
#include "daemon/tree_lines.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::daemon {

enum class LogLevel { debug, info, warn, error };

struct Config {
  std::string data_directory{};
  std::string log_directory{};  // of the transaction log; the same unless it was given

  // Where clients connect. An empty address means all of them; port 0 asks the kernel for a free
  // one.
  std::string client_address{};
  std::uint16_t client_port{2181};
  int listen_backlog{50};

  // Milliseconds.
  std::int64_t tick_ms{2000};
  std::int64_t session_timeout_min_ms{4000};
  std::int64_t session_timeout_max_ms{40000};

  ClientLimits clients{};

  std::uint64_t snapshot_every{replication::limits::snapshot_every_transactions};
  std::uint64_t snapshot_log_bytes{replication::limits::snapshot_log_bytes_default};
  std::uint64_t snapshots_kept{replication::limits::snapshots_kept_min};

  std::vector<std::string> four_letter_words{"srvr"};  // that are answered; "*" is all of them
  LogLevel log_level{LogLevel::info};

  SecurityConfig security{};
  TreeConfig tree{};
  EnsembleConfig ensemble{};
  AdminConfig admin{};

  std::string text{};  // of the file, if it was read from one

  bool operator==(const Config&) const = default;
};

// What is wrong with a configuration: one sentence per mistake, each `file:line: message`.
using ConfigErrors = std::vector<std::string>;

// Reads `text`; `file` is its name in error messages. Safe on any input. Looks at no other file, so
// of an ensemble it remains open which server this is, and what the secret is.
std::variant<Config, ConfigErrors> parse_config(std::string_view text, const std::string& file);

// Reads the file, and those of an ensemble that it leads to.
std::variant<Config, ConfigErrors> read_config(const std::string& file);

}  // namespace zabfs::daemon
