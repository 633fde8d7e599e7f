#include "fusefs/handles/listed_names.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace zabfs::fusefs::handles {
namespace {

std::vector<std::string> names_behind(const ListedNames& names, std::uint64_t place) {
  const auto part = names.behind(place);
  return {part.names.begin(), part.names.end()};
}

TEST(ListedNames, HaveTheSameOrderHoweverTheyCome) {
  std::vector<std::string> names{"@data", "b", "..", "a", ".", "c"};
  const auto listed = names_behind(ListedNames(names), 0);
  EXPECT_EQ(listed[0], ".");
  EXPECT_EQ(listed[1], "..");
  EXPECT_EQ(listed.back(), "@data");
  std::ranges::reverse(names);
  EXPECT_EQ(names_behind(ListedNames(names), 0), listed);
}

TEST(ListedNames, LeadOnInAnotherListing) {
  std::vector<std::string> names{".", ".."};
  for (int i = 0; i < 1'000; ++i) {
    names.push_back("n" + std::to_string(i));
  }
  const ListedNames all(names);
  const auto part = all.behind(0);
  std::erase(names, part.names[400]);
  std::erase(names, part.names[600]);
  names.emplace_back("new");
  auto rest = names_behind(ListedNames(names), part.places[400]);
  std::erase(rest, "new");
  auto expected = names_behind(all, part.places[400]);
  std::erase(expected, part.names[600]);
  EXPECT_EQ(rest, expected);
}

TEST(ListedNames, HaveDifferentPlacesThatAnOffsetCanBe) {
  std::vector<std::string> names{"same", "same", "@data"};
  for (int i = 0; i < 10'000; ++i) {
    names.push_back(std::to_string(i));
  }
  const ListedNames listed(names);
  std::uint64_t last = 0;
  for (const auto place : listed.behind(0).places) {
    EXPECT_GT(place, last);
    last = place;
  }
  EXPECT_LE(last, std::uint64_t{INT64_MAX});
  EXPECT_TRUE(listed.behind(last).names.empty());
  EXPECT_TRUE(ListedNames().behind(0).names.empty());
}

}  // namespace
}  // namespace zabfs::fusefs::handles
