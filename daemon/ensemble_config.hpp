// Which servers make up the ensemble, and which of them this process is.
//
//   server.1=alpha:2888:3888                     host:port[:electionPort][:role][;[address:]port]
//   server.2=[2001:db8::2]:2888:3888:observer    an IPv6 address stands in brackets
//   server.3=gamma:2888:3888;2181                where its clients connect, behind the semicolon
//   group.1=1:3                                  quorums of groups, and of weights within them
//   weight.1=2
//
// The lines are the same in every server's file, but for one that joins an ensemble which can
// change: it lists itself and servers that run. Which of the servers this process is stands in
// `dataDir`/myid. They may stand in a file of their own, which `dynamicConfigFile` names. Once the
// ensemble has been changed, what its log says counts instead (docs/reconfiguration.md). Election
// and replication share one connection per pair, so the election port is read and not used.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "replication/model/bytes.hpp"
#include "replication/model/ensemble.hpp"
#include "replication/model/ids.hpp"

namespace zabfs::daemon {

struct EnsembleConfig {
  // The lines server.N and weight.N; empty: no ensemble, one replica. Groups stand below.
  std::map<replication::ServerId, replication::Member> members{};

  replication::ServerId self{};  // one of the members; 0 while no file but the text was read

  // Every voter is in exactly one group, or there are no groups.
  std::map<std::int64_t, std::vector<replication::ServerId>> groups{};

  // Milliseconds: for a follower to find and catch up with its leader; for it to answer afterwards;
  // and how long a follower goes without a word from its leader before it begins an election.
  std::int64_t init_ms{};
  std::int64_t sync_ms{};
  std::int64_t peer_timeout_ms{1000};

  bool listens_on_all_addresses{};  // for the other servers

  // `reconfigEnabled`: the ensemble can be changed while it runs. Its lines are what it begins
  // with.
  bool is_reconfigurable{};
  bool is_alone_if_single{true};  // `standaloneEnabled`: one line server.N is no ensemble yet

  // What the servers prove to each other that they know. Empty: they prove nothing.
  std::string secret_file{};
  replication::Bytes secret{};
  bool allows_unauthenticated_peers{};

  // True if this server is one replica by itself.
  bool is_alone() const { return members.empty() || (members.size() == 1 && is_alone_if_single); }

  bool operator==(const EnsembleConfig&) const = default;
};

}  // namespace zabfs::daemon
