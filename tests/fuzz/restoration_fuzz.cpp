// Any bytes as the body of a restore, and any bytes in a file whose checksums are right: what is
// read is a sound state.
#include <string>
#include <utility>
#include <variant>

#include "replication/model/check.hpp"
#include "replication/model/path.hpp"
#include "replication/restoration.hpp"
#include "replication/store/snapshot_format.hpp"
#include "replication/tree/restored_pieces.hpp"

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

// The input is one slice, or several, as pieces of the log hold them.
void check_piece(ByteView bytes) {
  tree::DataTree tree;
  tree::Applied applied;
  const auto add = [&](const std::string& path, const Data& data) {
    const tree::Node* parent = tree.find(parent_of(path));
    tree.apply({.header = {.zxid = Zxid{tree.last_applied().value + 1}},
                .body = tree::CreateNode{.path = path,
                                         .data = data,
                                         .acl = tree::sealed_acl(),
                                         .parent_creates = parent->creates + 1}},
               applied);
  };
  add(std::string(tree::Restore::path), Bytes{});
  add(tree::piece_path("x", 0), Bytes(bytes.begin(), bytes.end()));
  const auto read = tree::put_together(tree, {.name = "x", .pieces = 1});
  if (const auto* state = std::get_if<tree::LoadedSnapshot>(&read)) {
    CHECK(state->tree.digest() == state->tree.recomputed_digest());
  }
}

}  // namespace
}  // namespace zabfs::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  zabfs::test::check_file({data, size});
  zabfs::test::check_slice({data, size});
  zabfs::test::check_piece({data, size});
  return 0;
}
