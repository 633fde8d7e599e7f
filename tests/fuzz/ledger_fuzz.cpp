// Arbitrary bytes as what a predecessor has written down: they are refused, or add up to a state
// whose shortest form says the same.
#include <cstddef>
#include <cstdint>

#include "fusefs/continuity/state.hpp"
#include "replication/model/check.hpp"

using zabfs::fusefs::continuity::State;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  State state;
  if (!state.apply_group({data, size})) {
    return 0;
  }
  const auto group = state.as_group();
  State again;
  CHECK(again.apply_group(group), "its own form is read");
  CHECK(again.as_group() == group, "and says the same");
  return 0;
}
