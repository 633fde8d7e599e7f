// Any bytes as a message of another server: what decodes survives another round trip.
#include "replication/zab/message_codec.hpp"
#include "tests/fuzz/round_trip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace zabfs::replication;
  using namespace zabfs::replication::zab;
  zabfs::test::check_round_trip({data, size}, decode_message, [](const Message& decoded) {
    Bytes bytes;
    append_message(bytes, decoded);
    return bytes;
  });
  return 0;
}
