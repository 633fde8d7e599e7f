// Any bytes as what another server sends: what is taken for a frame is one, and nothing outside the
// input is looked at.
#include <algorithm>
#include <cstdint>

#include "replication/model/check.hpp"
#include "replication/model/limits.hpp"
#include "replication/protocol/peer_frame.hpp"

using namespace zabfs::replication;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using State = protocol::PeerFrameSplit::State;
  const ByteView stream{data, size};
  const auto split = protocol::split_peer_frame(stream, limits::peer_frame_bytes_max);
  CHECK(split.state != State::incomplete || split.wanted == 0 || split.wanted > size);
  if (split.state == State::whole) {
    Bytes again;
    const auto start = protocol::begin_peer_frame(again);
    again.insert(again.end(), split.payload.begin(), split.payload.end());
    protocol::end_peer_frame(again, start);
    CHECK(std::ranges::equal(again, stream.first(split.consumed)));
  }
  // The checksum keeps random inputs from being whole: so the input becomes a payload, too.
  Bytes sent;
  const auto start = protocol::begin_peer_frame(sent);
  sent.insert(sent.end(), stream.begin(), stream.end());
  protocol::end_peer_frame(sent, start);
  const auto received = protocol::split_peer_frame(sent, limits::peer_frame_bytes_max);
  CHECK(received.state == State::whole && received.consumed == sent.size());
  CHECK(std::ranges::equal(received.payload, stream));
  return 0;
}
