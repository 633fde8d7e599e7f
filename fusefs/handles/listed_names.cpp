#include "fusefs/handles/listed_names.hpp"

#include <xxhash.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace zabfs::fusefs::handles {
namespace {

constexpr std::uint64_t place_of_data = std::uint64_t{1} << 62;

std::uint64_t place_of(std::string_view name) {
  if (name == "." || name == "..") {
    return name.size();
  }
  return name == "@data" ? place_of_data
                         : 3 + XXH3_64bits(name.data(), name.size()) % (place_of_data - 3);
}

}  // namespace

ListedNames::ListedNames(std::vector<std::string> names) {
  std::vector<std::pair<std::uint64_t, std::string>> placed;
  placed.reserve(names.size());
  for (auto& name : names) {
    const std::uint64_t place = place_of(name);
    placed.emplace_back(place, std::move(name));
  }
  std::ranges::sort(placed);
  std::uint64_t last = 0;
  for (auto& [place, name] : placed) {
    last = std::max(place, last + 1);  // Of two names with one hash, the second comes behind.
    places_.push_back(last);
    names_.push_back(std::move(name));
  }
}

ListedNames::Part ListedNames::behind(std::uint64_t place) const {
  const auto first = std::ranges::upper_bound(places_, place) - places_.begin();
  const auto begin = static_cast<std::size_t>(first);
  return {std::span(names_).subspan(begin), std::span(places_).subspan(begin)};
}

}  // namespace zabfs::fusefs::handles
