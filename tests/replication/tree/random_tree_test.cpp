// The real tree and a plain map of paths take the same random transactions and must not differ, not
// while a snapshot is being written either, nor may the snapshot from the tree at its beginning.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "replication/tree/snapshot_reader.hpp"
#include "replication/tree/snapshot_writer.hpp"
#include "tests/replication/tree/tree_model.hpp"

namespace zabfs::replication::tree {
namespace {

class Pair {
 public:
  explicit Pair(std::uint64_t seed) : random(seed) {}

  void step() {
    const auto session = static_cast<std::int64_t>(random.below(TreeModel::session_count) + 1);
    const Transaction next =
        transaction(tree.last_applied().value + 1, model.any_transaction(random), session);
    tree.apply(next, applied);
    ASSERT_EQ(texts_of(applied.events), model.apply(next));
    history.push_back(next);
  }

  void expect_equal() const {
    ASSERT_EQ(everything_in(tree), model.everything());
    EXPECT_EQ(tree.node_count(), model.everything().size());
    EXPECT_EQ(tree.digest(), tree.recomputed_digest());
    std::uint64_t bytes = 0;
    std::size_t ephemerals = 0;
    for (const auto& [path, node] : model.everything()) {
      bytes += path.size() + node.data.value_or(Bytes{}).size();
      ephemerals += node.stat.ephemeral_owner != 0 ? 1 : 0;
      ASSERT_NE(tree.find(path), nullptr) << path;
      EXPECT_EQ(tree.path_of(*tree.find(path)), path);
      expect_descendants(path);
    }
    expect_removable();
    EXPECT_EQ(tree.data_bytes(), bytes);
    EXPECT_EQ(tree.ephemeral_count(), ephemerals);
  }

  void expect_descendants(const std::string& path) const {
    const std::string below = path == "/" ? path : path + '/';
    const auto count = std::ranges::count_if(model.everything(), [&](const auto& entry) {
      return entry.first != path && entry.first.starts_with(below);
    });
    EXPECT_EQ(tree.find(path)->descendants, static_cast<std::uint32_t>(count)) << path;
  }

  // The index of what may go is what a look at every znode finds.
  void expect_removable() const {
    const auto now = static_cast<std::int64_t>(1000 * tree.last_applied().value);
    for (const std::int64_t never_used : {0, 20'000}) {
      const RemovalTerms terms{.now_ms = now, .never_used_ms = never_used};
      std::vector<std::string> expected;
      tree.nodes().walk([&](std::string_view path, Slot slot) {
        if (is_removal_due(tree.nodes()[slot], terms)) {
          expected.emplace_back(path);
        }
      });
      std::vector<std::string> found = tree.removable(terms, tree.node_count());
      std::ranges::sort(found);
      std::ranges::sort(expected);
      EXPECT_EQ(found, expected);
      EXPECT_LE(tree.removable(terms, 2).size(), 2U);
    }
  }

  Random random;
  DataTree tree{};
  TreeModel model{};
  Applied applied{};
  std::vector<Transaction> history{};
};

TEST(RandomTree, IsAlwaysWhatTheModelIs) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Pair pair{seed};
    for (int i = 0; i < 400; ++i) {
      ASSERT_NO_FATAL_FAILURE(pair.step());
      if (i % 20 == 0) {
        ASSERT_NO_FATAL_FAILURE(pair.expect_equal());
      }
    }
  }
}

TEST(RandomTree, ASnapshotIsTheTreeAtItsBeginning) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    Pair pair{seed};
    for (auto steps = pair.random.below(300); steps > 0; --steps) {
      ASSERT_NO_FATAL_FAILURE(pair.step());
    }
    const TreeModel beginning = pair.model;
    const std::size_t begun_after = pair.history.size();
    SnapshotReader reader;
    {
      SnapshotWriter writer{pair.tree,
                            Bytes{1, 2, 3},
                            {.nodes = pair.random.below(8) + 1,
                             .bytes = 500,
                             .bytes_max = 20 + pair.random.below(600)}};
      for (bool more = true; more;) {
        for (auto steps = pair.random.below(6); steps > 0; --steps) {
          ASSERT_NO_FATAL_FAILURE(pair.step());
        }
        Bytes slice;
        more = writer.next_slice(slice);
        ASSERT_EQ(reader.append(slice), std::nullopt);
      }
    }
    auto finished = std::move(reader).finish();
    ASSERT_TRUE(std::holds_alternative<LoadedSnapshot>(finished))
        << std::get<std::string>(finished);
    auto& loaded = std::get<LoadedSnapshot>(finished);
    EXPECT_EQ(everything_in(loaded.tree), beginning.everything());
    EXPECT_EQ(loaded.tree.last_applied(), Zxid{begun_after});
    EXPECT_EQ(loaded.sessions, (Bytes{1, 2, 3}));

    for (std::size_t i = begun_after; i < pair.history.size(); ++i) {
      loaded.tree.apply(pair.history[i], pair.applied);
    }
    EXPECT_EQ(loaded.tree.digest(), pair.tree.digest());
    EXPECT_EQ(everything_in(loaded.tree), pair.model.everything());
    EXPECT_EQ(loaded.tree.ephemerals_of({1}), pair.tree.ephemerals_of({1}));
    EXPECT_EQ(loaded.tree.acls().size(), pair.tree.acls().size());
    ASSERT_NO_FATAL_FAILURE(pair.expect_equal());
  }
}

}  // namespace
}  // namespace zabfs::replication::tree
