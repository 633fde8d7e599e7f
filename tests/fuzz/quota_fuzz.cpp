// Arbitrary bytes as the text of a quota and as a path: whatever is read has a meaning that comes
// back.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "replication/model/check.hpp"
#include "replication/tree/quota.hpp"

using namespace zabfs::replication::tree;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto numbers = parse_quota(text)) {
    const auto again = parse_quota(usage_text(numbers->count, numbers->bytes));
    CHECK(again && again->count == numbers->count && again->bytes == numbers->bytes, text);
  }
  const std::string path =
      std::string(quota_root) + std::string(text) + "/" + std::string(quota_limits_name);
  for (const std::string_view one : {text, std::string_view(path)}) {
    const std::string_view quota = quota_path_of(one, quota_limits_name);
    CHECK(quota.empty() || quota.starts_with('/'), one);
    QuotaPaths paths;
    paths.add(quota);
    const std::string* nearest = paths.nearest(one);
    CHECK(nearest == nullptr || one.starts_with(*nearest), one);
  }
  return 0;
}
