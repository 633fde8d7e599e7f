#include "replication/session/session_table.hpp"

#include <gtest/gtest.h>

#include "tests/support/hex.hpp"
#include "tests/support/hostile_bytes.hpp"

namespace zabfs::replication::session {
namespace {

SessionTable sample() {
  SessionTable table;
  table.open({7}, {.timeout_ms = 4000, .password = Bytes(16, 1)});
  table.open({-9}, {.timeout_ms = 30000, .password = {}});
  return table;
}

TEST(SessionTable, KnowsWhoIsOpen) {
  SessionTable table = sample();
  ASSERT_NE(table.find({7}), nullptr);
  EXPECT_EQ(table.find({7})->timeout_ms, 4000);
  EXPECT_EQ(table.find({8}), nullptr);
  table.close({7});
  EXPECT_EQ(table.find({7}), nullptr);
  EXPECT_EQ(table.size(), 1U);
}

TEST(SessionTable, ListsSessionsInTheOrderOfTheirIds) {
  EXPECT_EQ(sample().sessions().begin()->first, SessionId{-9});
}

TEST(SessionTable, TheDigestDependsOnWhatIsOpenAlone) {
  SessionTable table = sample();
  const auto digest = table.digest();
  table.open({8}, {.timeout_ms = 1});
  EXPECT_NE(table.digest(), digest);
  table.close({8});
  EXPECT_EQ(table.digest(), digest);
  table.close({7});
  table.open({7}, {.timeout_ms = 4000, .password = Bytes(16, 2)});
  EXPECT_NE(table.digest(), digest);
}

TEST(SessionTable, ReturnsFromBytesAsItWas) {
  for (const SessionTable& table : {SessionTable{}, sample()}) {
    const auto read = SessionTable::from_bytes(table.to_bytes());
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(*read, table);
  }
}

TEST(SessionTable, KeepsItsBytesForever) {
  SessionTable table;
  table.open({7}, {.timeout_ms = 4000, .password = {0xab}});
  EXPECT_EQ(test::to_hex(table.to_bytes()),
            test::to_hex(test::from_hex("00000001 0000000000000007 00000fa0 00000001 ab")));
}

TEST(SessionTable, RefusesSessionsThatDoNotAscend) {
  SessionTable one;
  one.open({7}, {});
  const Bytes bytes = one.to_bytes();
  Bytes twice = bytes;
  twice.insert(twice.end(), bytes.begin() + 4, bytes.end());
  twice[3] = 2;
  EXPECT_FALSE(SessionTable::from_bytes(twice).has_value());
}

TEST(SessionTable, RefusesEveryTruncationAndAnythingLeftOver) {
  Bytes bytes = sample().to_bytes();
  for (const Bytes& truncation : test::truncations_of(bytes)) {
    EXPECT_FALSE(SessionTable::from_bytes(truncation).has_value()) << truncation.size();
  }
  bytes.push_back(0);
  EXPECT_FALSE(SessionTable::from_bytes(bytes).has_value());
}

void expect_harmless(const Bytes& bytes) {
  if (const auto table = SessionTable::from_bytes(bytes)) {
    const auto again = SessionTable::from_bytes(table->to_bytes());
    ASSERT_TRUE(again.has_value()) << test::to_hex(bytes);
    EXPECT_EQ(*again, *table);
  }
}

TEST(SessionTable, SurvivesHostileBytes) {
  const Bytes bytes = sample().to_bytes();
  for (const Bytes& lie : test::lies_about_counts_of(bytes)) {
    expect_harmless(lie);
  }
  for (const Bytes& mutation : test::mutations_of(bytes, 1, 5'000)) {
    expect_harmless(mutation);
  }
  for (const Bytes& run : test::random_runs(2, 5'000, 100)) {
    expect_harmless(run);
  }
}

TEST(SessionTableDeathTest, EndsTheProcessWhenHistoryMakesNoSense) {
  SessionTable table = sample();
  EXPECT_DEATH(table.open({7}, {}), "session 7 is open");
  EXPECT_DEATH(table.close({8}), "session 8 is not open");
}

TEST(Password, IsTheSameOrNot) {
  const Bytes password{1, 2, 3};
  EXPECT_TRUE(is_same_password(password, Bytes{1, 2, 3}));
  EXPECT_TRUE(is_same_password(Bytes{}, Bytes{}));
  for (const Bytes& other :
       {Bytes{}, Bytes{1, 2}, Bytes{1, 2, 4}, Bytes{0, 2, 3}, Bytes{1, 2, 3, 0}}) {
    EXPECT_FALSE(is_same_password(password, other));
    EXPECT_FALSE(is_same_password(other, password));
  }
}

}  // namespace
}  // namespace zabfs::replication::session
