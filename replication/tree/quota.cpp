#include "replication/tree/quota.hpp"

#include <algorithm>
#include <charconv>

#include "replication/model/path.hpp"

namespace zabfs::replication::tree {
namespace {

// Where the number of that key goes; null for a key that is none of ours.
std::int64_t* place_of(std::string_view key, QuotaNumbers& numbers) {
  if (key == "count") {
    return &numbers.count;
  }
  if (key == "bytes") {
    return &numbers.bytes;
  }
  if (key == "countHardLimit") {
    return &numbers.hard_count;
  }
  return key == "byteHardLimit" ? &numbers.hard_bytes : nullptr;
}

// One `key=number`, behind which older clients see an end: "bytes=7=".
bool read_part(std::string_view part, QuotaNumbers& numbers) {
  const std::size_t equals = part.find('=');
  if (equals == std::string_view::npos) {
    return false;
  }
  std::int64_t* const place = place_of(part.substr(0, equals), numbers);
  std::string_view digits = part.substr(equals + 1);
  while (digits.ends_with('=')) {
    digits.remove_suffix(1);
  }
  std::int64_t number{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  constexpr std::int64_t most = std::int64_t{1} << 62;  // so that no sum overflows
  if (place == nullptr || number > most || number < -most || error != std::errc{} ||
      end != digits.data() + digits.size()) {
    return false;
  }
  *place = number;
  return true;
}

}  // namespace

std::optional<QuotaNumbers> parse_quota(std::string_view text) {
  QuotaNumbers numbers;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(",;"), text.size());
    if (const auto part = text.substr(0, end); part != "=" && !read_part(part, numbers)) {
      return std::nullopt;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return numbers;
}

std::string usage_text(std::int64_t count, std::int64_t bytes) {
  return "count=" + std::to_string(count) + ",bytes=" + std::to_string(bytes);
}

std::string_view quota_path_of(std::string_view path, std::string_view name) {
  if (!path.starts_with(quota_root) || name_of_path(path) != name) {
    return {};
  }
  const std::string_view quota =
      parent_of(path).substr(std::min(quota_root.size(), parent_of(path).size()));
  const std::string_view own = quota_root.substr(0, quota_root.rfind('/'));
  const bool is_own = quota == own || (quota.starts_with(own) && quota[own.size()] == '/');
  return quota.starts_with('/') && !is_own ? quota : std::string_view{};
}

void QuotaPaths::remove(std::string_view path) {
  if (const auto found = paths_.find(path); found != paths_.end()) {
    paths_.erase(found);
  }
}

const std::string* QuotaPaths::nearest(std::string_view path) const {
  for (; path.size() > 1 && path.starts_with('/'); path = path.substr(0, path.rfind('/'))) {
    if (const auto found = paths_.find(path); found != paths_.end()) {
      return &*found;
    }
  }
  return nullptr;
}

}  // namespace zabfs::replication::tree
