#include "replication/tree/quota.hpp"

#include <gtest/gtest.h>

#include "replication/tree/snapshot_reader.hpp"
#include "replication/tree/snapshot_writer.hpp"
#include "tests/replication/tree/samples.hpp"

namespace zabfs::replication::tree {
namespace {

TEST(QuotaText, IsZooKeepers) {
  EXPECT_EQ(parse_quota("count=4,bytes=-1"), (QuotaNumbers{.count = 4}));
  EXPECT_EQ(parse_quota("count=4,bytes=7=;byteHardLimit=20;countHardLimit=5"),
            (QuotaNumbers{.count = 4, .bytes = 7, .hard_count = 5, .hard_bytes = 20}));
  EXPECT_EQ(parse_quota("=;byteHardLimit=3"), (QuotaNumbers{.hard_bytes = 3}));
  EXPECT_EQ(parse_quota(""), QuotaNumbers{});
  EXPECT_EQ(usage_text(3, 17), "count=3,bytes=17");
}

TEST(QuotaText, IsNotAnythingElse) {
  for (const auto* text : {"count", "count=", "count=x", "count=1x", "bytes=1,,count=1",
                           "size=1", "count=9223372036854775808", "count=9223372036854775807"}) {
    EXPECT_EQ(parse_quota(text), std::nullopt) << text;
  }
}

TEST(QuotaPaths, AreThoseBelowTheRootOfQuotas) {
  const auto path_of = [](std::string_view path) { return quota_path_of(path, quota_limits_name); };
  EXPECT_EQ(path_of("/zookeeper/quota/a/b/zookeeper_limits"), "/a/b");
  for (const auto* other :
       {"/zookeeper/quota/zookeeper_limits", "/zookeeper/quota/a/zookeeper_stats",
        "/zookeeper/quotas/a/zookeeper_limits", "/a/zookeeper_limits", "/zookeeper/quota",
        "/zookeeper/quota/zookeeper/zookeeper_limits",
        "/zookeeper/quota/zookeeper/config/zookeeper_limits", "/", ""}) {
    EXPECT_EQ(path_of(other), "") << other;
  }
  EXPECT_EQ(path_of("/zookeeper/quota/zookeepers/zookeeper_limits"), "/zookeepers");
}

TEST(QuotaPaths, TheNearestCounts) {
  QuotaPaths paths;
  paths.add("/a");
  paths.add("/a/b/c");
  EXPECT_EQ(*paths.nearest("/a"), "/a");
  EXPECT_EQ(*paths.nearest("/a/b"), "/a");
  EXPECT_EQ(*paths.nearest("/a/b/c/d/e"), "/a/b/c");
  EXPECT_EQ(paths.nearest("/ab"), nullptr);
  EXPECT_EQ(paths.nearest("/"), nullptr);
  EXPECT_EQ(paths.nearest(""), nullptr);
  EXPECT_EQ(paths.nearest("a/b"), nullptr);
  paths.remove("/a");
  EXPECT_EQ(paths.nearest("/a/b"), nullptr);
}

class QuotaTest : public testing::Test {
 protected:
  void SetUp() override {
    apply_(create("/q", 1, "12345"));
    apply_(create("/q/a", 1, "123"));
    apply_(create("/zookeeper/quota/q", 1));
    apply_(create("/zookeeper/quota/q/zookeeper_limits", 1, limits_));
    apply_(create("/zookeeper/quota/q/zookeeper_stats", 2, "count=0,bytes=0"));
  }

  std::string usage(std::string_view path = "/q") const {
    const Node& node =
        node_at(apply_.tree, "/zookeeper/quota" + std::string(path) + "/zookeeper_stats");
    return std::string(text_of(*apply_.tree.data_of(node)));
  }

  void TearDown() override { EXPECT_EQ(apply_.tree.digest(), apply_.tree.recomputed_digest()); }

