#include "replication/tree/removal_index.hpp"

#include <gtest/gtest.h>

#include "tests/replication/tree/samples.hpp"

namespace zabfs::replication::tree {
namespace {

using Paths = std::vector<std::string>;

// Zxid n is at 1000 n milliseconds.
Paths removable(const DataTree& tree, std::int64_t now_ms, std::int64_t never_used_ms = 0) {
  return tree.removable({.now_ms = now_ms, .never_used_ms = never_used_ms}, 10);
}

TEST(RemovalIndex, AContainerGoesWhenItIsEmptyAgain) {
  Applying apply;
  apply(create("/c", 1, "", owner::container.value));
  EXPECT_EQ(removable(apply.tree, 1'000'000), Paths{}) << "it never had a child";
  apply(create("/c/a", 1));
  apply(create("/c/b", 2));
  apply(DeleteNode{.path = "/c/a"});
  EXPECT_EQ(removable(apply.tree, 1'000'000), Paths{}) << "it has one";
  apply(DeleteNode{.path = "/c/b"});
  EXPECT_EQ(removable(apply.tree, 0), Paths{"/c"});
  apply(create("/c/a", 3));
  EXPECT_EQ(removable(apply.tree, 1'000'000), Paths{}) << "it has one again";
  apply(DeleteNode{.path = "/c/a"});
  apply(DeleteNode{.path = "/c"});
  EXPECT_EQ(removable(apply.tree, 1'000'000), Paths{}) << "it is gone";
}

TEST(RemovalIndex, AContainerThatIsNeverUsedGoesIfThatIsWanted) {
  Applying apply;
  apply(create("/c", 1, "", owner::container.value));  // at 1000
  EXPECT_EQ(removable(apply.tree, 6'000, 5'000), Paths{});
  EXPECT_EQ(removable(apply.tree, 6'001, 5'000), Paths{"/c"});
  apply(SetData{.path = "/c", .data = data_of("x"), .version = 1});  // at 2000
  EXPECT_EQ(removable(apply.tree, 7'000, 5'000), Paths{});
  EXPECT_EQ(removable(apply.tree, 7'001, 5'000), Paths{"/c"});
  EXPECT_EQ(removable(apply.tree, 7'001, 0), Paths{});
}

TEST(RemovalIndex, ATimeToLiveBeginsAnewWithEveryChangeOfTheData) {
  Applying apply;
  apply(create("/t", 1, "", owner::with_ttl(3'000).value));  // at 1000
  EXPECT_EQ(removable(apply.tree, 4'000), Paths{});
  EXPECT_EQ(removable(apply.tree, 4'001), Paths{"/t"});
  apply(SetData{.path = "/t", .data = data_of("x"), .version = 1});  // at 2000
  EXPECT_EQ(removable(apply.tree, 5'000), Paths{});
  EXPECT_EQ(removable(apply.tree, 5'001), Paths{"/t"});
  apply(create("/t/a", 1));
  EXPECT_EQ(removable(apply.tree, 1'000'000), Paths{}) << "it has a child";
  apply(DeleteNode{.path = "/t/a"});
  EXPECT_EQ(removable(apply.tree, 5'001), Paths{"/t"}) << "a child does not renew it";
}

TEST(RemovalIndex, NothingElseEverGoes) {
  Applying apply;
  apply(create("/p", 1));
  apply(create("/e", 2, "", 1));
  apply(create("/p/a", 1));
  apply(DeleteNode{.path = "/p/a"});
  EXPECT_EQ(removable(apply.tree, 1'000'000'000, 1), Paths{});
  EXPECT_EQ(stat_at(apply.tree, "/e").ephemeral_owner, 1);
}

TEST(RemovalIndex, ClientsDoNotSeeOwnersThatAreNoSessions) {
  Applying apply;
  apply(create("/c", 1, "", owner::container.value));
  apply(create("/t", 2, "", owner::with_ttl(limits::ttl_ms_max).value));
  for (const auto* path : {"/c", "/t"}) {
    EXPECT_EQ(stat_at(apply.tree, path).ephemeral_owner, 0) << path;
    EXPECT_FALSE(node_at(apply.tree, path).is_ephemeral()) << path;
  }
  EXPECT_EQ(apply.tree.ephemeral_count(), 0U);
}

}  // namespace
}  // namespace zabfs::replication::tree
