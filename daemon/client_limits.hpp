// What clients may take of a server, as the configuration says it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "replication/model/limits.hpp"

namespace zabfs::daemon {

struct ClientLimits {
  std::size_t connections_per_address_max{
      replication::limits::connections_per_address_default};          // 0: no limit
  std::size_t connections_max{replication::limits::connections_max};  // never 0

  // The largest frame (jute.maxbuffer); one that is larger closes its connection.
  std::size_t frame_bytes_max{replication::limits::client_frame_bytes_max};

  // Requests without an answer, of all connections together, and their bytes: above these nothing
  // more is read.
  std::size_t requests_max{replication::limits::requests_in_flight_max};
  std::size_t request_bytes_max{replication::limits::request_bytes_in_flight_max};

  // How long a connection may be without a session.
  std::int64_t sessionless_ms{replication::limits::sessionless_connection_ms};

  // Whether the kernel asks clients that say nothing whether they are still there.
  bool keeps_alive{};

  bool operator==(const ClientLimits&) const = default;
};

}  // namespace zabfs::daemon
