// What a value of the configuration may be, and the sentence that says so when it is not.
//
// A reader returns what is wrong with a value, or nothing once it has stored it.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace zabfs::daemon {

using Complaint = std::optional<std::string>;

struct Range {
  std::int64_t min{};
  std::int64_t max{};
};

// `text` for a message: within quotes, without control characters, and not endless.
std::string quoted(std::string_view text);

// `text` without blanks at either end.
std::string_view trimmed(std::string_view text);

// The number that `text` is, if it is nothing else and lies within `range`.
std::optional<std::int64_t> number_in(std::string_view text, Range range);

// A number within `range`.
Complaint number(std::string_view value, Range range, auto& to) {
  const auto parsed = number_in(value, range);
  if (!parsed) {
    return quoted(value) + " is not a number from " + std::to_string(range.min) + " to " +
           std::to_string(range.max);
  }
  to = static_cast<std::remove_reference_t<decltype(to)>>(*parsed);
  return std::nullopt;
}

// `true` or `false`, in capitals or not.
Complaint truth(std::string_view value, bool& to);

// `text` in small letters.
std::string lowered(std::string_view text);

}  // namespace zabfs::daemon
