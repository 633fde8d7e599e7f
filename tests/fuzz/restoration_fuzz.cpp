// Any bytes as the body of a restore, and any bytes in a file whose checksums are right: what is
// read is a sound state.
#include <utility>
#include <variant>

#include "replication/model/check.hpp"
#include "replication/restoration.hpp"
#include "replication/store/snapshot_format.hpp"

namespace zabfs::test {
namespace {

using namespace replication;

void check_file(ByteView file) {
  const auto read = read_state(file);
  if (const auto* state = std::get_if<RestorableState>(&read)) {
    CHECK(state->tree.digest() == state->tree.recomputed_digest());
  }
}

// The input is one slice.
void check_slice(ByteView slice) {
  if (slice.empty()) {
    return;
  }
  constexpr Zxid zxid = Zxid::at({2}, 1);
  store::SnapshotEncoder encoder;
  Bytes file = encoder.header({.taken_at = zxid});
  for (const Bytes& part : {encoder.slice(slice), encoder.trailer(zxid)}) {
    file.insert(file.end(), part.begin(), part.end());
  }
  check_file(file);
}

}  // namespace
}  // namespace zabfs::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  zabfs::test::check_file({data, size});
  zabfs::test::check_slice({data, size});
  return 0;
}
