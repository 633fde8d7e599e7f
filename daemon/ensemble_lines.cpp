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
#include "replication/model/limits.hpp"

namespace zabfs::daemon {

using replication::ServerId;
namespace limits = replication::limits;

namespace {

constexpr std::string_view server_form =
    "host:port[:electionPort][:participant|observer][;[address:]clientPort]";
constexpr Range server_ids{1, limits::server_id_max};
constexpr Range weights_of_a_server{0, limits::server_weight_max};
constexpr std::size_t host_bytes_max = 253;
constexpr std::size_t myid_bytes_max = 64;
constexpr mode_t forbidden_to_others = S_IWGRP | S_IRWXO;

std::string key_of(std::string_view kind, std::int64_t number) {
  return std::string(kind) + "." + std::to_string(number);
}

std::string key_of(ServerId id) { return key_of("server", id.value); }

bool is_host_name(std::string_view name) {
  return !name.empty() && name.size() <= host_bytes_max &&
         std::ranges::all_of(name, [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
         });
}

// Takes a host from the front of `rest`, and the colon behind it. False if there is none.
bool take_host(std::string_view& rest, std::string& to) {
  if (rest.starts_with('[')) {
    const auto end = rest.find("]:");
    const auto address = end == rest.npos ? "" : rest.substr(1, end - 1);
    boost::system::error_code error;
    boost::asio::ip::make_address_v6(std::string(address), error);
    if (end == rest.npos || error) {
      return false;
    }
    to = address;
    rest.remove_prefix(end + 2);
    return true;
  }
  const auto end = rest.find(':');
  if (end == rest.npos || !is_host_name(rest.substr(0, end))) {
    return false;
  }
  to = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return true;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(at);
    parts.push_back(trimmed(text.substr(0, end)));
    if (end == text.npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

// `participant` or `observer`; nothing if it is neither.
std::optional<bool> is_observer_role(std::string_view word) {
  const std::string role = lowered(word);
  return role == "observer"      ? std::optional(true)
         : role == "participant" ? std::optional(false)
                                 : std::nullopt;
}

// port[:electionPort][:role]
Complaint ports_and_role(std::string_view text, EnsembleMember& to) {
  auto parts = split(text, ':');
  if (const auto role = is_observer_role(parts.back())) {
    to.is_observer = *role;
    parts.pop_back();
  }
  if (parts.empty() || parts.size() > 2) {
    return "the address is not of the form " + std::string(server_form);
  }
  for (const auto part : parts) {
    if (!number_in(part, {1, 65535})) {
      return quoted(part) + " is not a port from 1 to 65535 (the form is " +
             std::string(server_form) + ")";
    }
  }
  return number(parts.front(), {1, 65535}, to.port);
}

// [address:]clientPort
Complaint client_part(std::string_view text, EnsembleMember& to) {
  if (text.find(':') != text.npos && !take_host(text, to.client_address)) {
    return quoted(text) + " is not of the form [address:]clientPort";
  }
  std::uint16_t port{};
  auto complaint = number(text, {0, 65535}, port);
  to.client_port = port;
  return complaint;
}

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
  if (value.find('|') != value.npos) {
    return "several addresses for one server ('|') are not supported (give the one that every "
           "other server can reach)";
  }
  EnsembleMember member;
  const auto semicolon = value.find(';');
  std::string_view rest = trimmed(value.substr(0, semicolon));
  if (!take_host(rest, member.host)) {
    return quoted(value) + " is not of the form " + std::string(server_form) +
           " (an IPv6 address stands in brackets)";
  }
  if (auto complaint = ports_and_role(rest, member)) {
    return complaint;
  }
  if (semicolon != value.npos) {
    if (auto complaint = client_part(trimmed(value.substr(semicolon + 1)), member)) {
      return complaint;
    }
  }
  to.members.emplace(ServerId{id}, std::move(member));
  return std::nullopt;
}

Complaint group_line(std::int64_t id, std::string_view value, EnsembleConfig& to) {
  auto& group = to.groups[id];
  for (const auto part : split(value, ':')) {
    ServerId server;
    if (auto complaint = number(part, server_ids, server.value)) {
      return *complaint + " (write the servers' numbers with colons between them)";
    }
    group.push_back(server);
  }
  return std::nullopt;
}

Complaint weight_line(std::int64_t id, std::string_view value,
                      std::map<ServerId, std::uint64_t>& to) {
  return number(value, weights_of_a_server, to[ServerId{id}]);
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
