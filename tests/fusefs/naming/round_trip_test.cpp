// The mapping between the names of a directory's znodes and the names in its listing is a
// bijection: every short name over the letters that matter, every token behind every number of '@',
// and random names up to eight times as long as a file name may be.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "fusefs/naming/name.hpp"
#include "replication/model/limits.hpp"
#include "replication/model/path.hpp"
#include "replication/ports/random.hpp"

namespace zabfs::fusefs::naming {
namespace {

using replication::Random;
using replication::limits::name_bytes_max;

// "" if the listing's name for `node` means `node` and nothing else; otherwise what is wrong.
std::string broken_by(const std::string& node, bool at_mount_root) {
  const std::string file_name = shown(node, at_mount_root);
  const auto parsed = parse(file_name, at_mount_root);
  const Name* name = std::get_if<Name>(&parsed);
  if (file_name.size() > name_bytes_max) {
    return "shown too long: " + file_name;
  }
  if (name == nullptr || name->view != View::plain) {
    return "shown as what is not a znode: " + file_name;
  }
  if (name->is_short ? !stands_for(*name, node) : name->node != node) {
    return "shown as another znode: " + file_name;
  }
  return "";
}

// "" if `file_name` is refused, a view, or exactly what the listing shows for the znode it means.
std::string broken_by_file_name(const std::string& file_name, bool at_mount_root) {
  const auto parsed = parse(file_name, at_mount_root);
  const Name* name = std::get_if<Name>(&parsed);
  if (name == nullptr || name->view != View::plain || name->is_short) {
    return "";
  }
  const std::string again = shown(name->node, at_mount_root);
  return again == file_name ? "" : "means what is shown as " + again;
}

void expect_round_trip(const std::string& text) {
  for (const bool at_mount_root : {false, true}) {
    const std::string broken =
        broken_by(text, at_mount_root) + broken_by_file_name(text, at_mount_root);
    ASSERT_EQ(broken, "") << text;
  }
}

TEST(RoundTrip, HoldsForEveryShortName) {
  constexpr std::string_view alphabet = "a@eshc=1";
  std::size_t names = 0;
  std::size_t as_many = 1;
  for (std::size_t size = 1; size <= 6; ++size) {
    as_many *= alphabet.size();
    for (std::size_t number = 0; number < as_many; ++number) {
      std::string text;
      for (std::size_t rest = number; text.size() < size; rest /= alphabet.size()) {
        text.push_back(alphabet[rest % alphabet.size()]);
      }
      expect_round_trip(text);
      ++names;
    }
  }
  EXPECT_EQ(names, 299'592U);
}

constexpr std::string_view tokens[] = {
    "e",
    "s",
    "es",
    "se",
    "h",
    "hs",
    "sh",
    "c",
    "data",
    "dir",
    "stat",
    "acl",
    "v=7",
    "cas",
    "sync",
    "watch",
    "next",
    "next=5",
    "gone",
    "queue",
    "watch=r",
    "locks",
    "mount",
    "exists",
    "ee",
    "ch",
    "eshc",
    "v=",
    "v=x",
    "ttl=x",
    "watch=x",
    "s,ttl=1s",
    "host",
    "",
    "Stat",
    "v",
    "ttl",
    "=",
    "next=0x5",
    "v=-1",
    "ttl=1s",
    "next=x",
    "long=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "long=0123456789abcdef"};

TEST(RoundTrip, HoldsForEveryTokenBehindEveryNumberOfAts) {
  for (const std::string_view stem : {"", "a", "user@host", "a@stat", "a@@stat", "a@ee"}) {
    for (const std::string_view first : tokens) {
      for (const std::string_view second : tokens) {
        for (std::size_t ats = 0; ats < 16; ++ats) {
          std::string text(stem);
          text.append(ats / 4, '@').append(first).append(ats % 4, '@').append(second);
          if (!text.empty()) {
            expect_round_trip(text);
          }
        }
      }
    }
  }
}

TEST(RoundTrip, HoldsForEverySuffixOfAListedName) {
  for (const std::string_view node : {"a", "user@host", "a@stat", "a@@e", "@data", "@@", "x@v=1"}) {
    const std::string file_name = shown(node, false) + "@acl";
    const auto parsed = parse(file_name, false);
    const bool ends_in_at = node.ends_with('@');
    EXPECT_EQ(
        parsed == (std::variant<Name, Refusal>(Name{.node = std::string(node), .view = View::acl})),
        !ends_in_at)
        << file_name;
  }
}

// A legal segment of one to `bytes_max` bytes: letters, characters of two and three bytes, '@' and
// whole tokens.
std::string random_segment(Random& random, std::size_t bytes_max) {
  const std::size_t wanted = 1 + random.below(bytes_max - 100);
  std::string text;
  while (text.size() < wanted) {
    switch (random.below(6)) {
      case 0:
        text.push_back('@');
        break;
      case 1:
        text.append("@").append(tokens[random.below(std::size(tokens))]);
        break;
      case 2:
        text.append("\xC3").push_back(static_cast<char>(0x80 + random.below(0x40)));
        break;
      case 3:
        text.append("\xE4\xB8").push_back(static_cast<char>(0x80 + random.below(0x40)));
        break;
      default:
        text.push_back(static_cast<char>('a' + random.below(26)));
    }
  }
  return text;
}

TEST(RoundTrip, HoldsForRandomNamesOfAnyLength) {
  Random random(20260131);
  std::set<std::string> nodes;
  std::set<std::string> file_names;
  for (int i = 0; i < 20'000; ++i) {
    const std::string node = random_segment(random, i % 2 == 0 ? 300 : 2'000);
    ASSERT_TRUE(replication::is_legal_segment(node)) << node;
    ASSERT_EQ(broken_by(node, false), "") << node;
    const std::string file_name = shown(node, false);
    ASSERT_TRUE(replication::is_legal_segment(file_name)) << "cut inside a character: " << node;
    nodes.insert(node);
    file_names.insert(file_name);
  }
  EXPECT_EQ(nodes.size(), file_names.size());
  EXPECT_GT(nodes.size(), 19'000U);
}

TEST(RoundTrip, TellsLongNamesApartThatDifferInOneByte) {
  const std::string node(1'000, 'a');
  std::set<std::string> file_names{shown(node, false)};
  for (std::size_t i = 0; i < node.size(); ++i) {
    std::string other = node;
    other[i] = 'b';
    file_names.insert(shown(other, false));
  }
  EXPECT_EQ(file_names.size(), node.size() + 1);
}

}  // namespace
}  // namespace zabfs::fusefs::naming
