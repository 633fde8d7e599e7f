// What many measured times come to. The middle says what something costs; the far end, how long
// somebody waits now and then.
#pragma once

#include <vector>

namespace zabfs::benchmark {

// In the unit of the values; all 0 without any.
struct Distribution {
  double median{};
  double p99{};
  double p999{};
  double max{};
};

Distribution distribution_of(std::vector<float> values);

}  // namespace zabfs::benchmark
