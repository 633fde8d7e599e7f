// The first frame each way on a connection: opening a session, or coming back to one.
//
// The request's read-only flag is absent from old clients (before ZooKeeper 3.4); a response carries
// its flag exactly when the request did. A refused session is timeout 0, session 0 and sixteen zero
// bytes: Java and kazoo look at the first, the C client at the second.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "replication/model/bytes.hpp"
#include "replication/model/result.hpp"

namespace zabfs::replication::protocol {

struct ConnectRequest {
  std::int32_t protocol_version{};
  std::int64_t last_zxid_seen{};
  std::int32_t timeout_ms{};
  std::int64_t session_id{};
  Data password{};
  bool read_only{};
  bool has_read_only_flag{true};  // not on the wire: whether read_only was

  static auto fields(auto& r) {
    return std::tie(r.protocol_version, r.last_zxid_seen, r.timeout_ms, r.session_id, r.password);
  }
  bool operator==(const ConnectRequest&) const = default;
};

struct ConnectResponse {
  std::int32_t protocol_version{};
  std::int32_t timeout_ms{};
  std::int64_t session_id{};
  Bytes password{};  // sixteen bytes, or the C client breaks
  bool read_only{};
  bool has_read_only_flag{true};

  static auto fields(auto& r) {
    return std::tie(r.protocol_version, r.timeout_ms, r.session_id, r.password);
  }
  bool operator==(const ConnectResponse&) const = default;
};

// A frame's payload as a handshake, or marshalling_error. Bytes behind it are ignored.
Result<ConnectRequest> decode_connect_request(ByteView payload);
Result<ConnectResponse> decode_connect_response(ByteView payload);

// Appends a whole frame, length included.
void append_frame(Bytes& out, const ConnectRequest& request);
void append_frame(Bytes& out, const ConnectResponse& response);

}  // namespace zabfs::replication::protocol
