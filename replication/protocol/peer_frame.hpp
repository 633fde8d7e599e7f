// Frames between servers: length, checksum, payload.
//
//   0    length     of the payload, u32, big-endian
//   4    checksum   of the payload, u64, big-endian (XXH3)
//   12   payload
//
// TCP's own checksum lets through one damaged segment in some millions, and what servers tell each
// other ends up on the disks of a majority. The checksum is no defence against somebody who wants
// to do harm.
#pragma once

#include <cstddef>
#include <cstdint>

#include "replication/model/bytes.hpp"

namespace zabfs::replication::protocol {

inline constexpr std::size_t peer_frame_header_bytes = 12;

// Begins a frame at the end of `out` and returns where. What is appended to `out` from now on is
// the payload, until end_peer_frame() is called with what was returned here.
std::size_t begin_peer_frame(Bytes& out);

// Completes the frame. Its payload must not be longer than limits::peer_frame_bytes_max.
void end_peer_frame(Bytes& out, std::size_t start);

// What the front of a stream is.
struct PeerFrameSplit {
  enum class State {
    incomplete,  // read more
    whole,       // `payload` is a frame's content; drop `consumed` bytes and look again
    too_long,    // the stated length is above the limit; the stream is lost
    damaged,     // the payload is not what was sent; the stream is lost
  };
  State state{State::incomplete};
  ByteView payload{};
  std::size_t consumed{};
  std::size_t wanted{};  // with incomplete: bytes the whole frame will take, 0 if not known yet
};

// Looks at the front of `stream`. Never copies; `payload` points into `stream`. Safe on any bytes.
PeerFrameSplit split_peer_frame(ByteView stream, std::size_t payload_bytes_max);

}  // namespace zabfs::replication::protocol
