// Length-prefixed frames: int32 length, big-endian, not counting itself, then that many bytes.
//
// FrameReader splits a byte stream; FrameWriter makes one frame in place at the end of a buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "replication/model/bytes.hpp"

namespace zabfs::replication::protocol {

inline constexpr std::size_t frame_header_bytes = 4;

// Makes a frame: room for the length at construction, the length itself at destruction. What is
// appended to `out` in between is the payload.
class FrameWriter {
 public:
  explicit FrameWriter(Bytes& out);
  FrameWriter(const FrameWriter&) = delete;
  FrameWriter& operator=(const FrameWriter&) = delete;
  ~FrameWriter();

 private:
  Bytes& out_;
  std::size_t start_;
};

// What the front of a stream is.
struct FrameSplit {
  enum class State {
    incomplete,  // read more
    whole,       // `payload` is a frame's content; drop `consumed` bytes and look again
    too_long,    // the stated length is negative or above the limit; the stream is lost
  };
  State state{State::incomplete};
  ByteView payload{};
  std::size_t consumed{};
  std::size_t wanted{};  // with incomplete: bytes the whole frame will take, 0 if not known yet
};

// Looks at the front of `stream`. Never copies; `payload` points into `stream`.
FrameSplit split_frame(ByteView stream, std::size_t payload_bytes_max);

}  // namespace zabfs::replication::protocol
