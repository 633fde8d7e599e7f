// What happens on the connections of clients, told to whoever answers them.
//
// All calls come from the loop's thread. The answers go through replication::ClientLinks.
#pragma once

#include <openssl/x509.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"

namespace zabfs::daemon::clients {

class ClientEvents {
 public:
  virtual ~ClientEvents() = default;

  // A client connected from `address`, without its port. `certificate` is what it has shown, and is
  // trusted; null if there is none.
  virtual void on_connected(replication::ConnectionId connection, std::string address,
                            const X509* certificate) = 0;

  // A client at `address` is refused, or thrown out, and why: a phrase such as "does not speak
  // TLS". If there was a connection, on_disconnected() follows.
  virtual void on_refused(const std::string& address, const std::string& why) = 0;

  // One whole frame, without its length. May close any connection through ClientLinks.
  virtual void on_frame(replication::ConnectionId connection, replication::ByteView payload) = 0;

  // The connection is gone. Not called for those that were closed through ClientLinks.
  virtual void on_disconnected(replication::ConnectionId connection) = 0;

  // False while the next frame, of `bytes`, must wait.
  virtual bool may_read(replication::ConnectionId connection, std::size_t bytes) const = 0;

  // What a connection has begun with, four bytes at least: the answer if that is a four-letter
  // word, after which the connection is closed; nothing if it is none.
  virtual std::optional<std::string> answer_to(std::string_view beginning) = 0;

  // The burst of events is over.
  virtual void on_turn_end() = 0;
};

}  // namespace zabfs::daemon::clients
