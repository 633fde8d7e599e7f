// A variant as bytes: the place of the alternative, then its fields.
#include "replication/jute/tagged.hpp"

#include <gtest/gtest.h>

#include <tuple>

#include "tests/support/hex.hpp"

namespace zabfs::replication::jute {
namespace {

struct Empty {
  static auto fields(auto&) { return std::tie(); }
};

struct Pair {
  std::int32_t first{};
  Bytes second{};

  static auto fields(auto& p) { return std::tie(p.first, p.second); }
};

using Either = std::variant<Empty, Pair>;

Bytes bytes_of(const Either& either) {
  Bytes bytes;
  append_tagged(bytes, either);
  return bytes;
}

TEST(Tagged, PutsThePlaceBeforeTheFields) {
  EXPECT_EQ(test::to_hex(bytes_of(Empty{})), test::to_hex(test::from_hex("00")));
  EXPECT_EQ(test::to_hex(bytes_of(Pair{.first = 2, .second = {7}})),
            test::to_hex(test::from_hex("01 00000002 00000001 07")));
}

TEST(Tagged, AnAlternativeAloneIsTheSame) {
  const Pair pair{.first = -1, .second = {1, 2, 3}};
  Bytes alone;
  append_alternative<Either>(alone, pair);
  EXPECT_EQ(alone, bytes_of(pair));
}

TEST(Tagged, ReadsTheAlternativeBack) {
  const auto decoded = decode_tagged<Either>(bytes_of(Pair{.first = 2, .second = {7}}));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(std::get<Pair>(*decoded).first, 2);
  EXPECT_EQ(std::get<Pair>(*decoded).second, Bytes{7});
}

TEST(Tagged, RefusesNothingUnknownPlacesAndWhatIsLeftOver) {
  for (const char* wrong : {"", "02", "ff", "00 00", "01 00000002 00000001 07 00",
                            "01 00000002 00000002 07", "01 00000002 7fffffff 07"}) {
    EXPECT_EQ(decode_tagged<Either>(test::from_hex(wrong)).error(), ErrorCode::marshalling_error)
        << wrong;
  }
}

}  // namespace
}  // namespace zabfs::replication::jute
