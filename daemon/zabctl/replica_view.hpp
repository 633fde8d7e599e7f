// What one server says of itself in four-letter words, read into numbers: `srvr`, which every
// server answers unless its whitelist leaves it out, then `mntr`, `hash` and `conf`, for what
// `srvr` does not say.
//
// The formats are ZooKeeper's, so the servers may be Apache ZooKeeper's as well.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "replication/model/ensemble.hpp"
#include "replication/model/ids.hpp"

namespace zabfs::daemon::zabctl {

struct ReplicaView {
  std::string name{};     // as the operator wrote it: host:port
  bool is_reached{};      // it answered something
  std::string trouble{};  // why there is no view of it, as the end of a sentence
  bool is_serving{};

  // Of srvr.
  std::string mode{};  // leader, follower, observer, standalone, read-only
  std::string version{};
  replication::Zxid zxid{};
  std::string latency_ms{};  // "min/avg/max"
  std::optional<std::int64_t> connections{};
  std::optional<std::int64_t> znodes{};
  std::optional<std::int64_t> outstanding{};

  // Of mntr.
  std::optional<std::int64_t> sessions{};
  std::optional<std::int64_t> digest_mismatches{};

  // Of conf: which server it is, and the ensemble that it says is in force.
  std::optional<replication::ServerId> id{};
  replication::Ensemble ensemble{};  // empty if it says nothing of it

  // Of hash: the digest of the tree after some of the last transactions.
  std::map<replication::Zxid, std::string> digests{};

  bool leads() const { return mode == "leader"; }
};

// Each adds what an answer says; text that is none of the format adds nothing. Safe on any text.
void read_srvr(std::string_view answer, ReplicaView& view);
void read_mntr(std::string_view answer, ReplicaView& view);
void read_hash(std::string_view answer, ReplicaView& view);
void read_conf(std::string_view answer, ReplicaView& view);

}  // namespace zabfs::daemon::zabctl
