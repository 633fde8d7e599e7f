// Names in the data directory.
#include "replication/store/layout.hpp"

#include <gtest/gtest.h>

namespace zabfs::replication::store {
namespace {

TEST(Layout, NamesSortLikeHistory) {
  EXPECT_EQ(segment_name({{1}, 0xa3f7}), "log.00000001.000000000000a3f7");
  EXPECT_EQ(snapshot_name({{}, Zxid::at({1}, 5)}), "snapshot.00000000.0000000100000005");
  EXPECT_LT(segment_name({{1}, 0xffffffffff}), segment_name({{2}, 0}));
  EXPECT_LT(segment_name({{1}, 9}), segment_name({{1}, 10}));
  EXPECT_LT(snapshot_name({{1}, Zxid::at({9}, 1)}), snapshot_name({{1}, Zxid::at({10}, 1)}));
}

TEST(Layout, SortsFilesByWhatTheyAre) {
  const auto listing =
      classify({"epochs", "epochs.tmp", "log.00000001.0000000000000001",
                "log.00000001.000000000000000a", "myid", "snapshot.00000001.0000000100000000",
                "log.00000000.0000000000000fff", "snapshot.tmp", "zabd.lock"});
  ASSERT_TRUE(listing);
  EXPECT_EQ(*listing, (Listing{.has_epochs = true,
                               .segments = {{{0}, 0xfff}, {{1}, 1}, {{1}, 10}},
                               .snapshots = {{{1}, Zxid::at({1}, 0)}},
                               .drafts = {"epochs.tmp", "snapshot.tmp"}}));
}

TEST(Layout, RefusesNamesThatOnlyLookLikeOurs) {
  for (const FileName file :
       {"log.", "log.1", "log.100000001", "log.0000000100000001", "log.00000000.000000010000000A",
        "log.00000000.00000001000000011", "log.00000000-0000000000000001",
        "log.00000000.0000000100000001.bak", "log.00000000.-000000100000001",
        "log.0x000000.0000000000000001", "log.-0000001.0000000000000001", "snapshot.", "snapshot.0",
        "snapshot.00000000.000000010000000g", "snapshot.00000000.0000000100000001.tmp"}) {
    const auto listing = classify({file});
    ASSERT_FALSE(listing) << file;
    EXPECT_NE(listing.error().sentence.find(file + ","), std::string::npos);
  }
}

}  // namespace
}  // namespace zabfs::replication::store
