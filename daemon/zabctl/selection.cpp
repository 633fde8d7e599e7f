#include "daemon/zabctl/selection.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <limits>
#include <regex>

#include "daemon/zabctl/failure.hpp"
#include "daemon/zabctl/transaction_text.hpp"

namespace zabfs::daemon::zabctl {

using replication::Epoch;
using replication::SessionId;
using replication::Zxid;

namespace {

template <class T>
std::optional<T> number(std::string_view text, int base) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty()
             ? std::optional(value)
             : std::nullopt;
}

std::optional<Zxid> parse_zxid(std::string_view text) {
  if (text.starts_with("0x")) {
    const auto value = number<std::uint64_t>(text.substr(2), 16);
    return value ? std::optional(Zxid{*value}) : std::nullopt;
  }
  const auto point = text.find('.');
  if (point == std::string_view::npos) {
    return std::nullopt;
  }
  const auto epoch = number<std::uint32_t>(text.substr(0, point), 10);
  const auto counter = number<std::uint32_t>(text.substr(point + 1), 10);
  return epoch && counter ? std::optional(Zxid::at(Epoch{*epoch}, *counter)) : std::nullopt;
}

std::optional<std::int64_t> parse_time(const std::string& text) {
  static const std::regex form(
      R"((\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?)?Z?)");
  std::smatch part;
  if (!std::regex_match(text, part, form)) {
    return std::nullopt;
  }
  const auto field = [&](std::size_t at) {
    return part[at].matched ? std::stoi(part[at].str()) : 0;
  };
  std::tm fields{};
  fields.tm_year = field(1) - 1900;
  fields.tm_mon = field(2) - 1;
  fields.tm_mday = field(3);
  fields.tm_hour = field(4);
  fields.tm_min = field(5);
  fields.tm_sec = field(6);
  const std::string fraction = part[7].matched ? (part[7].str() + "00").substr(0, 3) : "0";
  return std::int64_t{::timegm(&fields)} * 1000 + std::stoi(fraction);
}

bool is_before(const replication::tree::TransactionHeader& header, const Moment& moment) {
  const auto* zxid = std::get_if<Zxid>(&moment);
  return zxid != nullptr ? header.zxid < *zxid : header.time_ms < std::get<std::int64_t>(moment);
}

bool is_behind(const replication::tree::TransactionHeader& header, const Moment& moment) {
  const auto* zxid = std::get_if<Zxid>(&moment);
  return zxid != nullptr ? header.zxid > *zxid : header.time_ms > std::get<std::int64_t>(moment);
}

}  // namespace

Moment parse_moment(const std::string& text) {
  if (const auto zxid = parse_zxid(text)) {
    return *zxid;
  }
  if (const auto time = parse_time(text)) {
    return *time;
  }
  throw UsageError("'" + text +
                   "' is neither a zxid (0x200000007 or 2.7) nor a time of UTC "
                   "(2026-05-04 or 2026-05-04T12:30:01).");
}

SessionId parse_session(const std::string& text) {
  if (text.starts_with("0x")) {
    if (const auto value = number<std::uint64_t>(std::string_view(text).substr(2), 16)) {
      return {static_cast<std::int64_t>(*value)};
    }
  } else if (const auto value = number<std::int64_t>(text, 10)) {
    return {*value};
  }
  throw UsageError("'" + text + "' is no session: write its number, as in 0x100000123450000.");
}

bool lies_in(std::string_view path, std::string_view subtree) {
  return subtree.empty() || subtree == "/" || path == subtree ||
         (path.size() > subtree.size() && path.starts_with(subtree) && path[subtree.size()] == '/');
}

bool Selection::includes(const replication::tree::Transaction& transaction) const {
  const auto& header = transaction.header;
  if ((from && is_before(header, *from)) || (to && is_behind(header, *to)) ||
      (session && header.session != *session)) {
    return false;
  }
  return path.empty() || std::ranges::any_of(paths_of(transaction), [&](std::string_view touched) {
           return lies_in(touched, path);
         });
}

}  // namespace zabfs::daemon::zabctl
