#include "replication/tree/data_tree.hpp"

#include <gtest/gtest.h>

#include "tests/replication/tree/samples.hpp"

namespace zabfs::replication::tree {
namespace {

using Names = std::vector<std::string>;

TEST(DataTree, BeginsAsZooKeepersDoes) {
  const DataTree tree;
  EXPECT_EQ(tree.node_count(), 4U);
  EXPECT_EQ(stat_at(tree, "/"), (Stat{.cversion = -1, .num_children = 1}));
  EXPECT_EQ(stat_at(tree, "/zookeeper"), (Stat{.cversion = -2, .num_children = 2}));
  EXPECT_EQ(children_at(tree, "/zookeeper"), (Names{"config", "quota"}));
  EXPECT_EQ(stat_at(tree, "/zookeeper/config"), (Stat{.aversion = -1}));
  EXPECT_EQ(tree.acl_of(node_at(tree, "/zookeeper/config")), read_only_acl());
  EXPECT_EQ(tree.acl_of(node_at(tree, "/zookeeper/quota")), open_acl());
  EXPECT_EQ(tree.data_bytes(), 44U);
  EXPECT_EQ(tree.digest(), tree.recomputed_digest());
}

TEST(DataTree, LooksPathsUpAsPlainStrings) {
  Applying apply;
  apply(create("/a", 1));
  apply(create("/a/b", 1));
  const DataTree& tree = apply.tree;
  EXPECT_EQ(tree.find(""), tree.find("/"));
  EXPECT_NE(tree.find("/a/b"), nullptr);
  for (const char* nothing : {"/a/", "//a", "a", "/a//b", "/b", "/a/b/c", "//", "/a/b/"}) {
    EXPECT_EQ(tree.find(nothing), nullptr) << nothing;
  }
}

TEST(DataTree, KnowsThePathOfEveryNode) {
  Applying apply;
  apply(create("/a", 1));
  apply(create("/a/long name", 1));
  for (const char* path : {"/", "/a", "/a/long name", "/zookeeper/quota"}) {
    EXPECT_EQ(apply.tree.path_of(node_at(apply.tree, path)), path);
  }
}

TEST(DataTree, ACreateChangesItsParentsChildrenOnly) {
  Applying apply;
  apply(create("/p", 1, "parent"));
  apply(create("/p/c", 5, "child"));
  const Stat child{
      .czxid = 2, .mzxid = 2, .ctime = 2000, .mtime = 2000, .data_length = 5, .pzxid = 2};
  EXPECT_EQ(stat_at(apply.tree, "/p/c"), child);
  EXPECT_EQ(apply.applied.stats, std::vector{child});
  EXPECT_EQ(stat_at(apply.tree, "/p"), (Stat{.czxid = 1,
                                             .mzxid = 1,
                                             .ctime = 1000,
                                             .mtime = 1000,
                                             .cversion = 9,
                                             .data_length = 6,
                                             .num_children = 1,
                                             .pzxid = 2}));
  EXPECT_EQ(texts_of(apply.applied.events), (Names{"created /p/c", "children_changed /p"}));
}

TEST(DataTree, ADeleteLeavesTheCounterOfCreates) {
  Applying apply;
  apply(create("/p", 1));
  apply(create("/p/c", 1));
  apply(DeleteNode{.path = "/p/c"});
  EXPECT_EQ(stat_at(apply.tree, "/p").cversion, 2);
  EXPECT_EQ(stat_at(apply.tree, "/p").pzxid, 3);
  EXPECT_EQ(node_at(apply.tree, "/p").creates, 1);
  EXPECT_EQ(apply.tree.find("/p/c"), nullptr);
  EXPECT_EQ(apply.applied.stats, std::vector{Stat{}});
  EXPECT_EQ(texts_of(apply.applied.events), (Names{"deleted /p/c", "children_changed /p"}));
}

TEST(DataTree, AnEventNamesTheAclThatItsZnodeHasOrHad) {
  Applying apply;
  const auto acls = [&apply] {
    std::vector<Acl> seen;
    for (const Event& event : apply.applied.events) {
      seen.push_back(apply.tree.acl_of(event));
    }
    return seen;
  };
  CreateNode child = create("/p/c", 1);
  child.acl = {{permission::read, {"world", "anyone"}}};
  apply(create("/p", 1));
  apply(child);
  EXPECT_EQ(acls(), (std::vector{child.acl, open_acl()}));
  apply(SetData{.path = "/p/c", .data = {}, .version = 1});
  EXPECT_EQ(acls(), std::vector<Acl>{child.acl});
  CreateNode other = child;
  other.acl = {{permission::write, {"world", "anyone"}}};
  apply(MultiChange{.changes = {DeleteNode{.path = "/p/c"}, other}});
  EXPECT_EQ(acls(), (std::vector{child.acl, open_acl(), other.acl, open_acl()}));
}

TEST(DataTree, SettingDataChangesTheNodeOnly) {
  Applying apply;
  apply(create("/a", 1, "old"));
  const Stat root = stat_at(apply.tree, "/");
  apply(SetData{.path = "/a", .data = data_of("newer"), .version = 8});
  EXPECT_EQ(stat_at(apply.tree, "/a"), (Stat{.czxid = 1,
                                             .mzxid = 2,
                                             .ctime = 1000,
                                             .mtime = 2000,
                                             .version = 8,
                                             .data_length = 5,
                                             .pzxid = 1}));
  EXPECT_EQ(stat_at(apply.tree, "/"), root);
  EXPECT_EQ(text_of(*apply.tree.data_of(node_at(apply.tree, "/a"))), "newer");
  EXPECT_EQ(texts_of(apply.applied.events), Names{"data_changed /a"});
  EXPECT_EQ(apply.tree.data_bytes(), 44U + 2U + 5U);
}

TEST(DataTree, KeepsNullDataApartFromEmptyData) {
  Applying apply;
  CreateNode null_data = create("/null", 1);
  null_data.data.reset();
  apply(null_data);
  apply(create("/empty", 2));
  EXPECT_FALSE(apply.tree.data_of(node_at(apply.tree, "/null")).has_value());
  EXPECT_TRUE(apply.tree.data_of(node_at(apply.tree, "/empty")).has_value());
  EXPECT_EQ(stat_at(apply.tree, "/null").data_length, 0);
  const auto digest = apply.tree.digest();
  apply(SetData{.path = "/null", .data = Bytes{}, .version = 0});
  EXPECT_TRUE(apply.tree.data_of(node_at(apply.tree, "/null")).has_value());
  EXPECT_NE(apply.tree.digest(), digest);
}

TEST(DataTree, TheVisibleCversionWraps) {
  Applying apply;
  apply(create("/p", 1));
  apply(create("/p/c", 2'147'483'647));
  EXPECT_EQ(stat_at(apply.tree, "/p").cversion, -3);
}

TEST(DataTree, ASessionTakesItsEphemeralZnodesWithIt) {
  Applying apply;
  apply(create("/d", 1));
  apply(create("/d/b", 1, "22", 7));
  apply(create("/a", 2, "1", 7));
  apply(create("/d/kept", 2, "", 8));
  EXPECT_EQ(apply.tree.ephemerals_of({7}), (Names{"/a", "/d/b"}));
  EXPECT_EQ(apply.tree.ephemeral_count(), 3U);
  apply(CloseSession{}, 7);
  EXPECT_EQ(texts_of(apply.applied.events),
            (Names{"deleted /a", "children_changed /", "deleted /d/b", "children_changed /d"}));
  EXPECT_TRUE(apply.applied.stats.empty());
  EXPECT_EQ(apply.tree.ephemerals_of({7}), Names{});
  EXPECT_EQ(apply.tree.ephemeral_count(), 1U);
  EXPECT_EQ(children_at(apply.tree, "/d"), Names{"kept"});
  EXPECT_EQ(stat_at(apply.tree, "/d").pzxid, 5);
  EXPECT_EQ(apply.tree.data_bytes(), 44U + 2U + 7U);
}

TEST(DataTree, ADeletedEphemeralZnodeIsNobodysAnyMore) {
  Applying apply;
  apply(create("/e", 1, "", 7));
  apply(DeleteNode{.path = "/e"});
  apply(create("/e", 2));
  apply(CloseSession{}, 7);
  EXPECT_NE(apply.tree.find("/e"), nullptr);
}

TEST(DataTree, AMultiIsAppliedInOrderUnderOneZxid) {
  Applying apply;
  apply(MultiChange{.changes = {create("/p", 1), create("/p/c", 1),
                                SetData{.path = "/p", .data = data_of("x"), .version = 1},
                                DeleteNode{.path = "/p/c"}}});
  EXPECT_EQ(stat_at(apply.tree, "/p"), (Stat{.czxid = 1,
                                             .mzxid = 1,
                                             .ctime = 1000,
                                             .mtime = 1000,
                                             .version = 1,
                                             .cversion = 2,
                                             .data_length = 1,
                                             .pzxid = 1}));
  ASSERT_EQ(apply.applied.stats.size(), 4U);
  EXPECT_EQ(apply.applied.stats[0].version, 0);
  EXPECT_EQ(apply.applied.stats[2].num_children, 1);
  EXPECT_EQ(texts_of(apply.applied.events),
            (Names{"created /p", "children_changed /", "created /p/c", "children_changed /p",
                   "data_changed /p", "deleted /p/c", "children_changed /p"}));
}

TEST(DataTree, SessionsComingAndGoingLeaveNoTrace) {
  Applying apply;
  const auto digest = apply.tree.digest();
  apply(OpenSession{.timeout_ms = 1}, 7);
  apply(CloseSession{}, 7);
  EXPECT_TRUE(apply.applied.events.empty());
  EXPECT_EQ(apply.tree.digest(), digest);
  EXPECT_EQ(apply.tree.last_applied(), Zxid{2});
}

TEST(DataTree, ListsOnlyAclsInUse) {
  Applying apply;
  CreateNode special = create("/s", 1);
  special.acl = {{permission::read, {"digest", "bob:x"}}};
  const std::size_t before = apply.tree.acls().size();
  apply(special);
  EXPECT_EQ(apply.tree.acl_of(node_at(apply.tree, "/s")), special.acl);
  EXPECT_EQ(apply.tree.acls().size(), before + 1);
  apply(DeleteNode{.path = "/s"});
  EXPECT_EQ(apply.tree.acls().size(), before);
}

using DataTreeDeathTest = testing::Test;

TEST(DataTreeDeathTest, EndsTheProcessWhenATransactionDoesNotFit) {
  Applying apply;
  apply(create("/a", 1));
  apply(create("/a/b", 1));
  EXPECT_DEATH(apply(create("/a", 2)), "/a exists");
  EXPECT_DEATH(apply(create("/x/y", 1)), "/x does not exist");
  EXPECT_DEATH(apply(DeleteNode{.path = "/a"}), "/a cannot be deleted");
  EXPECT_DEATH(apply(DeleteNode{.path = "/"}), "/ cannot be deleted");
  EXPECT_DEATH(apply(SetData{.path = "/x"}), "/x does not exist");
  EXPECT_DEATH(apply.tree.apply(transaction(2, CloseSession{}), apply.applied), "applied 0.2");
}

}  // namespace
}  // namespace zabfs::replication::tree
