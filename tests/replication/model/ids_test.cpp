#include "replication/model/ids.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace zabfs::replication {
namespace {

TEST(Zxid, KeepsTheEpochAboveTheCounter) {
  const auto zxid = Zxid::at(Epoch{3}, 7);
  EXPECT_EQ(zxid.value, 0x300000007U);
  EXPECT_EQ(zxid.epoch(), Epoch{3});
  EXPECT_EQ(zxid.counter(), 7U);
  EXPECT_LT(Zxid::at(Epoch{3}, 0xFFFFFFFF), Zxid::at(Epoch{4}, 0));
}

TEST(Zxid, ReturnsFromTheWireAsItWas) {
  for (const auto zxid : {Zxid{}, Zxid::at(Epoch{1}, 1), Zxid::at(Epoch{0xFFFFFFFF}, 0xFFFFFFFF)}) {
    EXPECT_EQ(Zxid::from_wire(zxid.wire()), zxid);
  }
}

TEST(Zxid, IsFollowedByTheNextCounterOrALaterEpochsFirst) {
  const auto last = Zxid::at(Epoch{2}, 9);
  EXPECT_TRUE(last.is_followed_by(Zxid::at(Epoch{2}, 10)));
  EXPECT_TRUE(last.is_followed_by(Zxid::at(Epoch{3}, 1)));
  EXPECT_TRUE(last.is_followed_by(Zxid::at(Epoch{5}, 1)));
  EXPECT_FALSE(last.is_followed_by(last));
  EXPECT_FALSE(last.is_followed_by(Zxid::at(Epoch{2}, 11)));
  EXPECT_FALSE(last.is_followed_by(Zxid::at(Epoch{3}, 2)));
  EXPECT_FALSE(last.is_followed_by(Zxid::at(Epoch{1}, 1)));
}

TEST(Zxid, DoesNotCountIntoTheNextEpoch) {
  const auto full = Zxid::at(Epoch{2}, 0xFFFFFFFF);
  EXPECT_FALSE(full.is_followed_by(Zxid::at(Epoch{3}, 0)));
  EXPECT_TRUE(full.is_followed_by(Zxid::at(Epoch{3}, 1)));
}

TEST(Zxid, PrintsEpochAndCounter) {
  std::ostringstream out;
  out << Zxid::at(Epoch{2}, 9);
  EXPECT_EQ(out.str(), "2.9");
}

}  // namespace
}  // namespace zabfs::replication
