#include "replication/jute/jute_archive.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "replication/model/acl.hpp"
#include "replication/model/stat.hpp"
#include "tests/support/hex.hpp"

namespace zabfs::replication::jute {
namespace {

using test::from_hex;
using Strings = std::vector<std::string>;

template <class T>
Bytes written(const T& value) {
  Bytes out;
  JuteWriter{out}(value);
  return out;
}

template <class T>
T read(const Bytes& bytes) {
  T value{};
  JuteReader{bytes}(value);
  return value;
}

TEST(JuteArchive, WritesIntegersBigEndian) {
  EXPECT_EQ(written(std::int32_t{30'000}), from_hex("00007530"));
  EXPECT_EQ(written(std::int64_t{-2}), from_hex("ff*7 fe"));
  EXPECT_EQ(read<std::int32_t>(from_hex("ffff8ad0")), -30'000);
  EXPECT_EQ(read<std::int64_t>(from_hex("80 00*7")), std::numeric_limits<std::int64_t>::min());
}

TEST(JuteArchive, ReadsEveryOctetButZeroAsTrue) {
  EXPECT_EQ(written(true), from_hex("01"));
  EXPECT_EQ(written(false), from_hex("00"));
  EXPECT_TRUE(read<bool>(from_hex("ff")));
  EXPECT_FALSE(read<bool>(from_hex("00")));
}

TEST(JuteArchive, CountsStringsAndVectorsInFourOctets) {
  EXPECT_EQ(written(std::string{"bc"}), from_hex("00000002 6263"));
  EXPECT_EQ(written(Strings{"b", ""}), from_hex("00000002 00000001 62 00000000"));
}

TEST(JuteArchive, KeepsNullAndEmptyDataApart) {
  EXPECT_EQ(written(Data{}), from_hex("ffffffff"));
  EXPECT_EQ(written(Data{Bytes{}}), from_hex("00000000"));
  EXPECT_EQ(read<Data>(from_hex("ffffffff")), std::nullopt);
  EXPECT_EQ(read<Data>(from_hex("00000000")), Bytes{});
}

TEST(JuteArchive, KeepsNullAndEmptyListsApartWhereTheyDiffer) {
  using Optional = std::optional<Strings>;
  EXPECT_EQ(written(Optional{}), from_hex("ffffffff"));
  EXPECT_EQ(written(Optional{Strings{}}), from_hex("00000000"));
  EXPECT_EQ(read<Optional>(from_hex("ffffffff")), std::nullopt);
  EXPECT_EQ(read<Optional>(from_hex("00000000")), Strings{});
}

TEST(JuteArchive, ReadsNullAsEmptyWhereTheyDoNotDiffer) {
  EXPECT_EQ(read<std::string>(from_hex("ffffffff")), "");
  EXPECT_EQ(read<Bytes>(from_hex("ffffffff")), Bytes{});
  EXPECT_EQ(read<Strings>(from_hex("ffffffff")), Strings{});
}

TEST(JuteArchive, TreatsOtherNegativeCountsAsZooKeeperDoes) {
  EXPECT_THROW(read<std::string>(from_hex("fffffffe 61")), cereal::Exception);
  EXPECT_THROW(read<Data>(from_hex("80000000 61")), cereal::Exception);
  EXPECT_EQ(read<Strings>(from_hex("fffffffe 61")), Strings{});
}

TEST(JuteArchive, RefusesACountBeyondTheFrame) {
  EXPECT_THROW(read<std::string>(from_hex("00000002 61")), cereal::Exception);
  EXPECT_THROW(read<std::string>(from_hex("7fffffff 61")), cereal::Exception);
  EXPECT_THROW(read<Bytes>(from_hex("7fffffff")), cereal::Exception);
  EXPECT_THROW(read<Strings>(from_hex("7fffffff 00000000")), cereal::Exception);
  EXPECT_THROW(read<Strings>(from_hex("00000002 00000000")), cereal::Exception);
}

TEST(JuteArchive, ReservesOnlyWhatTheFrameCanHold) {
  Bytes bytes = from_hex("00100000");
  bytes.resize(1 << 20);
  Acl acl;
  EXPECT_THROW(JuteReader{bytes}(acl), cereal::Exception);
  EXPECT_LT(acl.capacity(), bytes.size() / 4);
}

TEST(JuteArchive, RefusesARecordThatEndsEarly) {
  Bytes stat = written(Stat{});
  ASSERT_EQ(stat.size(), 68U);
  stat.pop_back();
  EXPECT_THROW(read<Stat>(stat), cereal::Exception);
}

TEST(JuteArchive, ReturnsARecordAsItWas) {
  const Stat stat{1, 2, 3, 4, -5, -6, 7, std::numeric_limits<std::int64_t>::min(), 9, 10, 11};
  EXPECT_EQ(read<Stat>(written(stat)), stat);
  const Acl acl{{31, {"world", "anyone"}}, {-1, {"digest", ""}}};
  EXPECT_EQ(read<Acl>(written(acl)), acl);
}

TEST(JuteArchive, AppendsToWhatIsThere) {
  Bytes out{9};
  JuteWriter{out}(true, std::int32_t{1});
  EXPECT_EQ(out, from_hex("09 01 00000001"));
}

TEST(JuteReader, LeavesWhatItDidNotRead) {
  const Bytes bytes = from_hex("00000001 0203");
  JuteReader from{bytes};
  EXPECT_EQ(from.integer<std::int32_t>(), 1);
  EXPECT_EQ(from.rest().size(), 2U);
  EXPECT_EQ(from.rest().data(), bytes.data() + 4);
  EXPECT_THROW(from.take(3), cereal::Exception);
  EXPECT_EQ(from.take(2).size(), 2U);
}

}  // namespace
}  // namespace zabfs::replication::jute
