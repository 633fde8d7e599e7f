// Names in the data directory.
#include "replication/store/layout.hpp"

#include <gtest/gtest.h>

namespace zabfs::replication::store {
namespace {

TEST(Layout, NamesSortLikeHistory) {
  EXPECT_EQ(segment_name(Zxid::at({1}, 0xa3f7)), "log.000000010000a3f7");
  EXPECT_EQ(snapshot_name(Zxid{}), "snapshot.0000000000000000");
  EXPECT_LT(segment_name(Zxid::at({1}, 0xffffffff)), segment_name(Zxid::at({2}, 1)));
  EXPECT_LT(segment_name(Zxid::at({9}, 1)), segment_name(Zxid::at({10}, 1)));
}

TEST(Layout, SortsFilesByWhatTheyAre) {
  const auto listing =
      classify({"epochs", "epochs.tmp", "log.0000000100000001", "log.000000010000000a", "myid",
                "snapshot.0000000000000000", "snapshot.tmp", "zabd.lock"});
  ASSERT_TRUE(listing);
  EXPECT_EQ(*listing, (Listing{.has_epochs = true,
                               .segments = {Zxid::at({1}, 1), Zxid::at({1}, 10)},
                               .snapshots = {Zxid{}},
                               .drafts = {"epochs.tmp", "snapshot.tmp"}}));
}

TEST(Layout, RefusesNamesThatOnlyLookLikeOurs) {
  for (const FileName file :
       {"log.", "log.1", "log.100000001", "log.000000010000000A", "log.00000001000000011",
        "log.0000000100000001.bak", "log.-000000100000001", "log.0x00000100000001", "snapshot.",
        "snapshot.0", "snapshot.000000010000000g", "snapshot.0000000100000001.tmp"}) {
    const auto listing = classify({file});
    ASSERT_FALSE(listing) << file;
    EXPECT_NE(listing.error().sentence.find(file + ","), std::string::npos);
  }
}

}  // namespace
}  // namespace zabfs::replication::store
