#include "replication/tree/tree_digest.hpp"

#include <gtest/gtest.h>

#include <set>
#include <tuple>
#include <utility>

#include "tests/replication/tree/samples.hpp"

namespace zabfs::replication::tree {
namespace {

constexpr std::size_t stat_fields =
    std::tuple_size_v<decltype(Stat::fields(std::declval<Stat&>()))>;

// All zero but one field.
Stat with_one_in(std::size_t wanted) {
  Stat stat{};
  std::size_t at = 0;
  std::apply([&](auto&... field) { ((field = at++ == wanted ? 1 : 0), ...); }, Stat::fields(stat));
  return stat;
}

TEST(TreeDigest, DependsOnEveryFieldOfTheStat) {
  std::set<std::uint64_t> digests{
      digest_of_stat(1, Stat{}, 0, 0),
      digest_of_stat(2, Stat{}, 0, 0),
      digest_of_stat(1, Stat{}, 1, 0),
      digest_of_stat(1, Stat{}, 0, 1),
  };
  for (std::size_t field = 0; field < stat_fields; ++field) {
    digests.insert(digest_of_stat(1, with_one_in(field), 0, 0));
  }
  EXPECT_EQ(digests.size(), 4 + stat_fields);
}

TEST(TreeDigest, DependsOnTheDataAndOnWhetherThereIsAny) {
  const std::set<std::uint64_t> digests{
      digest_of_data(1, std::nullopt),  digest_of_data(1, bytes_of("")),
      digest_of_data(1, bytes_of("a")), digest_of_data(1, bytes_of("b")),
      digest_of_data(2, bytes_of("a")),
  };
  EXPECT_EQ(digests.size(), 5U);
}

TEST(TreeDigest, EqualTreesShareItWhateverTheirSlots) {
  Applying one;
  one(create("/x", 1));
  one(DeleteNode{.path = "/x"});
  one(MultiChange{.changes = {create("/b", 2), create("/a", 3)}});
  Applying other;
  other(CloseSession{});
  other(create("/x", 1));
  const auto with_x = other.tree.digest();
  other(MultiChange{.changes = {DeleteNode{.path = "/x"}, create("/a", 2), create("/b", 3)}});
  EXPECT_EQ(one.tree.digest(), other.tree.digest());
  EXPECT_NE(one.tree.digest(), with_x);
}

}  // namespace
}  // namespace zabfs::replication::tree
