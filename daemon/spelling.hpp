// Which known word somebody probably meant: for error messages about words that do not exist.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string_view>

namespace zabfs::daemon {

// How many letters must be inserted, removed or replaced to make `b` of `a` (Levenshtein's
// distance); case does not count.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The key of `known` that is nearest to `word`, if it is near enough to be a slip: at most a third
// of its letters differ.
template <class Value>
std::optional<std::string_view> nearest_spelling(std::string_view word,
                                                 const std::map<std::string_view, Value>& known) {
  std::optional<std::string_view> nearest;
  std::size_t distance = word.size() / 3 + 1;
  for (const auto& [candidate, value] : known) {
    if (const auto here = edit_distance(word, candidate); here < distance) {
      distance = here;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace zabfs::daemon
