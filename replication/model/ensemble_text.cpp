#include "replication/model/ensemble_text.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <vector>

#include "replication/model/limits.hpp"

namespace zabfs::replication {
namespace {

constexpr std::string_view server_form =
    "host:port[:electionPort][:participant|observer][;[address:]clientPort]";
constexpr std::size_t host_bytes_max = 253;
constexpr std::uint64_t port_max = 65'535;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const auto first = text.find_first_not_of(blanks);
  return first == text.npos ? std::string_view()
                            : text.substr(first, text.find_last_not_of(blanks) - first + 1);
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

// For a message: without control characters, and not endless.
std::string quoted(std::string_view text) {
  constexpr std::size_t shown_max = 60;
  std::string shown = "'";
  for (const char c : text.substr(0, shown_max)) {
    shown += c >= ' ' && c != '\x7f' ? c : '?';
  }
  return shown + (text.size() > shown_max ? "...'" : "'");
}

std::string not_in(std::string_view text, std::uint64_t min, std::uint64_t max) {
  return quoted(text) + " is not a number from " + std::to_string(min) + " to " +
         std::to_string(max);
}

std::optional<std::uint64_t> number_in(std::string_view text, std::uint64_t min, std::uint64_t max,
                                       int base = 10) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty() &&
                 value >= min && value <= max
             ? std::optional(value)
             : std::nullopt;
}

bool is_host_name(std::string_view name) {
  return !name.empty() && name.size() <= host_bytes_max &&
         std::ranges::all_of(name, [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
         });
}

// Groups of hexadecimal digits with colons; the last two may be an IPv4 address.
bool is_ipv6(std::string_view text) {
  const auto gap = text.find("::");
  if (text.find("::", gap == text.npos ? gap : gap + 1) != text.npos) {
    return false;
  }
  std::size_t groups = 0;
  const auto are_groups = [&groups](std::string_view some, bool is_end) {
    if (some.empty()) {
      return true;
    }
    const auto parts = split(some, ':');
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto bytes = split(parts[i], '.');
      if (bytes.size() == 4 && is_end && i + 1 == parts.size()) {
        groups += 2;
        if (!std::ranges::all_of(bytes,
                                 [](auto byte) { return number_in(byte, 0, 255).has_value(); })) {
          return false;
        }
      } else if (++groups; parts[i].size() > 4 || !number_in(parts[i], 0, 0xffff, 16)) {
        return false;
      }
    }
    return true;
  };
  if (gap == text.npos) {
    return are_groups(text, true) && groups == 8;
  }
  return are_groups(text.substr(0, gap), false) && are_groups(text.substr(gap + 2), true) &&
         groups < 8;
}

