// The door to clients: where the bytes for a connection go, and how it is ended.
//
// The owner of the sockets tells the replica of new connections, whole frames and lost connections;
// the replica answers through here. Frames that are appended to an outbox leave in order, after the
// event that caused them has been handled, and never before what was appended earlier.
#pragma once

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"

namespace zabfs::replication {

class ClientLinks {
 public:
  virtual ~ClientLinks() = default;

  // The bytes that wait for `connection`. Append whole frames, nothing else. The reference is good
  // until the next call of any function here. The connection must be open.
  virtual Bytes& outbox(ConnectionId connection) = 0;

  // Sends what is in the outbox, then closes. The replica hears of this connection no more.
  virtual void close(ConnectionId connection) = 0;
};

}  // namespace zabfs::replication
