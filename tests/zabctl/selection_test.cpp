#include "daemon/zabctl/selection.hpp"

#include <gtest/gtest.h>

#include "daemon/zabctl/failure.hpp"
#include "daemon/zabctl/presentation.hpp"

namespace zabfs::test {
namespace {

using namespace daemon::zabctl;
using replication::Zxid;

TEST(Selection, AMomentIsAZxidOrATime) {
  EXPECT_EQ(parse_moment("0x200000007"), Moment(Zxid{0x200000007}));
  EXPECT_EQ(parse_moment("2.7"), Moment(Zxid{0x200000007}));
  EXPECT_EQ(parse_moment("1970-01-02"), Moment(std::int64_t{86'400'000}));
  EXPECT_EQ(parse_moment("1970-01-01T00:01"), Moment(std::int64_t{60'000}));
  EXPECT_EQ(parse_moment("1970-01-01 00:00:01.5Z"), Moment(std::int64_t{1'500}));
  for (const char* bad : {"", "7", "0x", "0xg", "1.", ".1", "1.2.3", "1970-01", "yesterday",
                          "1970-01-01T1", "4294967296.0"}) {
    EXPECT_THROW(parse_moment(bad), UsageError) << bad;
  }
}

TEST(Selection, ASessionIsANumber) {
  EXPECT_EQ(parse_session("0x8000000000000001").value, std::int64_t{-0x7fffffffffffffff});
  EXPECT_EQ(parse_session("-3").value, -3);
  EXPECT_THROW(parse_session("0x"), UsageError);
  EXPECT_THROW(parse_session("mine"), UsageError);
}

TEST(Selection, ASubtreeEndsAtASlash) {
  EXPECT_TRUE(lies_in("/a", "/a"));
  EXPECT_TRUE(lies_in("/a/b", "/a"));
  EXPECT_FALSE(lies_in("/ab", "/a"));
  EXPECT_TRUE(lies_in("/ab", "/"));
}

TEST(Presentation, TimesAreUtc) {
  EXPECT_EQ(time_text(1'500), "1970-01-01T00:00:01.500Z");
  EXPECT_EQ(time_text(-1), "1969-12-31T23:59:59.999Z");
}

TEST(Presentation, WhatIsNoTextIsEscaped) {
  EXPECT_EQ(printable("a\\\n\xff\xc3\xa4"), "a\\x5c\\x0a\\xff\xc3\xa4");
  boost::json::object object;
  const std::string surrogate = "\xed\xa0\xbd";
  set_data(object, replication::bytes_of(surrogate));
  EXPECT_EQ(object["dataBase64"], "7aC9");
  set_data(object, std::nullopt);
  EXPECT_TRUE(object["data"].is_null());
  EXPECT_EQ(acl_text({{5, {"digest", "a:b"}}}), "digest:a:b:cr");
}

}  // namespace
}  // namespace zabfs::test
