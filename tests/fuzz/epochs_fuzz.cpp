// Any bytes as the epochs file: what is accepted contradicts nothing and is written the same again.
#include <algorithm>

#include "replication/model/check.hpp"
#include "replication/store/epochs.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace zabfs::replication;
  const ByteView bytes{data, size};
  const auto record = store::decode_epochs(bytes);
  if (!record) {
    CHECK(!record.error().sentence.empty());
    return 0;
  }
  CHECK(record->epochs.current <= record->epochs.accepted);
  CHECK(std::ranges::equal(store::encode(*record), bytes));
  return 0;
}
