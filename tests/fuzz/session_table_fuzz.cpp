// Any bytes as the sessions of a snapshot: what decodes survives another round trip.
#include "replication/session/session_table.hpp"
#include "tests/fuzz/round_trip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using zabfs::replication::session::SessionTable;
  zabfs::test::check_round_trip({data, size}, SessionTable::from_bytes,
                                [](const SessionTable& table) { return table.to_bytes(); });
  return 0;
}
