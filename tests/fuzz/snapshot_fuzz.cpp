// Any bytes as a snapshot: what loads is a sound tree, and its own snapshot loads to the same.
#include <algorithm>
#include <utility>
#include <variant>

#include "replication/jute/jute_archive.hpp"
#include "replication/model/check.hpp"
#include "replication/tree/snapshot_reader.hpp"
#include "replication/tree/snapshot_writer.hpp"

namespace zabfs::test {
namespace {

using namespace replication;
using namespace replication::tree;

std::optional<DataTree> load(ByteView slices) {
  SnapshotReader reader;
  if (reader.append(slices)) {
    return std::nullopt;
  }
  auto finished = std::move(reader).finish();
  if (auto* loaded = std::get_if<LoadedSnapshot>(&finished)) {
    return std::move(loaded->tree);
  }
  return std::nullopt;
}

void check_snapshot(ByteView slices) {
  auto tree = load(slices);
  if (!tree) {
    return;
  }
  CHECK(tree->digest() == tree->recomputed_digest());
  Bytes written;
  SnapshotWriter writer{*tree, {}, {.bytes_max = 100}};
  while (writer.next_slice(written)) {
  }
  const auto again = load(written);
  CHECK(again.has_value() && again->digest() == tree->digest());
}

// The input as a slice that comes in parts of up to 256 bytes.
void check_parts(ByteView input) {
  if (input.size() < 2) {
    return;
  }
  const std::size_t part_bytes = input.front() + 1;
  Bytes slices;
  jute::JuteWriter to{slices};
  for (ByteView rest = input.subspan(1); !rest.empty();) {
    const ByteView part = rest.first(std::min(part_bytes, rest.size()));
    rest = rest.subspan(part.size());
    to.integer(static_cast<std::uint8_t>(RecordKind::part));
    to(rest.empty());
    to.counted(part.data(), part.size());
  }
  check_snapshot(slices);
}

// The input as the nodes of a tree of up to 255 znodes, so that more of it gets past the header.
void check_nodes(ByteView input) {
  if (input.empty()) {
    return;
  }
  Bytes slices;
  jute::JuteWriter to{slices};
  to.integer(static_cast<std::uint8_t>(RecordKind::header));
  to(snapshot_format, SnapshotHeader{.node_count = input.front(), .acls = {open_acl()}});
  to.bytes(input.data() + 1, input.size() - 1);
  to.integer(static_cast<std::uint8_t>(RecordKind::end));
  check_snapshot(slices);
}

}  // namespace
}  // namespace zabfs::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  zabfs::test::check_snapshot({data, size});
  zabfs::test::check_parts({data, size});
  zabfs::test::check_nodes({data, size});
  return 0;
}
