#include "replication/protocol/handshake.hpp"

#include "replication/jute/jute_archive.hpp"
#include "replication/protocol/frame.hpp"

namespace zabfs::replication::protocol {
namespace {

template <class Handshake>
Result<Handshake> decode(ByteView payload) {
  try {
    Handshake handshake{};
    jute::JuteReader from{payload};
    from(handshake);
    handshake.has_read_only_flag = !from.rest().empty();
    if (handshake.has_read_only_flag) {
      from(handshake.read_only);
    }
    return handshake;
  } catch (const cereal::Exception&) {
    return ErrorCode::marshalling_error;
  }
}

template <class Handshake>
void append(Bytes& out, const Handshake& handshake) {
  const FrameWriter frame{out};
  jute::JuteWriter to{out};
  to(handshake);
  if (handshake.has_read_only_flag) {
    to(handshake.read_only);
  }
}

}  // namespace

Result<ConnectRequest> decode_connect_request(ByteView payload) {
  return decode<ConnectRequest>(payload);
}

Result<ConnectResponse> decode_connect_response(ByteView payload) {
  return decode<ConnectResponse>(payload);
}

void append_frame(Bytes& out, const ConnectRequest& request) { append(out, request); }

void append_frame(Bytes& out, const ConnectResponse& response) { append(out, response); }

}  // namespace zabfs::replication::protocol
