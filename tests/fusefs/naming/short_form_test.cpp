// Names that are too long to be shown, and names whose views can be reached in no other way.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>

#include "fusefs/naming/name.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::fusefs::naming {
namespace {

using replication::limits::name_bytes_max;

// What `printf %0300d 0 | tr 0 x | sha256sum` prints.
constexpr std::string_view digest_of_300_x =
    "@long=0d4e2ca9e9cbced7a7a5380eb29e1a3783b9b6d0db72de36a1051038e1c1fbc7";

// The Name of a file name that the test knows to be no refusal.
Name name_of(std::string_view file_name) {
  auto parsed = parse(file_name, false);
  EXPECT_TRUE(std::holds_alternative<Name>(parsed)) << file_name;
  return std::holds_alternative<Name>(parsed) ? std::get<Name>(parsed) : Name{};
}

TEST(ShortForm, IsAStemAndTheDigestThatSha256sumPrints) {
  const std::string node(300, 'x');
  const std::string file_name = shown(node, false);
  EXPECT_EQ(file_name, std::string(159, 'x').append(digest_of_300_x));
  EXPECT_EQ(name_of(file_name), (Name{.node = file_name, .is_short = true}));
}

TEST(ShortForm, IsUsedOnlyAboveNameMax) {
  const std::string longest(name_bytes_max, 'x');
  EXPECT_EQ(shown(longest, false), longest);
  EXPECT_TRUE(name_of(shown(longest + 'x', false)).is_short);
  // One '@' more is one byte too many.
  const std::string longest_to_escape = std::string(name_bytes_max - 5, 'x') + "@stat";
  EXPECT_TRUE(name_of(shown(longest_to_escape, false)).is_short);
  EXPECT_TRUE(stands_for(name_of(shown(longest_to_escape, false)), longest_to_escape));
}

TEST(ShortForm, StandsForOneNameOnly) {
  const std::string node(300, 'x');
  const std::string file_name = shown(node, false);
  EXPECT_TRUE(stands_for(name_of(file_name), node));
  EXPECT_FALSE(stands_for(name_of(file_name), node + 'x'));
  EXPECT_FALSE(stands_for(name_of(file_name), "x"));
  EXPECT_FALSE(stands_for(name_of(file_name), ""));
  EXPECT_FALSE(stands_for(name_of(node.substr(0, 200)), node));
  // The right digest behind another stem is no second name of the znode.
  EXPECT_FALSE(stands_for(name_of(std::string("x").append(digest_of_300_x)), node));
  EXPECT_FALSE(stands_for(name_of(digest_of_300_x), node));
}

TEST(ShortForm, LeavesRoomForEveryView) {
  const std::string node(300, 'x');
  for (const char* suffix : {"@stat", "@watch=r", "@v=-2147483648", "@next=18446744073709551615"}) {
    const Name name = name_of(shown(node, false) + suffix);
    EXPECT_NE(name.view, View::plain) << suffix;
    EXPECT_EQ(name.node, shown(node, false)) << suffix;
    EXPECT_TRUE(stands_for(name, node)) << suffix;
  }
}

TEST(ShortForm, OfAnyNameReachesItsViewsButIsNoSecondNameOfTheZnode) {
  const std::string ends_in_at = "a@";
  // What `printf a@ | sha256sum` prints.
  const std::string file_name =
      "a@long=3efc70fdfac3626c6472e4869413bbf3ac94e11c8ee49d1c429fe85c86f7b3e0";
  EXPECT_TRUE(stands_for(name_of(file_name + "@stat"), ends_in_at));
  EXPECT_FALSE(stands_for(name_of(file_name), ends_in_at));
}

TEST(ShortForm, IsCutBetweenCharacters) {
  for (const std::string_view character : {"\xC3\xA4", "\xE2\x82\xAC"}) {
    for (const std::string_view before : {"", "x", "xx"}) {
      std::string node(before);
      while (node.size() < 300) {
        node.append(character);
      }
      const std::string file_name = shown(node, false);
      const std::size_t stem_bytes = file_name.rfind('@');
      EXPECT_EQ((stem_bytes - before.size()) % character.size(), 0U);
      EXPECT_GT(stem_bytes, 155U);
      EXPECT_TRUE(stands_for(name_of(file_name), node));
    }
  }
}

TEST(ShortForm, OfANameOfManyAtsDoesNotReadAsADoubling) {
  for (const std::string& node :
       {std::string(300, '@'), std::string(300, '@') + "stat", std::string(300, '@') + 'x',
        'x' + std::string(300, '@'), std::string(158, 'x') + std::string(142, '@') + "stat"}) {
    const std::string file_name = shown(node, false);
    const Name name = name_of(file_name);
    EXPECT_TRUE(name.is_short) << file_name;
    EXPECT_EQ(name.view, View::plain) << file_name;
    EXPECT_TRUE(stands_for(name, node)) << file_name;
  }
}

TEST(ShortForm, AsARealNameIsShownDoubled) {
  const std::string real = std::string("x").append(digest_of_300_x);
  EXPECT_EQ(shown(real, false), std::string("x@").append(digest_of_300_x));
  EXPECT_EQ(name_of(shown(real, false)), Name{.node = real});
}

TEST(ShortForm, NeedsAWholeDigestInLowerCase) {
  const std::string whole(digest_of_300_x);
  std::string upper = whole;
  upper[7] = 'D';
  for (const auto& text : {whole.substr(0, whole.size() - 1), whole + '0', upper,
                           std::string("@long="), std::string("@long=0d4e")}) {
    EXPECT_EQ(name_of("x" + text), Name{.node = "x" + text}) << text;
  }
}

TEST(ShortForm, CreatesNothing) {
  for (const char* suffix : {"@s", "@e", "@ttl=30s"}) {
    EXPECT_EQ(parse(shown(std::string(300, 'x'), false) + suffix, false),
              (std::variant<Name, Refusal>(Refusal::name_unknown)));
  }
}

}  // namespace
}  // namespace zabfs::fusefs::naming
