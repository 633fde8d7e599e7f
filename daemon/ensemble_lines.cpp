#include "daemon/ensemble_lines.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <variant>

#include "daemon/disk/file_descriptor.hpp"
#include "replication/model/ensemble_text.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::daemon {

using replication::ServerId;
namespace limits = replication::limits;

namespace {

constexpr Range server_ids{1, limits::server_id_max};
constexpr std::size_t myid_bytes_max = 64;
constexpr mode_t forbidden_to_others = S_IWGRP | S_IRWXO;

std::string key_of(std::string_view kind, std::int64_t number) {
  return std::string(kind) + "." + std::to_string(number);
}

std::string key_of(ServerId id) { return key_of("server", id.value); }

class Checks {
 public:
  Checks(const EnsembleConfig& ensemble, const KeyLines& lines)
      : ensemble_(ensemble), lines_(lines) {}

  LineComplaints all() {
    voters();
    addresses();
    groups();
    return std::move(complaints_);
  }

 private:
  void complain(std::string_view key, std::string why) {
    complaints_.emplace_back(line_of(lines_, key), std::string(key) + ": " + std::move(why));
  }

  std::string at(std::string_view key) const {
    return "line " + std::to_string(line_of(lines_, key));
  }

  void voters() {
    const bool has_voter = std::ranges::any_of(ensemble_.members, [](const auto& member) {
      return !member.second.is_observer && member.second.weight > 0;
    });
    if (!ensemble_.members.empty() && !has_voter) {
      complain(key_of(ensemble_.members.begin()->first),
               "no server has a vote (an ensemble needs a participant whose weight is not 0)");
    }
  }

  void addresses() {
    std::map<std::pair<std::string, std::uint16_t>, std::string> taken;
    for (const auto& [id, member] : ensemble_.members) {
      const auto [earlier, is_new] =
          taken.try_emplace({lowered(member.host), member.port}, key_of(id));
      if (!is_new) {
        complain(key_of(id), "has the address of " + earlier->second + ", " + at(earlier->second) +
                                 " (every server needs its own)");
      }
    }
  }

  void groups() {
    std::map<ServerId, std::int64_t> group_of;
    for (const auto& [group, servers] : ensemble_.groups) {
      for (const ServerId server : servers) {
        if (!ensemble_.members.contains(server)) {
          complain(key_of("group", group), "there is no " + key_of(server));
        } else if (const auto [other, is_new] = group_of.try_emplace(server, group); !is_new) {
          complain(key_of("group", group), key_of(server) + " is in " +
                                               key_of("group", other->second) +
                                               " already (a server is in one group)");
        }
      }
    }
    for (const auto& [id, member] : ensemble_.members) {
      if (!ensemble_.groups.empty() && !member.is_observer && !group_of.contains(id)) {
        complain(key_of(id), "is in no group (where there are groups, every voter is in one)");
      }
    }
  }

  const EnsembleConfig& ensemble_;
  const KeyLines& lines_;
  LineComplaints complaints_;
};

std::string error_text(int error) { return std::strerror(error); }

// At most `bytes_max` bytes of the file, and its permissions; a sentence if that cannot be had.
struct SmallFile {
  std::string text{};
  mode_t mode{};
};

std::variant<SmallFile, std::string> small_file(const std::string& path, std::size_t bytes_max) {
  // Whoever gave the name of a pipe hears of it instead of waiting.
  const disk::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat about {};
  if (!file.is_open() || ::fstat(file.get(), &about) != 0) {
    return "cannot be read: " + error_text(errno);
  }
  if (!S_ISREG(about.st_mode)) {
    return "is not a file";
  }
  SmallFile content{.text = std::string(bytes_max + 1, '\0'), .mode = about.st_mode};
  const auto got = ::read(file.get(), content.text.data(), content.text.size());
  if (got < 0) {
    return "cannot be read: " + error_text(errno);
  }
  content.text.resize(static_cast<std::size_t>(got));
  if (content.text.size() > bytes_max) {
    return "is longer than " + std::to_string(bytes_max) + " bytes";
  }
  return content;
}

std::string_view without_line_end(std::string_view text) {
  const auto last = text.find_last_not_of("\r\n");
  return text.substr(0, last == text.npos ? 0 : last + 1);
}

}  // namespace

bool is_loopback(const std::string& host) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  return error ? lowered(host) == "localhost" : address.is_loopback();
}

