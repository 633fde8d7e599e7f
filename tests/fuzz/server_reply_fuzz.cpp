// What a server may send our client behind the handshake: replies to any operation, and events.
#include "replication/protocol/codec.hpp"
#include "replication/protocol/frame.hpp"
#include "tests/fuzz/round_trip.hpp"

namespace zabfs::test {
namespace {

using namespace replication;
using namespace replication::protocol;

constexpr std::size_t reply_header_bytes = 16;

void check_event(ByteView body) {
  check_round_trip(body, decode_event, [](const WatcherEvent& event) {
    Bytes frame;
    append_event(frame, event, 1);
    return behind(frame, frame_header_bytes + reply_header_bytes);
  });
}

void check_response(OpCode op, ByteView body) {
  check_round_trip(
      body, [op](ByteView bytes) { return decode_response(op, bytes); },
      [](const Response& response) {
        Bytes frame;
        append_reply(frame, {}, response);
        return behind(frame, frame_header_bytes + reply_header_bytes);
      });
}

}  // namespace
}  // namespace zabfs::test

// The header's xid stands for the operation the client would have asked for.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace zabfs::test;
  const auto split = split_reply({data, size});
  CHECK(split.has_value() == (size >= reply_header_bytes));
  if (split) {
    check_response(OpCode{split->header.xid}, split->body);
    check_event(split->body);
  }
  return 0;
}