// Takes a host from the front of `rest`, and the colon behind it. False if there is none.
bool take_host(std::string_view& rest, std::string& to) {
  if (rest.starts_with('[')) {
    const auto end = rest.find("]:");
    if (end == rest.npos || !is_ipv6(rest.substr(1, end - 1))) {
      return false;
    }
    to = rest.substr(1, end - 1);
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

// `participant` or `observer`, in any case; nothing if it is neither.
std::optional<bool> is_observer_role(std::string_view word) {
  std::string role(word);
  std::ranges::transform(role, role.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return role == "observer"      ? std::optional(true)
         : role == "participant" ? std::optional(false)
                                 : std::nullopt;
}

using Complaint = std::optional<std::string>;

// port[:electionPort][:role]
Complaint ports_and_role(std::string_view text, Member& to) {
  auto parts = split(text, ':');
  if (const auto role = is_observer_role(parts.back())) {
    to.is_observer = *role;
    parts.pop_back();
  }
  if (parts.empty() || parts.size() > 2) {
    return "the address is not of the form " + std::string(server_form);
  }
  for (const auto part : parts) {
    if (!number_in(part, 1, port_max)) {
      return quoted(part) + " is not a port from 1 to 65535 (the form is " +
             std::string(server_form) + ")";
    }
  }
  to.port = static_cast<std::uint16_t>(*number_in(parts.front(), 1, port_max));
  to.election_port = parts.size() == 1
                         ? std::uint16_t{}
                         : static_cast<std::uint16_t>(*number_in(parts.back(), 1, port_max));
  return std::nullopt;
}

// [address:]clientPort
Complaint client_part(std::string_view text, Member& to) {
  if (text.find(':') != text.npos && !take_host(text, to.client_address)) {
    return quoted(text) + " is not of the form [address:]clientPort";
  }
  const auto port = number_in(text, 0, port_max);
  if (!port) {
    return not_in(text, 0, port_max);
  }
  to.client_port = static_cast<std::uint16_t>(*port);
  if (to.client_address == "0.0.0.0") {
    to.client_address.clear();  // ZooKeeper's word for all addresses
  }
  return std::nullopt;
}

std::string host_text(const std::string& host) {
  return host.find(':') == host.npos ? host : "[" + host + "]";
}

// The lines of one ensemble, on the way in.
class Lines {
 public:
  Complaint take(std::string_view line) {
    const auto equals = line.find('=');
    const auto key = trimmed(line.substr(0, equals));
    const auto point = key.find('.');
    if (equals == line.npos) {
      return quoted(line) + " is not of the form key=value";
    }
    const auto value = trimmed(line.substr(equals + 1));
    if (key == "version") {
      const auto version = number_in(value, 0, UINT64_MAX, 16);
      ensemble_.version = Zxid{version.value_or(0)};
      return version ? std::nullopt : Complaint(quoted(value) + " is no version");
    }
    const auto kind = key.substr(0, point);
    const auto id = point == key.npos ? std::nullopt
                                      : number_in(key.substr(point + 1), 1, limits::server_id_max);
    if (!id || (kind != "server" && kind != "group" && kind != "weight")) {
      return quoted(key) + " is not server, group or weight, a point, and a number from 1 to " +
             std::to_string(limits::server_id_max);
    }
    if (!given_.insert(std::string(kind) + "." + std::to_string(*id)).second) {
      return std::string(key) + " is given twice";
    }
    return kind == "server"  ? server({static_cast<std::int64_t>(*id)}, value)
           : kind == "group" ? group(static_cast<std::uint32_t>(*id), value)
                             : weight({static_cast<std::int64_t>(*id)}, value);
  }

  std::variant<Ensemble, std::string> finish() {
    std::ranges::sort(ensemble_.members, std::less<>{}, &Member::id);
    for (const auto& [id, weight] : weights_) {
      if (!change(id, [weight = weight](Member& member) { member.weight = weight; })) {
        return "there is no server." + std::to_string(id.value) + " to weigh";
      }
    }
    for (const auto& [id, group] : groups_) {
      if (!change(id, [group = group](Member& member) { member.group = group; })) {
        return "there is no server." + std::to_string(id.value) + " to group";
      }
    }
    for (const Member& member : ensemble_.members) {
      if (!groups_.empty() && !member.is_observer && !groups_.contains(member.id)) {
        return "server." + std::to_string(member.id.value) + " is in no group";
      }
    }
    return std::move(ensemble_);
  }

 private:
  Complaint server(ServerId id, std::string_view value) {
    auto member = parse_member(id, value);
    if (auto* why = std::get_if<std::string>(&member)) {
      return std::move(*why);
    }
    ensemble_.members.push_back(std::get<Member>(std::move(member)));
    return std::nullopt;
  }

  Complaint group(std::uint32_t number, std::string_view value) {
    auto servers = parse_group(value);
    if (auto* why = std::get_if<std::string>(&servers)) {
      return std::move(*why);
    }
    for (const ServerId server : std::get<std::vector<ServerId>>(servers)) {
      if (!groups_.try_emplace(server, number).second) {
        return "server." + std::to_string(server.value) + " is in two groups";
      }
    }
    return std::nullopt;
  }

  Complaint weight(ServerId id, std::string_view value) {
    auto weight = parse_weight(value);
    if (auto* why = std::get_if<std::string>(&weight)) {
      return std::move(*why);
    }
    weights_[id] = std::get<std::uint64_t>(weight);
    return std::nullopt;
  }

  template <class Change>
  bool change(ServerId id, const Change& how) {
    const auto found = std::ranges::find(ensemble_.members, id, &Member::id);
    if (found != ensemble_.members.end()) {
      how(*found);
    }
    return found != ensemble_.members.end();
  }

  Ensemble ensemble_{};
  std::set<std::string> given_{};
  std::map<ServerId, std::uint64_t> weights_{};
  std::map<ServerId, std::uint32_t> groups_{};
};

}  // namespace

std::variant<Member, std::string> parse_member(ServerId id, std::string_view text) {
  if (text.find('|') != text.npos) {
    return "several addresses for one server ('|') are not supported (give the one that every "
           "other server can reach)";
  }
  Member member{.id = id};
  const auto semicolon = text.find(';');
  std::string_view rest = trimmed(text.substr(0, semicolon));
  if (!take_host(rest, member.host)) {
    return quoted(text) + " is not of the form " + std::string(server_form) +
           " (an IPv6 address stands in brackets)";
  }
  if (auto complaint = ports_and_role(rest, member)) {
    return *complaint;
  }
  if (semicolon != text.npos) {
    if (auto complaint = client_part(trimmed(text.substr(semicolon + 1)), member)) {
      return *complaint;
    }
  }
  return member;
}

std::variant<std::vector<ServerId>, std::string> parse_group(std::string_view text) {
  std::vector<ServerId> servers;
  for (const auto part : split(text, ':')) {
    const auto id = number_in(part, 1, limits::server_id_max);
    if (!id) {
      return not_in(part, 1, limits::server_id_max) +
             " (write the servers' numbers with colons between them)";
    }
    servers.push_back(ServerId{static_cast<std::int64_t>(*id)});
  }
  return servers;
}

std::variant<std::uint64_t, std::string> parse_weight(std::string_view text) {
  const auto weight = number_in(text, 0, limits::server_weight_max);
  if (!weight) {
    return not_in(text, 0, limits::server_weight_max);
  }
  return *weight;
}

std::string to_text(const Member& member) {
  std::string text = host_text(member.host) + ":" + std::to_string(member.port);
  if (member.election_port != 0) {
    text += ":" + std::to_string(member.election_port);
  }
  text += member.is_observer ? ":observer" : ":participant";
  if (member.client_port) {
    const auto& address = member.client_address.empty() ? "0.0.0.0" : member.client_address;
    text += ";" + host_text(address) + ":" + std::to_string(*member.client_port);
  }
  return text;
}

std::variant<Ensemble, std::string> parse_ensemble(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of("\n,"), text.size());
    const auto line = trimmed(text.substr(0, end));
    if (!line.empty() && line.front() != '#') {
      if (auto complaint = lines.take(line)) {
        return *complaint;
      }
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines.finish();
}

std::string to_text(const Ensemble& ensemble) {
  std::vector<Member> members = ensemble.members;
  std::ranges::sort(members, std::less<>{}, &Member::id);
  std::ostringstream text;
  std::map<std::uint32_t, std::string> groups;
  for (const Member& member : members) {
    text << "server." << member.id << '=' << to_text(member) << '\n';
    if (member.group != 0) {
      auto& group = groups[member.group];
      group += (group.empty() ? "" : ":") + std::to_string(member.id.value);
    }
  }
  for (const auto& [number, list] : groups) {
    text << "group." << number << '=' << list << '\n';
  }
  for (const Member& member : members) {
    if (member.weight != 1) {
      text << "weight." << member.id << '=' << member.weight << '\n';
    }
  }
  text << "version=" << std::hex << ensemble.version.value;
  return text.str();
}

}  // namespace zabfs::replication
