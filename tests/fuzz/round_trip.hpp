// What holds for every decoder of ours: whatever bytes it makes a message of, that message can be
// encoded, and decoding it again gives the same message. Nothing a peer sends may decode to what we
// could not have sent ourselves.
#pragma once

#include "replication/model/bytes.hpp"
#include "replication/model/check.hpp"

namespace zabfs::test {

// `decode` makes a Result of bytes; `encode` makes of a message the bytes that `decode` takes.
template <class Decode, class Encode>
void check_round_trip(replication::ByteView bytes, const Decode& decode, const Encode& encode) {
  const auto message = decode(bytes);
  if (!message) {
    return;
  }
  const replication::Bytes encoded = encode(*message);
  const auto again = decode(encoded);
  CHECK(again.has_value(), "what was encoded does not decode");
  CHECK(*again == *message, "what was encoded decodes to something else");
}

// `frame` without the first `header_bytes`.
inline replication::Bytes behind(replication::ByteView frame, std::size_t header_bytes) {
  const auto rest = frame.subspan(header_bytes);
  return {rest.begin(), rest.end()};
}

}  // namespace zabfs::test
