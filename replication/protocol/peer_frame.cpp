#include "replication/protocol/peer_frame.hpp"

#include <xxhash.h>

#include "replication/model/check.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::replication::protocol {
namespace {

constexpr std::size_t length_bytes = 4;
constexpr std::size_t checksum_bytes = 8;
static_assert(length_bytes + checksum_bytes == peer_frame_header_bytes);

void put(Bytes& out, std::size_t at, std::size_t count, std::uint64_t value) {
  for (std::size_t i = count; i-- > 0; value >>= 8) {
    out[at + i] = static_cast<std::uint8_t>(value);
  }
}

std::uint64_t get(ByteView bytes) {
  std::uint64_t value = 0;
  for (const auto byte : bytes) {
    value = value << 8 | byte;
  }
  return value;
}

std::uint64_t checksum(ByteView payload) { return XXH3_64bits(payload.data(), payload.size()); }

}  // namespace

std::size_t begin_peer_frame(Bytes& out) {
  const std::size_t start = out.size();
  out.resize(start + peer_frame_header_bytes);
  return start;
}

void end_peer_frame(Bytes& out, std::size_t start) {
  const ByteView payload = ByteView(out).subspan(start + peer_frame_header_bytes);
  CHECK(payload.size() <= limits::peer_frame_bytes_max, "frame of ", payload.size(), " bytes");
  const std::uint64_t sum = checksum(payload);
  put(out, start, length_bytes, payload.size());
  put(out, start + length_bytes, checksum_bytes, sum);
}

PeerFrameSplit split_peer_frame(ByteView stream, std::size_t payload_bytes_max) {
  if (stream.size() < length_bytes) {
    return {};
  }
  const std::size_t length = get(stream.first(length_bytes));
  if (length > payload_bytes_max) {
    return {.state = PeerFrameSplit::State::too_long};
  }
  const std::size_t whole = peer_frame_header_bytes + length;
  if (stream.size() < whole) {
    return {.wanted = whole};
  }
  const ByteView payload = stream.subspan(peer_frame_header_bytes, length);
  if (get(stream.subspan(length_bytes, checksum_bytes)) != checksum(payload)) {
    return {.state = PeerFrameSplit::State::damaged};
  }
  return {.state = PeerFrameSplit::State::whole, .payload = payload, .consumed = whole};
}

}  // namespace zabfs::replication::protocol
