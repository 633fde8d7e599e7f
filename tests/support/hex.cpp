#include "tests/support/hex.hpp"

#include <charconv>

#include "replication/model/check.hpp"

namespace zabfs::test {
namespace {

// Takes a number off the front of `text`, of at most `digits_max` digits.
std::size_t take_number(std::string_view& text, std::size_t digits_max, int base) {
  const std::string_view digits = text.substr(0, digits_max);
  std::size_t number = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  CHECK(error == std::errc{}, "not a number: ", text);
  text.remove_prefix(static_cast<std::size_t>(end - digits.data()));
  return number;
}

}  // namespace

replication::Bytes from_hex(std::string_view text) {
  replication::Bytes bytes;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
    if (text.empty()) {
      return bytes;
    }
    const auto octet = static_cast<std::uint8_t>(take_number(text, 2, 16));
    std::size_t times = 1;
    if (text.starts_with('*')) {
      text.remove_prefix(1);
      times = take_number(text, text.size(), 10);
    }
    bytes.insert(bytes.end(), times, octet);
  }
}

std::string to_hex(replication::ByteView bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0 && i % 4 == 0) {
      text += ' ';
    }
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 0x0F];
  }
  return text;
}

}  // namespace zabfs::test
