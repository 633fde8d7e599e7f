// What the end of a log may be truncated to, and what it may say is committed.
#include "replication/store/log_extent.hpp"

#include <gtest/gtest.h>

namespace zabfs::replication::store {
namespace {

constexpr Zxid at(std::uint32_t epoch, std::uint32_t counter) { return Zxid::at({epoch}, counter); }

// 1.7 is committed; 1.8, 1.9, 2.1, 2.2, 4.1 are not.
LogExtent sample() {
  LogExtent extent(at(1, 7), at(1, 7));
  for (const Zxid zxid : {at(1, 8), at(1, 9), at(2, 1), at(2, 2), at(4, 1)}) {
    extent.append(zxid);
  }
  return extent;
}

TEST(LogExtent, MayEndAtWhatItHoldsAndIsNotCommittedBeyond) {
  const LogExtent extent = sample();
  for (const Zxid zxid : {at(1, 7), at(1, 8), at(1, 9), at(2, 1), at(2, 2), at(4, 1)}) {
    EXPECT_TRUE(extent.may_end_at(zxid)) << zxid;
  }
  for (const Zxid zxid :
       {Zxid{}, at(1, 6), at(1, 10), at(2, 0), at(2, 3), at(3, 1), at(4, 0), at(4, 2), at(5, 1)}) {
    EXPECT_FALSE(extent.may_end_at(zxid)) << zxid;
  }
}

TEST(LogExtent, GoesOnBehindWhatATruncationKeeps) {
  LogExtent extent = sample();
  extent.truncate_after(at(2, 1));
  EXPECT_EQ(extent.last(), at(2, 1));
  extent.append(at(2, 2));  // the same once more
  extent.append(at(6, 1));
  EXPECT_TRUE(extent.may_end_at(at(2, 2)));
  EXPECT_FALSE(extent.may_end_at(at(4, 1))) << "taken back";
  extent.truncate_after(at(1, 7));
  EXPECT_EQ(extent.last(), at(1, 7));
  EXPECT_FALSE(extent.may_end_at(at(1, 8)));
}

TEST(LogExtent, NothingCommittedIsTruncated) {
  LogExtent extent = sample();
  extent.commit(at(2, 1));
  EXPECT_EQ(extent.committed(), at(2, 1));
  EXPECT_FALSE(extent.may_end_at(at(1, 9)));
  EXPECT_TRUE(extent.may_end_at(at(2, 1)));
  extent.commit(at(1, 8));
  EXPECT_EQ(extent.committed(), at(2, 1)) << "it never goes back";
  EXPECT_DEATH(extent.truncate_after(at(1, 9)), "broken invariant");
  EXPECT_DEATH(extent.commit(at(4, 2)), "broken invariant");
}

TEST(LogExtent, AnEmptyLogMayStayEmpty) {
  LogExtent extent;
  extent.append(at(1, 1));
  EXPECT_TRUE(extent.may_end_at(Zxid{}));
  extent.truncate_after(Zxid{});
  EXPECT_EQ(extent.last(), Zxid{});
}

// A learner may hear of commits before it has the transactions.
TEST(LogExtent, AMarkNamesOnlyWhatTheLogHolds) {
  LogExtent extent = sample();
  EXPECT_EQ(extent.mark_beside(at(4, 2), at(1, 9)), at(1, 9));
  EXPECT_EQ(extent.mark_beside(at(4, 2), at(4, 2)), at(4, 2));
  EXPECT_EQ(extent.mark_beside(at(4, 2), at(4, 9)), at(4, 2));
  EXPECT_EQ(extent.mark_beside(at(5, 1), at(4, 9)), at(4, 1));
  EXPECT_EQ(extent.mark_beside(at(4, 2), at(1, 3)), at(1, 7)) << "never less than before";
}

}  // namespace
}  // namespace zabfs::replication::store
