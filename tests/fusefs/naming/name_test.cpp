// One row per line of the table at the top of name.hpp, and its edges.
#include "fusefs/naming/name.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "replication/model/limits.hpp"

namespace zabfs::fusefs::naming {
namespace {

using replication::Zxid;
using replication::limits::name_bytes_max;
using replication::limits::ttl_ms_max;

constexpr std::int64_t day_ms = 86'400'000;

// The Name that `file_name` means, away from the root of the mount; nullopt if it is refused.
std::optional<Name> name_of(std::string_view file_name, bool at_mount_root = false) {
  const auto parsed = parse(file_name, at_mount_root);
  const Name* name = std::get_if<Name>(&parsed);
  return name == nullptr ? std::nullopt : std::optional(*name);
}

std::optional<Refusal> refusal_of(std::string_view file_name) {
  const auto parsed = parse(file_name, false);
  const Refusal* refusal = std::get_if<Refusal>(&parsed);
  return refusal == nullptr ? std::nullopt : std::optional(*refusal);
}

Name plain(std::string_view node) { return {.node = std::string(node)}; }
Name view(std::string_view node, View kind) { return {.node = std::string(node), .view = kind}; }
Name create(std::string_view node, Creation creation) {
  return {.node = std::string(node), .view = View::create, .creation = creation};
}

TEST(Name, WithoutATokenIsAZnode) {
  for (const char* text : {"job",       "user@host",
                           "a@",        "@",
                           "@@",        "a@@",
                           "@host",     "@@host",
                           "a@@host",   "a@b@d",
                           "a b",       "a@Stat",
                           "a@stats",   "a@stat ",
                           "a@stat~",   "a@E",
                           "a@ex",      "a@e1",
                           "a=b",       "v=7",
                           "a@v",       "a@ttl",
                           "a@w=7",     "a@stat=1",
                           "a@data=",   "a@=",
                           "a@=7",      "a@x,ttl=3s",
                           "a@ttls=3s", "a@,",
                           "stat",      "data",
                           "e",         ".a@stat.swp",
                           "...",       "a@mount",
                           "@mount",    "\xC3\xA4@\xC3\xB6"}) {
    EXPECT_EQ(name_of(text), plain(text)) << text;
    EXPECT_EQ(shown(text, false), text);
  }
}

TEST(Name, WithAWordIsThatView) {
  const struct {
    const char* word;
    View kind;
  } rows[] = {
      {"data", View::data},   {"dir", View::dir},
      {"stat", View::stat},   {"acl", View::acl},
      {"cas", View::cas},     {"sync", View::sync},
      {"watch", View::watch}, {"watch=r", View::watch_recursive},
      {"next", View::next},   {"exists", View::exists},
      {"gone", View::gone},   {"queue", View::queue},
      {"locks", View::locks},
  };
  for (const auto& row : rows) {
    const std::string suffix = std::string("@") + row.word;
    EXPECT_EQ(name_of("job" + suffix), view("job", row.kind)) << suffix;
    EXPECT_EQ(name_of(suffix), view("", row.kind)) << suffix;
    EXPECT_EQ(name_of("user@host" + suffix), view("user@host", row.kind)) << suffix;
    EXPECT_EQ(name_of("job@" + suffix), plain("job" + suffix)) << suffix;
    EXPECT_EQ(name_of("job@@stat" + suffix), view("job@stat", row.kind)) << suffix;
    EXPECT_EQ(name_of("@@stat" + suffix), view("@stat", row.kind)) << suffix;
    EXPECT_EQ(shown("job" + suffix, false), "job@" + suffix);
  }
}

TEST(Name, WithCreatingLettersCreates) {
  const struct {
    const char* letters;
    Creation creation;
  } rows[] = {
      {"e", {.ephemeral = true}},
      {"s", {.sequential = true}},
      {"es", {.ephemeral = true, .sequential = true}},
      {"se", {.ephemeral = true, .sequential = true}},
      {"h", {.ephemeral = true, .held = true}},
      {"hs", {.ephemeral = true, .sequential = true, .held = true}},
      {"sh", {.ephemeral = true, .sequential = true, .held = true}},
      {"c", {.container = true}},
  };
  for (const auto& row : rows) {
    const std::string suffix = std::string("@") + row.letters;
    EXPECT_EQ(name_of("job-" + suffix), create("job-", row.creation)) << suffix;
    EXPECT_EQ(name_of("a@@e" + suffix), create("a@e", row.creation)) << suffix;
  }
}

TEST(Name, AnyOtherWordOfCreatingLettersIsRefused) {
  const std::vector<std::string_view> legal = {"e", "s", "es", "se", "h", "hs", "sh", "c"};
  std::vector<std::string> words = {""};
  for (std::size_t i = 0; i < words.size() && words[i].size() < 4; ++i) {
    for (const char letter : {'e', 's', 'h', 'c'}) {
      words.push_back(words[i] + letter);
    }
  }
  for (const auto& word : words) {
    if (!word.empty() && std::ranges::find(legal, word) == legal.end()) {
      EXPECT_EQ(refusal_of("job@" + word), Refusal::illegal_combination) << word;
      EXPECT_EQ(name_of("job@@" + word), plain("job@" + word)) << word;
      EXPECT_EQ(shown("job@" + word, false), "job@@" + word);
    }
  }
}

TEST(Name, WithATimeToLiveCreates) {
  const struct {
    const char* value;
    std::int64_t ttl_ms;
  } rows[] = {
      {"1ms", 1},
      {"30s", 30'000},
      {"5m", 300'000},
      {"2h", 7'200'000},
      {"7d", 7 * day_ms},
      {"007s", 7'000},
      {"1099511627775ms", ttl_ms_max},
      {"12725d", 12'725 * day_ms},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(name_of(std::string("job@ttl=") + row.value), create("job", {.ttl_ms = row.ttl_ms}));
  }
}

TEST(Name, ATimeToLiveOutsideItsRangeOrWithLettersIsRefused) {
  for (const char* token : {"ttl=",
                            "ttl=30",
                            "ttl=s",
                            "ttl=0ms",
                            "ttl=0d",
                            "ttl=-1s",
                            "ttl=+1s",
                            "ttl=1.5s",
                            "ttl=1 s",
                            "ttl=1S",
                            "ttl=1w",
                            "ttl=1ss",
                            "ttl=0x1s",
                            "ttl=1099511627776ms",
                            "ttl=12726d",
                            "ttl=99999999999999999999ms",
                            "ttl=106751991168d",
                            "s,ttl=30s",
                            "e,ttl=30s",
                            "hs,ttl=30s",
                            "ttl=30s,s",
                            "ee,ttl=30s",
                            "s,ttl="}) {
    const std::string text = std::string("job@") + token;
    EXPECT_EQ(refusal_of(text), Refusal::illegal_value) << text;
    EXPECT_EQ(shown(text, false), std::string("job@@") + token);
  }
}

TEST(Name, WithAVersionIsAConditionOfAnyInt32) {
  const struct {
    const char* value;
    std::int32_t version;
  } rows[] = {
      {"7", 7},
      {"0", 0},
      {"-1", -1},
      {"2147483647", std::numeric_limits<std::int32_t>::max()},
      {"-2147483648", std::numeric_limits<std::int32_t>::min()},
  };
  for (const auto& row : rows) {
    const Name want{.node = "n", .view = View::version, .version = row.version};
    EXPECT_EQ(name_of(std::string("n@v=") + row.value), want) << row.value;
  }
  for (const char* value : {"", "x", "7x", " 7", "+7", "--7", "0x7", "2147483648", "-2147483649"}) {
    EXPECT_EQ(refusal_of(std::string("n@v=") + value), Refusal::illegal_value) << value;
  }
}

TEST(Name, NextTakesAZxidInDecimalOrHexadecimal) {
  const struct {
    const char* value;
    std::uint64_t zxid;
  } rows[] = {
      {"0", 0},
      {"4294967301", 0x1'0000'0005},
      {"0x100000005", 0x1'0000'0005},
      {"0xAb", 0xAB},
      {"18446744073709551615", std::numeric_limits<std::uint64_t>::max()},
  };
  for (const auto& row : rows) {
    const Name want{.node = "n", .view = View::next, .after = Zxid{row.zxid}};
    EXPECT_EQ(name_of(std::string("n@next=") + row.value), want) << row.value;
  }
  for (const char* value : {"", "x", "-1", "0x", "0X5", "0x-5", "ab", "18446744073709551616"}) {
    EXPECT_EQ(refusal_of(std::string("n@next=") + value), Refusal::illegal_value) << value;
  }
}

TEST(Name, WatchTakesNoOtherValueThanR) {
  for (const char* text : {"n@watch=", "n@watch=R", "n@watch=rr", "n@watch=1"}) {
    EXPECT_EQ(refusal_of(text), Refusal::illegal_value) << text;
  }
}

TEST(Name, AViewHasNoViews) {
  for (const char* text : {"n@stat@data", "n@s@stat", "n@ee@stat", "n@v=x@stat", "@stat@stat",
                           "n@stat@e", "n@stat@stat@stat"}) {
    EXPECT_EQ(refusal_of(text), Refusal::view_of_a_view) << text;
    EXPECT_EQ(parse(shown(text, false), false), (std::variant<Name, Refusal>(plain(text))));
  }
}

TEST(Name, ThatIsMissingCreatesOnlyWithDigits) {
  for (const char* text : {"@e", "@h", "@c", "@ttl=30s"}) {
    EXPECT_EQ(refusal_of(text), Refusal::nothing_to_create) << text;
  }
  EXPECT_EQ(name_of("@s"), create("", {.sequential = true}));
  EXPECT_EQ(name_of("@se"), create("", {.ephemeral = true, .sequential = true}));
  EXPECT_EQ(name_of("@hs"), create("", {.ephemeral = true, .sequential = true, .held = true}));
}

TEST(Name, MountIsATokenOnlyAloneAndOnlyAtTheRootOfTheMount) {
  EXPECT_EQ(name_of("@mount", true), view("", View::mount));
  EXPECT_EQ(name_of("@@mount", true), plain("@mount"));
  EXPECT_EQ(name_of("job@mount", true), plain("job@mount"));
  EXPECT_EQ(name_of("@mount", false), plain("@mount"));
  EXPECT_EQ(name_of("@@mount", false), plain("@@mount"));
  EXPECT_EQ(name_of("@mount@stat", false), view("@mount", View::stat));
  EXPECT_EQ(name_of("@mount@stat", true), std::nullopt);
  EXPECT_EQ(name_of("@@mount@stat", true), view("@mount", View::stat));
  EXPECT_EQ(shown("@mount", true), "@@mount");
  EXPECT_EQ(shown("@mount", false), "@mount");
}

TEST(Name, EachDoublingAddsOneAt) {
  std::string name = "job@stat";
  for (int i = 0; i < 3; ++i) {
    const std::string file_name = shown(name, false);
    EXPECT_EQ(file_name, "job@" + name.substr(3));
    EXPECT_EQ(name_of(file_name), plain(name));
    name = file_name;
  }
}

TEST(Name, AboveNameMaxIsRefused) {
  EXPECT_EQ(name_of(std::string(name_bytes_max, 'a')), plain(std::string(name_bytes_max, 'a')));
  EXPECT_EQ(refusal_of(std::string(name_bytes_max + 1, 'a')), Refusal::name_too_long);
  EXPECT_EQ(refusal_of(std::string(name_bytes_max - 4, 'a') + "@stat"), Refusal::name_too_long);
}

}  // namespace
}  // namespace zabfs::fusefs::naming
