#include "replication/pipeline/address_range.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

namespace zabfs::replication::pipeline {
namespace {

constexpr std::size_t text_max = 64;  // longer than any address with its bits

struct Range {
  bool is_v6{};
  std::array<std::uint8_t, 16> bytes{};  // the first four are the address if it is of IPv4
  unsigned bits{};                       // that count
};

std::optional<Range> parse_address(std::string_view text) {
  const std::string terminated(text);
  Range range;
  if (inet_pton(AF_INET, terminated.c_str(), range.bytes.data()) == 1) {
    range.bits = 32;
    return range;
  }
  if (inet_pton(AF_INET6, terminated.c_str(), range.bytes.data()) == 1) {
    range.is_v6 = true;
    range.bits = 128;
    return range;
  }
  return std::nullopt;
}

std::optional<Range> parse(std::string_view text) {
  if (text.size() > text_max || text.find('\0') != text.npos) {
    return std::nullopt;
  }
  const auto slash = text.find('/');
  auto range = parse_address(text.substr(0, slash));
  if (range && slash != text.npos) {
    const auto digits = text.substr(slash + 1);
    unsigned bits{};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (error != std::errc{} || end != digits.data() + digits.size() || bits > range->bits) {
      return std::nullopt;
    }
    range->bits = bits;
  }
  return range;
}

}  // namespace

bool is_address_range(std::string_view range) { return parse(range).has_value(); }

bool is_in_range(std::string_view address, std::string_view range) {
  const auto one = parse(address);
  const auto all = parse(range);
  if (!one || !all || one->is_v6 != all->is_v6) {
    return false;
  }
  const std::size_t whole = all->bits / 8;
  if (!std::equal(one->bytes.begin(), one->bytes.begin() + whole, all->bytes.begin())) {
    return false;
  }
  const unsigned rest = all->bits % 8;
  return rest == 0 || ((one->bytes.at(whole) ^ all->bytes.at(whole)) >> (8 - rest)) == 0;
}

}  // namespace zabfs::replication::pipeline
