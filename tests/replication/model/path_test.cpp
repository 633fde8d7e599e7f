#include "replication/model/path.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/hostile_bytes.hpp"

namespace zabfs::replication {
namespace {

using namespace std::string_literals;

// As RFC 3629 has it, for every number up to U+10FFFF, surrogates included.
std::string utf8(std::uint32_t c) {
  const auto octet = [](std::uint32_t value) { return static_cast<char>(value); };
  if (c < 0x80) {
    return {octet(c)};
  }
  if (c < 0x800) {
    return {octet(0xC0 | c >> 6), octet(0x80 | (c & 0x3F))};
  }
  if (c < 0x10000) {
    return {octet(0xE0 | c >> 12), octet(0x80 | (c >> 6 & 0x3F)), octet(0x80 | (c & 0x3F))};
  }
  return {octet(0xF0 | c >> 18), octet(0x80 | (c >> 12 & 0x3F)), octet(0x80 | (c >> 6 & 0x3F)),
          octet(0x80 | (c & 0x3F))};
}

Path path(std::string_view text) {
  const auto parsed = Path::parse(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed ? *parsed : Path{};
}

TEST(Path, AcceptsWhatZooKeeperAccepts) {
  for (const auto& text : {"/"s, "/a"s, "/a/b"s, "/..x"s, "/x.."s, "/.a"s, "/..."s, "/a b"s, "/~"s,
                           "/zookeeper/config"s, "/\u00a0"s, "/\u07ff"s, "/\u0800"s, "/\ud7ff"s,
                           "/\uf900"s, "/\uffef"s, "/grüße/世界"s}) {
    const auto parsed = Path::parse(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(parsed->text(), text);
  }
}

TEST(Path, RefusesWhatZooKeeperRefuses) {
  for (const auto& text :
       {""s,        "a"s,       "a/b"s,     "//"s,      "/a/"s,         "//a"s,
        "/a//b"s,   "/."s,      "/.."s,     "/a/."s,    "/a/.."s,       "/./a"s,
        "/../a"s,   "/a\0b"s,   "/\x01"s,   "/\x1f"s,   "/\x7f"s,       "/\u0085"s,
        "/\ue000"s, "/\uf8ff"s, "/\ufff0"s, "/\uffff"s, "/\U00010000"s, "/\U0001f600"s}) {
    const auto parsed = Path::parse(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error(), ErrorCode::bad_arguments);
  }
}

TEST(Path, KnowsEveryCharacter) {
  for (std::uint32_t c = 0; c <= 0x10FFFF; ++c) {
    const bool legal =
        !(c <= 0x1F || (c >= 0x7F && c <= 0x9F) || (c >= 0xD800 && c <= 0xF8FF) || c >= 0xFFF0) &&
        c != '/' && c != '.';
    ASSERT_EQ(is_legal_segment(utf8(c)), legal) << std::hex << c;
    ASSERT_EQ(Path::parse("/x" + utf8(c) + "y").has_value(), legal || c == '/' || c == '.')
        << std::hex << c;
  }
}

TEST(Path, RefusesMalformedUtf8) {
  for (const auto& name : {"\x80"s, "\xbf"s, "\xc2"s, "\xc2x"s, "\xc3\x28"s, "\xe4\xb8"s,
                           "\xe4\xb8x"s, "\xe4x\x96"s, "\xe4\xb8\x96\x80"s, "\xf0\x9f\x98"s,
                           "\xf8\x88\x80\x80\x80"s, "\xfe"s, "\xff"s, "\xf4\x90\x80\x80"s}) {
    EXPECT_FALSE(is_legal_segment(name));
    EXPECT_FALSE(is_legal_segment("a" + name + "a"));
  }
}

TEST(Path, RefusesOverlongForms) {
  // '/', then U+0041, U+007F, U+07FF, in more octets than they need.
  for (const auto& name : {"\xc0\xaf"s, "\xe0\x80\xaf"s, "\xf0\x80\x80\xaf"s, "\xc1\x81"s,
                           "\xe0\x81\x81"s, "\xc1\xbf"s, "\xe0\x9f\xbf"s, "\xf0\x80\x9f\xbf"s}) {
    EXPECT_FALSE(is_legal_segment(name));
  }
}

TEST(Path, NamesItsParentAndItself) {
  EXPECT_EQ(path("/a/b/c").parent(), path("/a/b"));
  EXPECT_EQ(path("/a/b/c").name(), "c");
  EXPECT_EQ(path("/a").parent(), Path{});
  EXPECT_EQ(path("/a").name(), "a");
  EXPECT_EQ(Path{}.parent(), Path{});
  EXPECT_EQ(Path{}.name(), "");
  EXPECT_TRUE(Path{}.is_root());
  EXPECT_FALSE(path("/a").is_root());
}

TEST(Path, GrowsByLegalSegmentsOnly) {
  EXPECT_EQ(*Path{}.child("a"), path("/a"));
  EXPECT_EQ(*path("/a").child("b"), path("/a/b"));
  for (const auto& name : {""s, "."s, ".."s, "a/b"s, "/"s, "\0"s, "\xff"s}) {
    EXPECT_EQ(path("/a").child(name).error(), ErrorCode::bad_arguments);
  }
}

TEST(Path, ContainsItselfAndWhatIsBelow) {
  EXPECT_TRUE(Path{}.contains(Path{}));
  EXPECT_TRUE(Path{}.contains(path("/a")));
  EXPECT_TRUE(path("/a").contains(path("/a")));
  EXPECT_TRUE(path("/a").contains(path("/a/b")));
  EXPECT_FALSE(path("/a").contains(path("/ab")));
  EXPECT_FALSE(path("/a").contains(path("/b")));
  EXPECT_FALSE(path("/a/b").contains(path("/a")));
  EXPECT_FALSE(path("/a").contains(Path{}));
}

TEST(Path, SplitsTextThatIsNotAPath) {
  EXPECT_EQ(parent_of("/a/b"), "/a");
  EXPECT_EQ(parent_of("/a"), "/");
  EXPECT_EQ(parent_of("/a/"), "/a");
  EXPECT_EQ(parent_of("a"), "");
  EXPECT_EQ(parent_of(""), "");
  EXPECT_EQ(name_of_path("/a/b"), "b");
  EXPECT_EQ(name_of_path("/a/"), "");
  EXPECT_EQ(name_of_path("a"), "a");
  EXPECT_EQ(name_of_path(""), "");
}

TEST(Path, IsPutTogetherFromItsPartsWheneverItParses) {
  std::size_t legal = 0;
  for (auto run : test::random_runs(3, 20'000, 6)) {
    for (auto& octet : run) {
      octet = octet < 4 ? static_cast<std::uint8_t>("/.ab"[octet]) : octet;
    }
    const auto parsed = Path::parse("/" + std::string{text_of(run)});
    if (parsed && !parsed->is_root()) {
      ++legal;
      EXPECT_EQ(*parsed->parent().child(parsed->name()), *parsed);
      EXPECT_TRUE(parsed->parent().contains(*parsed));
      EXPECT_TRUE(Path::parse(parsed->parent().text()).has_value());
    }
  }
  EXPECT_GT(legal, 100U);
}

}  // namespace
}  // namespace zabfs::replication
