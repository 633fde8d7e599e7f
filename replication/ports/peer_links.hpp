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

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"

namespace zabfs::replication {

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
};

}  // namespace zabfs::replication
