// An ensemble as text, as ZooKeeper writes it into /zookeeper/config and reads it in `reconfig`.
//
//   server.1=alpha:2888:3888:participant;0.0.0.0:2181
//   server.2=[2001:db8::2]:2888:3888:observer        an IPv6 address stands in brackets
//   group.1=1:3                                      quorums of groups, and of weights within them
//   weight.1=2
//   version=100000001                                the zxid of the transaction, in hexadecimal
//
// Safe on any input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "replication/model/ensemble.hpp"

namespace zabfs::replication {

// What stands behind `server.N=`; or what is wrong with it, as a sentence.
//
//   host:port[:electionPort][:participant|observer][;[clientAddress:]clientPort]
std::variant<Member, std::string> parse_member(ServerId id, std::string_view text);

// What stands behind `group.N=`, numbers of servers with colons between them, and behind
// `weight.N=`.
std::variant<std::vector<ServerId>, std::string> parse_group(std::string_view text);
std::variant<std::uint64_t, std::string> parse_weight(std::string_view text);

// The inverse of parse_member, as ZooKeeper prints it.
std::string to_text(const Member& member);

// Lines, or with commas between them. A sentence if a line is wrong by itself; what the lines
// together must be, mistake_in() says. `version` may be absent.
std::variant<Ensemble, std::string> parse_ensemble(std::string_view text);

// Every server in the order of the ids, then groups and weights if there are any, then the version.
std::string to_text(const Ensemble& ensemble);

}  // namespace zabfs::replication
