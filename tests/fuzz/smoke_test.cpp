// Drives one fuzz target for a moment where there is no libFuzzer.
#include <gtest/gtest.h>

#include "tests/support/hostile_bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace zabfs::test {
namespace {

TEST(Fuzz, SurvivesRandomBytes) {
  for (const auto& run : random_runs(1, 5'000, 120)) {
    EXPECT_EQ(LLVMFuzzerTestOneInput(run.data(), run.size()), 0);
  }
}

}  // namespace
}  // namespace zabfs::test
