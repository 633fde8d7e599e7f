// Any bytes as a log of Apache ZooKeeper, and as one transaction of it, replayed on a tree.
#include <zlib.h>

#include "daemon/zabctl/zookeeper/checked_stream.hpp"
#include "daemon/zabctl/zookeeper/log_file.hpp"
#include "daemon/zabctl/zookeeper/replayed_tree.hpp"
#include "daemon/zabctl/zookeeper/transaction.hpp"
#include "replication/model/check.hpp"

namespace zabfs::test {
namespace {

using namespace daemon::zabctl::zookeeper;
using replication::Bytes;
using replication::ByteView;

void replay(ByteView log) {
  ReplayedTree tree;
  try {
    read_log(source_of_bytes(log), [&](ByteView record) {
      tree.apply(decode_transaction(record));
      return true;
    });
  } catch (const Damaged&) {
    // The rest is dropped; what came before it stays.
  }
  tree.settle(7);
  const auto taken = tree.take({7});
  CHECK(taken.digest() == taken.recomputed_digest());
}

void append(Bytes& bytes, std::uint64_t value, std::size_t size) {
  for (std::size_t left = size; left-- > 0;) {
    bytes.push_back(static_cast<std::uint8_t>(value >> 8 * left));
  }
}

// The input as the records of a log, each of as many bytes as the one before it says, with right
// checksums.
Bytes log_of(ByteView input) {
  Bytes log{'Z', 'K', 'L', 'G', 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0};
  while (!input.empty()) {
    const std::size_t size = std::min<std::size_t>(input.front(), input.size() - 1);
    const ByteView record = input.subspan(1, size);
    if (size > 0) {
      append(log, ::adler32_z(::adler32(0, nullptr, 0), record.data(), record.size()), 8);
      append(log, size, 4);
      log.insert(log.end(), record.begin(), record.end());
      log.push_back('B');
    }
    input = input.subspan(1 + size);
  }
  return log;
}

}  // namespace
}  // namespace zabfs::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  zabfs::test::replay({data, size});
  zabfs::test::replay(zabfs::test::log_of({data, size}));
  return 0;
}
