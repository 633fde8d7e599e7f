// The door to the other servers: where the bytes for a peer go, and how a link is ended.
//
// The owner of the sockets tells the replica when a link to a peer is established, of every whole
// frame in the order in which the peer appended it, and of the end; the replica answers through
// here. There is at most one link per peer, and a link loses nothing but its end: what arrives is
// always the beginning of what was appended since it was established.
//
// What is appended leaves at the end of the turn.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "replication/model/bytes.hpp"
#include "replication/model/ensemble.hpp"
#include "replication/model/ids.hpp"

namespace zabfs::replication {

// The configurations that a replica knows of. What is in force alone says where this server itself
// is to be found; the others may be found by any of them.
struct KnownServers {
  Ensemble in_force{};
  std::optional<Ensemble> next{};  // on its way; in force soon, or never
  std::vector<Ensemble> heard{};   // that others have, not older
};

class PeerLinks {
 public:
  virtual ~PeerLinks() = default;

  // The bytes that wait for `peer`. Append whole frames (protocol/peer_frame.hpp), nothing else.
  // The link must be up. The reference is good until the next call of any function here.
  virtual Bytes& outbox(ServerId peer) = 0;

  // How many bytes wait for `peer` and are not yet with the kernel; 0 without a link.
  virtual std::size_t unsent(ServerId peer) const = 0;

  // Ends the link now; what is unsent is lost. The replica hears nothing of this link any more.
  // When it is established anew, it hears so. Without a link, nothing happens.
  virtual void drop(ServerId peer) = 0;

  // The servers to have links to are others from now on. Called from within Replica::start(), too.
  virtual void on_servers(const KnownServers& /*servers*/) {}
};

}  // namespace zabfs::replication
