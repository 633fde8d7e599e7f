#include "replication/model/create_mode.hpp"

#include <gtest/gtest.h>

namespace zabfs::replication {
namespace {

TEST(CreateMode, ReadsTheFlagsOfCreate) {
  EXPECT_EQ(CreateMode::from_flags(0), CreateMode{});
  EXPECT_EQ(CreateMode::from_flags(1), CreateMode{.ephemeral = true});
  EXPECT_EQ(CreateMode::from_flags(2), CreateMode{.sequential = true});
  EXPECT_EQ(CreateMode::from_flags(3), (CreateMode{.ephemeral = true, .sequential = true}));
}

TEST(CreateMode, RefusesEveryOtherNumber) {
  for (const std::int32_t flags : {-1, 4, 5, 6, 7, 256, 2147483647}) {
    EXPECT_EQ(CreateMode::from_flags(flags), std::nullopt) << flags;
  }
}

TEST(CreateMode, WritesTheFlagsItWasReadFrom) {
  for (std::int32_t flags = 0; flags <= 3; ++flags) {
    EXPECT_EQ(CreateMode::from_flags(flags)->flags(), flags);
  }
}

}  // namespace
}  // namespace zabfs::replication
