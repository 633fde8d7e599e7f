#include "tests/benchmark/distribution.hpp"

#include <algorithm>
#include <cstddef>

namespace zabfs::benchmark {

Distribution distribution_of(std::vector<float> values) {
  if (values.empty()) {
    return {};
  }
  std::ranges::sort(values);
  const auto at = [&values](double fraction) -> double {
    return values[static_cast<std::size_t>(fraction * static_cast<double>(values.size() - 1))];
  };
  return {.median = at(0.5), .p99 = at(0.99), .p999 = at(0.999), .max = at(1)};
}

}  // namespace zabfs::benchmark
