// Asks servers about themselves over the network, all of them at once, within one time limit.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "daemon/zabctl/replica_view.hpp"

namespace zabfs::daemon::zabctl {

struct Address {
  std::string host{};
  std::uint16_t port{};
  replication::ServerId id{};  // as the configuration has it; 0 if that is not known

  std::string text() const;
  bool operator==(const Address&) const = default;
};

// host:port,host,[2001:db8::1]:2181 with 2181 for a missing port. Throws UsageError.
std::vector<Address> parse_addresses(const std::string& text);

// Where clients connect to the servers of a configuration. Throws Failure if it cannot be read.
std::vector<Address> addresses_of_config(const std::string& file);

// The members of the newest ensemble that any of these replicas says is in force, if it has been
// changed since it began: where clients connect to those of them that were not asked.
std::vector<Address> members_not_asked(const std::vector<ReplicaView>& replicas);

// Whether somebody who is not reached at that place is missed. Of an ensemble that has been
// changed, only a member is.
bool is_missed(const Address& place, const std::vector<ReplicaView>& replicas);

// One view per address, in their order.
std::vector<ReplicaView> ask(const std::vector<Address>& addresses,
                             std::chrono::milliseconds limit);

}  // namespace zabfs::daemon::zabctl
