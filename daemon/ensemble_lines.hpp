// Reads the lines of a configuration that describe the ensemble, and the two files they lead to:
// `dataDir`/myid, and the servers' secret.
//
// What one line says is checked where it stands; what lines say about each other, when all are
// read. Safe on any input.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/config_value.hpp"
#include "daemon/ensemble_config.hpp"

namespace zabfs::daemon {

// The lines where keys were given, each under its whole name, such as `server.3`.
using KeyLines = std::map<std::string, int, std::less<>>;

// The line of `key`, or 0 if it was not given.
int line_of(const KeyLines& lines, std::string_view key);

// True if only this machine can be reached there.
bool is_loopback(const std::string& host);

// The values of server.N, group.N and weight.N. N has been read already.
Complaint server_line(std::int64_t id, std::string_view value, EnsembleConfig& to);
Complaint group_line(std::int64_t id, std::string_view value, EnsembleConfig& to);
Complaint weight_line(std::int64_t id, std::string_view value,
                      std::map<replication::ServerId, std::uint64_t>& to);

// A mistake and its line.
using LineComplaints = std::vector<std::pair<int, std::string>>;

// Gives the servers their weights and checks what all lines together say.
LineComplaints complete_ensemble(const std::map<replication::ServerId, std::uint64_t>& weights,
                                 const KeyLines& lines, EnsembleConfig& to);

// Reads which server this is from `data_directory`/myid; where there is only one, no such file is
// needed. The complaint names the file. `config` is the name of the configuration.
Complaint read_self(const std::string& data_directory, const std::string& config,
                    EnsembleConfig& to);

// Reads a file with lines about servers alone, such as ZooKeeper's zoo.cfg.dynamic.
struct ServersFile {
  std::string text{};
};
std::variant<ServersFile, std::string> read_servers(const std::string& path);

// Reads the secret from its file. The complaint names the file.
Complaint read_secret(EnsembleConfig& to);

}  // namespace zabfs::daemon
