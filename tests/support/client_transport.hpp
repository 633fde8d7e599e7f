// How a client of a test reaches a server: connections that carry whole frames, however the world
// behind them is made.
#pragma once

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"

namespace zabfs::test {

class ClientTransport {
 public:
  virtual ~ClientTransport() = default;

  virtual replication::ConnectionId connect() = 0;

  // One whole frame without its length, whatever it holds. The connection must be open.
  virtual void deliver(replication::ConnectionId connection, replication::ByteView payload) = 0;

  // The client hangs up, if the connection is still open.
  virtual void disconnect(replication::ConnectionId connection) = 0;

  // False once either side has closed it.
  virtual bool is_open(replication::ConnectionId connection) const = 0;

  // What has come on the connection since this was last asked: whole frames.
  virtual replication::Bytes take_sent(replication::ConnectionId connection) = 0;
};

}  // namespace zabfs::test
