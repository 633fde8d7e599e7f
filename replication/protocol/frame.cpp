#include "replication/protocol/frame.hpp"

#include <limits>

#include "replication/model/check.hpp"

namespace zabfs::replication::protocol {

FrameWriter::FrameWriter(Bytes& out) : out_(out), start_(out.size()) {
  out_.resize(start_ + frame_header_bytes);
}

FrameWriter::~FrameWriter() {
  auto length = out_.size() - start_ - frame_header_bytes;
  CHECK(length <= std::numeric_limits<std::int32_t>::max(), "frame of ", length, " bytes");
  for (std::size_t i = frame_header_bytes; i-- > 0; length >>= 8) {
    out_[start_ + i] = static_cast<std::uint8_t>(length);
  }
}

FrameSplit split_frame(ByteView stream, std::size_t payload_bytes_max) {
  if (stream.size() < frame_header_bytes) {
    return {};
  }
  std::uint32_t length = 0;
  for (const auto byte : stream.first(frame_header_bytes)) {
    length = length << 8 | byte;
  }
  if (length > std::numeric_limits<std::int32_t>::max() || length > payload_bytes_max) {
    return {.state = FrameSplit::State::too_long};
  }
  const std::size_t whole = frame_header_bytes + length;
  if (stream.size() < whole) {
    return {.wanted = whole};
  }
  return {.state = FrameSplit::State::whole,
          .payload = stream.subspan(frame_header_bytes, length),
          .consumed = whole};
}

}  // namespace zabfs::replication::protocol
