#include "replication/ports/random.hpp"

#include <gtest/gtest.h>

#include <map>

namespace zabfs::replication {
namespace {

TEST(Random, IsSplitMix64) {
  Random random{1234567};
  for (const std::uint64_t published :
       {6457827717110365317U, 3203168211198807973U, 9817491932198370423U, 4593380528125082431U,
        16408922859458223821U}) {
    EXPECT_EQ(random.next(), published);
  }
}

TEST(Random, RepeatsItselfForTheSameSeed) {
  Random one{42};
  Random other{42};
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(one.below(1000), other.below(1000));
  }
}

TEST(Random, DrawsEveryNumberBelowTheBoundAboutEquallyOften) {
  Random random{1};
  std::map<std::uint64_t, int> drawn;
  for (int i = 0; i < 60'000; ++i) {
    ++drawn[random.below(6)];
  }
  ASSERT_EQ(drawn.size(), 6U);
  EXPECT_EQ(drawn.rbegin()->first, 5U);
  for (const auto& [number, times] : drawn) {
    EXPECT_NEAR(times, 10'000, 500) << number;
  }
}

TEST(Random, IsUniformBelowBoundsThatDoNotDivideItsRange) {
  // The remainders of all 64-bit numbers would fall into the lowest third half of the time.
  const std::uint64_t third = std::uint64_t{1} << 62;
  Random random{2};
  int in_lowest_third = 0;
  for (int i = 0; i < 30'000; ++i) {
    const std::uint64_t drawn = random.below(3 * third);
    EXPECT_LT(drawn, 3 * third);
    in_lowest_third += drawn < third ? 1 : 0;
    EXPECT_EQ(random.below(1), 0U);
  }
  EXPECT_NEAR(in_lowest_third, 10'000, 500);
}

TEST(RandomDeathTest, HasNothingBelowZero) {
  Random random{3};
  EXPECT_DEATH(random.below(0), "nothing is below 0");
}

}  // namespace
}  // namespace zabfs::replication
