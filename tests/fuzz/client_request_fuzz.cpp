// What a client may send a server behind the handshake: a stream of frames, each a header and a
// request.
#include "replication/model/limits.hpp"
#include "replication/protocol/codec.hpp"
#include "replication/protocol/frame.hpp"
#include "tests/fuzz/round_trip.hpp"

namespace zabfs::test {
namespace {

using namespace replication;
using namespace replication::protocol;

constexpr std::size_t request_header_bytes = 8;

void check_request(ByteView payload) {
  const auto split = split_request(payload);
  CHECK(split.has_value() == (payload.size() >= request_header_bytes));
  if (!split) {
    return;
  }
  check_round_trip(
      split->body, [&](ByteView body) { return decode_request(split->header.op, body); },
      [](const Request& request) {
        Bytes frame;
        append_request(frame, 1, request);
        return behind(frame, frame_header_bytes + request_header_bytes);
      });
}

void check_stream(ByteView stream) {
  while (true) {
    const auto split = split_frame(stream, limits::client_frame_bytes_max);
    if (split.state != FrameSplit::State::whole) {
      CHECK(split.wanted == 0 || split.wanted > stream.size());
      return;
    }
    CHECK(split.consumed == split.payload.size() + frame_header_bytes);
    check_request(split.payload);
    stream = stream.subspan(split.consumed);
  }
}

}  // namespace
}  // namespace zabfs::test

// The input is taken twice: as one request, which is what finds the codec's corners soonest, and as
// a stream.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  zabfs::test::check_request({data, size});
  zabfs::test::check_stream({data, size});
  return 0;
}
