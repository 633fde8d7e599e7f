#include "replication/model/metric.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <set>

#include "replication/model/metrics.hpp"

namespace zabfs::replication {
namespace {

TEST(Metric, ADistributionKnowsItsEndsAndItsSum) {
  MetricList list;
  Distribution distribution(list, "d", "a test");
  EXPECT_EQ(distribution.min(), 0U);
  EXPECT_EQ(distribution.average(), 0);
  for (const int value : {7, 3, 1'000'000, -5}) {
    distribution.add(value);
  }
  EXPECT_EQ(distribution.count(), 4U);
  EXPECT_EQ(distribution.sum(), 1'000'010U);
  EXPECT_EQ(distribution.min(), 0U) << "a clock that is ahead makes no negative time";
  EXPECT_EQ(distribution.max(), 1'000'000U);
}

TEST(Metric, PercentilesAreAnEighthTooLargeAtTheMost) {
  MetricList list;
  for (const std::uint64_t value : {0ULL, 1ULL, 15ULL, 16ULL, 17ULL, 1'000ULL, 123'456'789ULL}) {
    Distribution distribution(list, "d", "a test");
    distribution.add(static_cast<std::int64_t>(value));
    distribution.add(std::numeric_limits<std::int64_t>::max());
    EXPECT_GE(distribution.percentile(0.5), value);
    EXPECT_LE(distribution.percentile(0.5), value + value / 8);
  }
  Distribution distribution(list, "d", "a test");
  EXPECT_EQ(distribution.percentile(0.5), 0U);
  for (int value = 1; value <= 1'000; ++value) {
    distribution.add(value);
  }
  EXPECT_NEAR(static_cast<double>(distribution.percentile(0.5)), 500, 63);
  EXPECT_NEAR(static_cast<double>(distribution.percentile(0.99)), 990, 124);
  EXPECT_EQ(distribution.percentile(1), 1'000U);
}

TEST(Metric, PercentilesForgetWhatIsTwoMinutesOld) {
  MetricList list;
  Distribution distribution(list, "d", "a test");
  distribution.add(5'000);
  list.begin_minute();
  distribution.add(1);
  EXPECT_EQ(distribution.percentile(1), 5'000U);
  list.begin_minute();
  EXPECT_EQ(distribution.percentile(1), 1U);
  list.begin_minute();
  EXPECT_EQ(distribution.percentile(1), 0U);
  EXPECT_EQ(distribution.count(), 2U) << "all since the start";
}

TEST(Metric, AnExtentBeginsWithNothing) {
  MetricList list;
  Extent extent(list, "e", "a test");
  EXPECT_EQ(extent.last(), -1);
  extent.add(4);
  extent.add(9);
  extent.add(6);
  EXPECT_EQ(extent.last(), 6);
  EXPECT_EQ(extent.min(), 4);
  EXPECT_EQ(extent.max(), 9);
}

TEST(Metric, EachHasANameOfItsOwnAndAMeaning) {
  Metrics metrics;
  std::set<std::string_view> names;
  const auto look_at = [&](const auto& list) {
    for (const auto* metric : list) {
      EXPECT_TRUE(names.insert(metric->name()).second) << metric->name();
      EXPECT_FALSE(metric->meaning().empty()) << metric->name();
    }
  };
  look_at(metrics.counters());
  look_at(metrics.distributions());
  look_at(metrics.extents());
  EXPECT_GT(names.size(), 40U);
}

TEST(Metric, AllBeginAnew) {
  Metrics metrics;
  metrics.looking_count.add(3);
  metrics.readlatency.add(3);
  metrics.proposal_size.add(3);
  metrics.reset();
  EXPECT_EQ(metrics.looking_count.value(), 0U);
  EXPECT_EQ(metrics.readlatency.count(), 0U);
  EXPECT_EQ(metrics.readlatency.percentile(1), 0U);
  EXPECT_EQ(metrics.proposal_size.max(), -1);
}

}  // namespace
}  // namespace zabfs::replication
