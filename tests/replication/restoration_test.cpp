// A snapshot in place of the state: whatever the bytes of the file, whatever becomes of the pieces.
#include "replication/restoration.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "replication/apply.hpp"
#include "replication/store/snapshot_format.hpp"
#include "replication/tree/restored_pieces.hpp"
#include "replication/tree/snapshot_writer.hpp"
#include "tests/support/hostile_bytes.hpp"

namespace zabfs::replication {
namespace {

tree::Transaction creation(Zxid zxid, const std::string& path) {
  return {.header = {.zxid = zxid, .session = {7}, .time_ms = 1},
          .body = tree::CreateNode{
              .path = path, .data = Bytes(3, 'x'), .acl = open_acl(), .parent_creates = 1}};
}

// A state of `znodes` znodes of one session, with an ensemble's configuration in it.
RestorableState state_of(Epoch epoch, std::uint32_t znodes) {
  RestorableState state;
  tree::Applied applied;
  Zxid zxid = Zxid::at(epoch, 0);
  const auto apply = [&](tree::Transaction transaction) {
    ++zxid.value;
    transaction.header.zxid = zxid;
    state.tree.apply(transaction, applied);
  };
  for (std::uint32_t i = 1; i <= znodes; ++i) {
    auto next = creation({}, "/n" + std::to_string(i));
    std::get<tree::CreateNode>(next.body).parent_creates = static_cast<std::int32_t>(i);
    apply(next);
  }
  apply({.body = tree::SetData{"/zookeeper/config", Bytes(4, 'c'), 0}});
  state.sessions.open({7}, {.timeout_ms = 4000, .password = {}});
  return state;
}

Bytes file_of(RestorableState& state) {
  const Zxid zxid = state.tree.last_applied();
  store::SnapshotEncoder encoder;
  Bytes file = encoder.header({.generation = {3}, .taken_at = zxid});
  const auto add = [&file](const Bytes& part) {
    file.insert(file.end(), part.begin(), part.end());
  };
  tree::SnapshotWriter writer(state.tree, state.sessions.to_bytes(),
                              {.nodes = 4, .bytes = 1000, .bytes_max = 80});
  for (bool has_more = true; has_more;) {
    Bytes slice;
    has_more = writer.next_slice(slice);
    add(encoder.slice(slice));
  }
  add(encoder.trailer(zxid));
  return file;
}

TEST(Restoration, ReadsWhatASnapshotHolds) {
  auto state = state_of({2}, 9);
  const Bytes file = file_of(state);
  const auto read = read_state(file);
  ASSERT_TRUE(std::holds_alternative<RestorableState>(read)) << std::get<std::string>(read);
  const auto& again = std::get<RestorableState>(read);
  EXPECT_EQ(again.tree.digest(), state.tree.digest());
  EXPECT_EQ(again.tree.last_applied(), state.tree.last_applied());
  EXPECT_EQ(again.sessions, state.sessions);
}

TEST(Restoration, RefusesWhateverIsNoWholeSnapshot) {
  auto state = state_of({2}, 3);
  const Bytes file = file_of(state);
  for (const auto& broken : {test::truncations_of(file), test::lies_about_counts_of(file),
                             test::mutations_of(file, 1, 2'000), test::random_runs(2, 200, 300)}) {
    for (const Bytes& bytes : broken) {
      if (bytes != file) {
        EXPECT_TRUE(std::holds_alternative<std::string>(read_state(bytes)));
      }
    }
  }
  auto late = state_of({0x7fff'ffff}, 1);
  EXPECT_TRUE(std::holds_alternative<std::string>(read_state(file_of(late))));
}

std::vector<Bytes> pieces_of(RestorableState& state, std::size_t piece_bytes,
                             tree::SliceBounds bounds = {}) {
  std::vector<Bytes> pieces;
  tree::PieceWriter writer(state.tree, state.sessions.to_bytes(), piece_bytes, bounds);
  while (auto piece = writer.next()) {
    pieces.push_back(std::move(*piece));
  }
  return pieces;
}

// A replica's state that holds those pieces, and a configuration of its own.
struct Receiver {
  explicit Receiver(const std::vector<Bytes>& pieces) {
    change(tree::SetEnsemble{.text = "mine"});
    add(std::string(tree::Restore::path), {});
    for (const Bytes& piece : pieces) {
      add(tree::piece_path("it", count++), piece);
    }
  }

  void add(const std::string& path, const Bytes& data) {
    const auto parent = path.substr(0, path.rfind('/'));
    change(tree::CreateNode{.path = path,
                            .data = data,
                            .acl = tree::sealed_acl(),
                            .parent_creates = state.tree.find(parent)->creates + 1});
  }

  void change(tree::TransactionBody body) {
    ++zxid.value;
    apply({.header = {.zxid = zxid, .time_ms = 5}, .body = std::move(body)}, state.tree,
          state.sessions, applied);
  }

  RestorableState state;
  Zxid zxid = Zxid::at({9}, 0);
  std::int32_t count{};
  tree::Applied applied;
};

TEST(Restoration, PiecesOfAnySizeMakeTheState) {
  for (const std::size_t piece_bytes : {1UL, 7UL, 300UL, 1UL << 20}) {
    auto state = state_of({2}, 9);
    const auto pieces = pieces_of(state, piece_bytes, {.bytes = 200, .bytes_max = 90});
    EXPECT_EQ(pieces.size() == 1, piece_bytes > 300);
    Receiver receiver(pieces);
    receiver.state.sessions.open({8}, {.timeout_ms = 4000, .password = {}});
    receiver.change(tree::Restore{.name = "it", .pieces = receiver.count});
    const auto& tree = receiver.state.tree;
    EXPECT_EQ(receiver.applied.restored->taken_at, state.tree.last_applied());
    EXPECT_EQ(tree.last_applied(), receiver.zxid);
    EXPECT_EQ(receiver.state.sessions, state.sessions);
    EXPECT_EQ(tree.stat_of(*tree.find("/n9")), state.tree.stat_of(*state.tree.find("/n9")));
    EXPECT_EQ(tree.node_count(), state.tree.node_count() + 1) << "the mark, and no pieces";
    EXPECT_EQ(tree::last_restored(tree), "it");
    EXPECT_EQ(tree.find(tree::Restore::path)->mzxid, receiver.zxid);
    EXPECT_EQ(tree.digest(), tree.recomputed_digest());
    const tree::Node* config = tree.find(tree::SetEnsemble::path);
    EXPECT_EQ(text_of(*tree.data_of(*config)), "mine");
    EXPECT_EQ(config->version, tree::SetEnsemble::znode_version);
    EXPECT_EQ(config->mzxid, Zxid::at({9}, 1));
    EXPECT_EQ(tree.acl_of(*config), read_only_acl());
  }
}

TEST(Restoration, TheMarkOfAnEarlierOneIsWrittenAgain) {
  auto first = state_of({2}, 3);
  Receiver receiver(pieces_of(first, 200));
  receiver.change(tree::Restore{.name = "it", .pieces = receiver.count});
  Receiver other(pieces_of(receiver.state, 200));
  other.change(tree::Restore{.name = "it", .pieces = other.count});
  const auto& tree = other.state.tree;
  EXPECT_EQ(tree.stat_of(*tree.find(tree::Restore::path)).version, 1);
  EXPECT_EQ(tree.digest(), tree.recomputed_digest());
}

TEST(Restoration, PiecesThatAreNotWholeAreFoundBefore) {
  auto state = state_of({2}, 3);
  const auto pieces = pieces_of(state, 100);
  const auto refused = [](const std::vector<Bytes>& some, std::int32_t count) {
    const Receiver receiver(some);
    return std::holds_alternative<std::string>(
        tree::put_together(receiver.state.tree, {.name = "it", .pieces = count}));
  };
  const auto count = static_cast<std::int32_t>(pieces.size());
  EXPECT_FALSE(refused(pieces, count));
  EXPECT_TRUE(refused(pieces, count - 1));
  EXPECT_TRUE(refused(pieces, count + 1));
  EXPECT_TRUE(refused({}, 0));
  auto swapped = pieces;
  std::swap(swapped[1], swapped[2]);
  EXPECT_TRUE(refused(swapped, count));
  const auto whole = pieces_of(state, 1 << 20).front();
  for (const auto& broken : {test::truncations_of(whole), test::lies_about_counts_of(whole),
                             test::mutations_of(whole, 1, 500), test::random_runs(2, 200, 100)}) {
    for (const Bytes& bytes : broken) {
      refused({bytes}, 1);  // Whatever comes of it, a sentence or a state; passwords may differ.
    }
  }
  for (const Bytes& bytes : test::truncations_of(whole)) {
    EXPECT_TRUE(bytes == whole || refused({bytes}, 1));
  }
}

// The snapshot that is being written is of the tree before, whole.
TEST(Restoration, ASnapshotThatIsBeingWrittenStaysOfItsMoment) {
  auto state = state_of({2}, 9);
  Receiver receiver(pieces_of(state, 200));
  const auto digest = receiver.state.tree.digest();
  tree::SnapshotWriter writer(receiver.state.tree, {}, {.nodes = 2, .bytes = 1000});
  tree::SnapshotReader reader;
  bool has_more = true;
  for (int slices = 0; has_more; ++slices) {
    if (slices == 3) {
      receiver.change(tree::Restore{.name = "it", .pieces = receiver.count});
      receiver.add("/after", {});
    }
    Bytes slice;
    has_more = writer.next_slice(slice);
    EXPECT_EQ(reader.append(slice), std::nullopt);
  }
  auto loaded = std::move(reader).finish();
  ASSERT_TRUE(std::holds_alternative<tree::LoadedSnapshot>(loaded))
      << std::get<std::string>(loaded);
  EXPECT_EQ(std::get<tree::LoadedSnapshot>(loaded).tree.digest(), digest);
  EXPECT_NE(receiver.state.tree.find("/n9"), nullptr);
}

}  // namespace
}  // namespace zabfs::replication
