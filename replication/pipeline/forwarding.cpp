#include "replication/pipeline/forwarding.hpp"

#include "replication/jute/tagged.hpp"

namespace zabfs::replication::pipeline {

Bytes to_bytes(const ForwardedMessage& message) {
  Bytes bytes;
  jute::append_tagged(bytes, message);
  return bytes;
}

Result<ForwardedMessage> decode_forwarded(ByteView bytes) {
  return jute::decode_tagged<ForwardedMessage>(bytes);
}

}  // namespace zabfs::replication::pipeline
