// What happens on the links to the other servers, told to whoever speaks to them.
//
// All calls come from the loop's thread, none from within a call of PeerLinks. The answers go
// through replication::PeerLinks.
#pragma once

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "replication/ports/peer_links.hpp"

namespace zabfs::daemon::peers {

class PeerEvents {
 public:
  virtual ~PeerEvents() = default;

  // The link to `peer` is established; its outbox is empty.
  virtual void on_peer_up(replication::ServerId peer) = 0;

  // The payload of one whole frame. May drop any link.
  virtual void on_peer_frame(replication::ServerId peer, replication::ByteView payload) = 0;

  // The link is lost, and with it everything that was not received by then. Not called for one that
  // was dropped through PeerLinks.
  virtual void on_peer_down(replication::ServerId peer) = 0;

  // The replica knows of other servers than before. Called from within the replica.
  virtual void on_servers(const replication::KnownServers& /*servers*/) {}

  // One of the above has been or will be called: end the turn after the events that are ready now,
  // and then call Mesh::flush(). Called as often as there is a reason.
  virtual void schedule_turn_end() = 0;
};

}  // namespace zabfs::daemon::peers