  const std::string limits_ = "count=3,bytes=20";
  Applying apply_;
};

TEST_F(QuotaTest, TheUsageIsCountedWhenItIsAskedForAndKeptFromThenOn) {
  EXPECT_EQ(usage(), "count=2,bytes=8");
  apply_(create("/q/b", 2, "x"));
  EXPECT_EQ(usage(), "count=3,bytes=9");
  apply_(create("/q2", 2, "x"));
  EXPECT_EQ(usage(), "count=3,bytes=9") << "not below it";
  apply_(SetData{.path = "/q/b", .data = data_of("xyz"), .version = 1});
  EXPECT_EQ(usage(), "count=3,bytes=11");
  apply_(SetData{.path = "/q", .data = {}, .version = 1});
  EXPECT_EQ(usage(), "count=3,bytes=6");
  apply_(DeleteNode{.path = "/q/b"});
  EXPECT_EQ(usage(), "count=2,bytes=3");
}

TEST_F(QuotaTest, TheStatOfTheUsageStaysButForItsLength) {
  const Stat before = stat_at(apply_.tree, "/zookeeper/quota/q/zookeeper_stats");
  apply_(create("/q/b", 2, "0123456789"));
  Stat after = stat_at(apply_.tree, "/zookeeper/quota/q/zookeeper_stats");
  EXPECT_EQ(after.data_length, before.data_length + 1);
  after.data_length = before.data_length;
  EXPECT_EQ(after, before);
  EXPECT_EQ(texts_of(apply_.applied.events),
            (std::vector<std::string>{"created /q/b", "children_changed /q"}));
}

TEST_F(QuotaTest, EphemeralsThatGoWithTheirSessionAreCounted) {
  apply_(create("/q/e", 2, "1", 9));
  EXPECT_EQ(usage(), "count=3,bytes=9");
  apply_(CloseSession{}, 9);
  EXPECT_EQ(usage(), "count=2,bytes=8");
}

TEST_F(QuotaTest, AZnodeCountsForTheNearestQuotaAlone) {
  apply_(create("/zookeeper/quota/q/a", 3));
  apply_(create("/zookeeper/quota/q/a/zookeeper_limits", 1, "count=9,bytes=-1"));
  apply_(create("/zookeeper/quota/q/a/zookeeper_stats", 2));
  EXPECT_EQ(usage("/q/a"), "count=1,bytes=3");
  apply_(create("/q/a/x", 1, "1"));
  EXPECT_EQ(usage("/q/a"), "count=2,bytes=4");
  EXPECT_EQ(usage(), "count=2,bytes=8");
}

TEST_F(QuotaTest, WithoutLimitsThereIsNoQuota) {
  apply_(DeleteNode{.path = "/zookeeper/quota/q/zookeeper_limits"});
  EXPECT_TRUE(apply_.tree.quotas().empty());
  apply_(create("/q/b", 2));
  EXPECT_EQ(usage(), "count=2,bytes=8");
}

TEST_F(QuotaTest, AUsageThatNobodyCanReadIsLeftAlone) {
  apply_(SetData{
      .path = "/zookeeper/quota/q/zookeeper_stats", .data = data_of("rubbish"), .version = 1});
  apply_(create("/q/b", 2));
  EXPECT_EQ(usage(), "rubbish");
  apply_(SetData{.path = "/zookeeper/quota/q/zookeeper_stats", .data = {}, .version = 2});
  apply_(DeleteNode{.path = "/q/b"});
  apply_(DeleteNode{.path = "/zookeeper/quota/q/zookeeper_stats"});
  apply_(create("/q/b", 3));
  apply_(create("/zookeeper/quota/q/zookeeper_stats", 3));
  EXPECT_EQ(usage(), "count=3,bytes=8");
}

TEST_F(QuotaTest, PassingTheLimitIsSaidOnTheWayUp) {
  apply_(create("/q/b", 2));
  EXPECT_EQ(apply_.applied.passed_quota, "");
  apply_(create("/q/c", 3));
  EXPECT_EQ(apply_.applied.passed_quota, "/q");
  apply_(SetData{.path = "/q/c", .data = data_of("0123456789abc"), .version = 1});
  EXPECT_EQ(apply_.applied.passed_quota, "/q");
  apply_(DeleteNode{.path = "/q/b"});
  EXPECT_EQ(apply_.applied.passed_quota, "");
}

TEST_F(QuotaTest, ComesBackFromASnapshot) {
  SnapshotReader reader;
  {
    SnapshotWriter writer{apply_.tree, Bytes{}};
    for (bool more = true; more;) {
      apply_(create("/q/" + std::to_string(apply_.tree.last_applied().value), 2));
      Bytes slice;
      more = writer.next_slice(slice);
      ASSERT_EQ(reader.append(slice), std::nullopt);
    }
  }
  auto finished = std::move(reader).finish();
  ASSERT_TRUE(std::holds_alternative<LoadedSnapshot>(finished)) << std::get<std::string>(finished);
  const DataTree& tree = std::get<LoadedSnapshot>(finished).tree;
  EXPECT_FALSE(tree.quotas().empty());
  EXPECT_EQ(tree.quota_limits("/q"), (QuotaNumbers{.count = 3, .bytes = 20}));
  EXPECT_EQ(tree.quota_usage("/q"), (QuotaNumbers{.count = 2, .bytes = 8}));
}

}  // namespace
}  // namespace zabfs::replication::tree
