// Any bytes as a snapshot of Apache ZooKeeper: refused, or a tree that can be counted, settled and
// taken.
#include "daemon/zabctl/zookeeper/checked_stream.hpp"
#include "daemon/zabctl/zookeeper/replayed_tree.hpp"
#include "daemon/zabctl/zookeeper/snapshot_file.hpp"
#include "replication/model/check.hpp"

namespace zabfs::test {
namespace {

using namespace daemon::zabctl::zookeeper;
using replication::Bytes;
using replication::ByteView;

void check(ByteView bytes) {
  ReplayedTree tree;
  try {
    read_snapshot(source_of_bytes(bytes), tree);
  } catch (const Damaged&) {
    // What was read of it until then must still be a sound tree.
  }
  tree.digest();
  tree.settle(7);
  const auto taken = tree.take({7});
  CHECK(taken.digest() == taken.recomputed_digest());
}

// Behind a right header, so that more of the input gets somewhere.
void check_behind_header(ByteView input) {
  Bytes bytes{'Z', 'K', 'S', 'N', 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  bytes.insert(bytes.end(), input.begin(), input.end());
  check(bytes);
}

}  // namespace
}  // namespace zabfs::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  zabfs::test::check({data, size});
  zabfs::test::check_behind_header({data, size});
  return 0;
}
