#include "fusefs/client/endpoints.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "replication/model/limits.hpp"
#include "replication/model/path.hpp"

namespace zabfs::fusefs::client {
namespace {

namespace limits = replication::limits;

constexpr std::uint16_t default_port = 2181;

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) {
    return std::nullopt;
  }
  return port;
}

bool is_host(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c <= '~' && std::string_view("[]\"'@\\").find(c) == std::string_view::npos;
  });
}

struct HostAndPort {
  std::string_view host{};
  std::optional<std::string_view> port{};
};

// Cuts at the colon in front of the port; nullopt if the brackets or colons make no sense.
std::optional<HostAndPort> cut(std::string_view server) {
  const bool in_brackets = server.starts_with('[');
  const auto host_end = in_brackets ? server.find(']') : server.find(':');
  const auto host = server.substr(in_brackets ? 1 : 0, host_end - (in_brackets ? 1 : 0));
  if (host_end == std::string_view::npos) {
    return in_brackets ? std::nullopt : std::optional{HostAndPort{server, std::nullopt}};
  }
  const auto rest = server.substr(host_end + (in_brackets ? 1 : 0));
  if (rest.empty()) {
    return HostAndPort{host, std::nullopt};
  }
  if (rest.front() != ':') {
    return std::nullopt;
  }
  return HostAndPort{host, rest.substr(1)};
}

boost::system::result<Endpoint, ConnectStringError> parse_endpoint(std::string_view server) {
  if (server.empty()) {
    return ConnectStringError{"an empty server between commas; write HOST:PORT,HOST:PORT"};
  }
  if (!server.starts_with('[') && std::ranges::count(server, ':') > 1) {
    return ConnectStringError{quoted(server) +
                              " has more than one colon; an IPv6 address is written in brackets, "
                              "as in [::1]:2181"};
  }
  const auto parts = cut(server);
  if (!parts || !is_host(parts->host)) {
    return ConnectStringError{quoted(server) + " is not a server; write HOST:PORT or [IPV6]:PORT"};
  }
  const auto port = parts->port ? parse_port(*parts->port) : std::optional{default_port};
  if (!port) {
    return ConnectStringError{"the port of " + quoted(server) + " is not a number from 1 to 65535"};
  }
  return Endpoint{.host = std::string(parts->host), .port = *port};
}

}  // namespace

std::string to_string(const Endpoint& endpoint) {
  const bool is_ipv6 = endpoint.host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" +
         std::to_string(endpoint.port);
}

boost::system::result<ConnectString, ConnectStringError> parse_connect_string(
    std::string_view text) {
  ConnectString parsed{};
  const auto slash = std::min(text.find('/'), text.size());
  if (const auto chroot = text.substr(slash); chroot.size() > 1) {
    if (!replication::Path::parse(chroot)) {
      return ConnectStringError{"the part behind the servers, " + quoted(chroot) +
                                ", is not a znode's path; write it as in HOST:PORT/a/b"};
    }
    parsed.chroot = chroot;
  }
  if (slash == 0) {
    return ConnectStringError{"no server; write HOST:PORT,HOST:PORT"};
  }
  for (auto rest = text.substr(0, slash);;) {
    const auto comma = std::min(rest.find(','), rest.size());
    const auto endpoint = parse_endpoint(rest.substr(0, comma));
    if (!endpoint) {
      return endpoint.error();
    }
    parsed.endpoints.push_back(*endpoint);
    if (comma == rest.size()) {
      return parsed;
    }
    rest.remove_prefix(comma + 1);
  }
}

EndpointOrder::EndpointOrder(std::vector<Endpoint> endpoints, std::uint64_t seed)
    : endpoints_(std::move(endpoints)), chance_(seed) {
  std::ranges::shuffle(endpoints_, chance_);
}

std::int64_t EndpointOrder::delay_ms() {
  if (!started_) {
    return 0;
  }
  constexpr std::size_t doublings_max = 16;
  const auto round = std::min(failures_ / endpoints_.size(), doublings_max);
  const auto longest =
      std::min(limits::reconnect_delay_ms_min << round, limits::reconnect_delay_ms_max);
  return longest - std::uniform_int_distribution<std::int64_t>{0, longest / 2}(chance_);
}

void EndpointOrder::advance() {
  if (started_) {
    current_ = (current_ + 1) % endpoints_.size();
  }
  started_ = true;
  ++failures_;
}

}  // namespace zabfs::fusefs::client
