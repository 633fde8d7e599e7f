// Any bytes as a client's business between a learner and its leader: what decodes survives another
// round trip.
#include "replication/pipeline/forwarding.hpp"
#include "tests/fuzz/round_trip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace zabfs::replication::pipeline;
  zabfs::test::check_round_trip({data, size}, decode_forwarded, to_bytes);
  return 0;
}
