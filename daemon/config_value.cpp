#include "daemon/config_value.hpp"

#include <algorithm>
#include <cctype>

namespace zabfs::daemon {

std::string quoted(std::string_view text) {
  std::string shown = "'";
  for (const char c : text.substr(0, 60)) {
    shown += c >= ' ' && c != '\x7f' ? c : '?';
  }
  return shown + (text.size() > 60 ? "...'" : "'");
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\f\v";
  const auto first = text.find_first_not_of(blank);
  return first == text.npos ? std::string_view{}
                            : text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::optional<std::int64_t> number_in(std::string_view text, Range range) {
  std::int64_t parsed{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  const bool is_whole = error == std::errc{} && end == text.data() + text.size();
  return is_whole && parsed >= range.min && parsed <= range.max ? std::optional(parsed)
                                                                : std::nullopt;
}

Complaint truth(std::string_view value, bool& to) {
  const std::string word = lowered(value);
  if (word != "true" && word != "false") {
    return quoted(value) + " is neither true nor false";
  }
  to = word == "true";
  return std::nullopt;
}

std::string lowered(std::string_view text) {
  std::string small(text);
  std::ranges::transform(small, small.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return small;
}

}  // namespace zabfs::daemon