int line_of(const KeyLines& lines, std::string_view key) {
  const auto found = lines.find(key);
  return found == lines.end() ? 0 : found->second;
}

Complaint server_line(std::int64_t id, std::string_view value, EnsembleConfig& to) {
  auto member = replication::parse_member(ServerId{id}, value);
  if (auto* why = std::get_if<std::string>(&member)) {
    return std::move(*why);
  }
  to.members.emplace(ServerId{id}, std::get<replication::Member>(std::move(member)));
  return std::nullopt;
}

Complaint group_line(std::int64_t id, std::string_view value, EnsembleConfig& to) {
  auto servers = replication::parse_group(value);
  if (auto* why = std::get_if<std::string>(&servers)) {
    return std::move(*why);
  }
  to.groups[id] = std::get<std::vector<ServerId>>(std::move(servers));
  return std::nullopt;
}

Complaint weight_line(std::int64_t id, std::string_view value,
                      std::map<ServerId, std::uint64_t>& to) {
  auto weight = replication::parse_weight(value);
  if (auto* why = std::get_if<std::string>(&weight)) {
    return std::move(*why);
  }
  to[ServerId{id}] = std::get<std::uint64_t>(weight);
  return std::nullopt;
}

LineComplaints complete_ensemble(const std::map<ServerId, std::uint64_t>& weights,
                                 const KeyLines& lines, EnsembleConfig& to) {
  LineComplaints complaints;
  for (const auto& [id, weight] : weights) {
    if (const auto member = to.members.find(id); member != to.members.end()) {
      member->second.weight = weight;
    } else {
      const std::string key = key_of("weight", id.value);
      complaints.emplace_back(line_of(lines, key), key + ": there is no " + key_of(id));
    }
  }
  auto others = Checks(to, lines).all();
  complaints.insert(complaints.end(), std::move_iterator(others.begin()),
                    std::move_iterator(others.end()));
  return complaints;
}

Complaint read_self(const std::string& data_directory, const std::string& config,
                    EnsembleConfig& to) {
  const std::string path = data_directory + "/myid";
  if (to.members.size() == 1 && ::access(path.c_str(), F_OK) != 0) {
    to.self = to.members.begin()->first;
    return std::nullopt;
  }
  const auto content = small_file(path, myid_bytes_max);
  if (const auto* why = std::get_if<std::string>(&content)) {
    return path + ": " + *why + " (write into it which server this is: 1 if it is server.1)";
  }
  const auto& text = std::get<SmallFile>(content).text;
  if (auto complaint = number(trimmed(without_line_end(text)), server_ids, to.self.value)) {
    return path + ":1: " + *complaint + " (it says which server this is: 1 if it is server.1)";
  }
  if (!to.members.contains(to.self)) {
    return path + ":1: there is no " + key_of(to.self) + " in " + config +
           " (change one of the two)";
  }
  return std::nullopt;
}

std::variant<ServersFile, std::string> read_servers(const std::string& path) {
  auto content = small_file(path, limits::ensemble_text_bytes_max);
  if (const auto* why = std::get_if<std::string>(&content)) {
    return path + " " + *why + " (it names a file with the lines server.N, as ZooKeeper has one)";
  }
  return ServersFile{std::get<SmallFile>(std::move(content)).text};
}

Complaint read_secret(EnsembleConfig& to) {
  const auto content = small_file(to.secret_file, limits::peer_secret_bytes_max);
  if (const auto* why = std::get_if<std::string>(&content)) {
    return to.secret_file + ": " + *why + " (zabfs.peerSecretFile names a file with a secret)";
  }
  const auto& file = std::get<SmallFile>(content);
  if ((file.mode & forbidden_to_others) != 0) {
    return to.secret_file + ": others may read or change this secret (chmod 600 " + to.secret_file +
           ", and write a new secret into it on every server)";
  }
  const auto secret = replication::bytes_of(without_line_end(file.text));
  if (secret.size() < limits::peer_secret_bytes_min) {
    return to.secret_file + ": the secret has " + std::to_string(secret.size()) +
           " bytes, and needs " + std::to_string(limits::peer_secret_bytes_min) +
           " (make one with: openssl rand -base64 32)";
  }
  to.secret.assign(secret.begin(), secret.end());
  return std::nullopt;
}

}  // namespace zabfs::daemon
