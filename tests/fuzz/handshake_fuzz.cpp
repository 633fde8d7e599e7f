// The first frame each way: what a stranger may say to a server, and a server to our client.
#include "replication/protocol/frame.hpp"
#include "replication/protocol/handshake.hpp"
#include "tests/fuzz/round_trip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace zabfs::replication;
  const auto payload_of = [](const auto& handshake) {
    Bytes frame;
    protocol::append_frame(frame, handshake);
    return zabfs::test::behind(frame, protocol::frame_header_bytes);
  };
  const ByteView payload{data, size};
  zabfs::test::check_round_trip(payload, protocol::decode_connect_request, payload_of);
  zabfs::test::check_round_trip(payload, protocol::decode_connect_response, payload_of);
  return 0;
}
