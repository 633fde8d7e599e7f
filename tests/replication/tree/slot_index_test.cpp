#include "replication/tree/slot_index.hpp"

#include <gtest/gtest.h>

#include <map>

#include "replication/ports/random.hpp"

namespace zabfs::replication::tree {
namespace {

// Things that are their own hash, spread badly on purpose: eight to a hash.
struct Numbers {
  std::map<Slot, Slot> links{};
  std::uint64_t hashes_asked{};

  Slot& next_in_index(Slot slot) { return links[slot]; }
  std::uint64_t hash_of(Slot slot) {
    ++hashes_asked;
    return slot / 8;
  }
};

bool contains(const SlotIndex& index, Numbers& numbers, Slot slot) {
  const Slot found = index.find(numbers, slot / 8, [&](Slot other) { return other == slot; });
  return found == slot;
}

TEST(SlotIndex, FindsWhatIsInItAndNothingElse) {
  SlotIndex index;
  Numbers numbers;
  Random random{1};
  std::map<Slot, bool> present;
  for (int step = 0; step < 20'000; ++step) {
    const auto slot = static_cast<Slot>(random.below(3'000));
    if (present[slot]) {
      index.erase(numbers, slot / 8, slot);
    } else {
      index.insert(numbers, slot / 8, slot);
    }
    present[slot] = !present[slot];
  }
  std::size_t count = 0;
  for (const auto& [slot, is_present] : present) {
    EXPECT_EQ(contains(index, numbers, slot), is_present) << slot;
    count += is_present ? 1 : 0;
  }
  EXPECT_EQ(index.size(), count);
}

TEST(SlotIndex, NoInsertionMovesMoreThanOneChain) {
  SlotIndex index;
  Numbers numbers;
  for (Slot slot = 0; slot < 100'000; ++slot) {
    numbers.hashes_asked = 0;
    index.insert(numbers, slot / 8, slot);
    ASSERT_LE(numbers.hashes_asked, 32U) << slot;
  }
}

TEST(SlotIndex, AReservedIndexMovesNothing) {
  SlotIndex index;
  Numbers numbers;
  index.reserve(10'000);
  for (Slot slot = 0; slot < 10'000; ++slot) {
    index.insert(numbers, slot / 8, slot);
  }
  EXPECT_EQ(numbers.hashes_asked, 0U);
  EXPECT_TRUE(contains(index, numbers, 9'999));
  EXPECT_FALSE(contains(index, numbers, 10'000));
}

}  // namespace
}  // namespace zabfs::replication::tree
