// Any bytes as a record of the log: what decodes survives another round trip.
#include "replication/tree/transaction.hpp"
#include "tests/fuzz/round_trip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace zabfs::replication;
  using namespace zabfs::replication::tree;
  zabfs::test::check_round_trip({data, size}, decode_transaction, [](const Transaction& decoded) {
    Bytes bytes;
    append_transaction(bytes, decoded);
    return bytes;
  });
  return 0;
}
