// Which servers there are, in which order they are tried, and how long to wait in between.
//
// The connect string is ZooKeeper's: HOST[:PORT][,HOST[:PORT]...][/CHROOT]. The port is 2181 unless
// given, an IPv6 address stands in brackets, and everything from the first '/' on is the chroot:
// the znode that the client takes for its root.
//
// Order: the list is shuffled once, so that clients spread over the ensemble, and then gone through
// round and round. The first attempt is made at once. Every later one waits: the least delay during
// the first round after a success, twice as long each round from then on, up to the most; half of
// the wait is drawn by lot, so that clients who lost the same server do not come back as one.
#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace zabfs::fusefs::client {

struct Endpoint {
  std::string host{};  // a name or an address, without brackets
  std::uint16_t port{};

  bool operator==(const Endpoint&) const = default;
};

// As people write it: HOST:PORT, with brackets around an IPv6 address.
std::string to_string(const Endpoint& endpoint);

struct ConnectString {
  std::vector<Endpoint> endpoints{};  // never empty after parsing
  std::string chroot{};               // a valid path, or empty if there is none

  bool operator==(const ConnectString&) const = default;
};

// What is wrong with a connect string and what to write instead, for the person who wrote it.
struct ConnectStringError {
  std::string sentence{};
};

boost::system::result<ConnectString, ConnectStringError> parse_connect_string(
    std::string_view text);

class EndpointOrder {
 public:
  // `endpoints` is not empty. The same seed gives the same order and the same delays.
  EndpointOrder(std::vector<Endpoint> endpoints, std::uint64_t seed);

  // How long to wait before the attempt that follows.
  std::int64_t delay_ms();

  // Begins the next attempt: current() is the server to try.
  void advance();
  const Endpoint& current() const { return endpoints_[current_]; }

  // The attempt reached a server that serves us.
  void succeeded() { failures_ = 0; }

 private:
  std::vector<Endpoint> endpoints_;
  std::mt19937_64 chance_;
  std::size_t current_{};
  std::size_t failures_{};  // attempts since the last success
  bool started_{};
};

}  // namespace zabfs::fusefs::client
