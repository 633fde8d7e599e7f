// The bytes of a snapshot: golden bytes, and what is no whole one.
#include "replication/store/snapshot_format.hpp"

#include <gtest/gtest.h>

#include "replication/store/layout.hpp"
#include "tests/support/hex.hpp"
#include "tests/support/hostile_bytes.hpp"
#include "tests/support/sim_disk.hpp"

namespace zabfs::replication::store {
namespace {

constexpr SnapshotId here{.generation = {4}, .taken_at = Zxid::at({2}, 5)};
constexpr Zxid reached = Zxid::at({2}, 9);

Bytes snapshot_of(const std::vector<std::string>& slices) {
  SnapshotEncoder encoder;
  Bytes file = encoder.header(here);
  const auto add = [&](const Bytes& bytes) { file.insert(file.end(), bytes.begin(), bytes.end()); };
  for (const auto& slice : slices) {
    add(encoder.slice(bytes_of(slice)));
  }
  add(encoder.trailer(reached));
  EXPECT_EQ(encoder.bytes(), file.size());
  return file;
}

// Reads `file` under the name of the sample's zxid.
Verdict<Zxid> read(const Bytes& file, std::vector<std::string>* slices = nullptr) {
  test::SimDisk disk;
  disk.put(snapshot_name(here), file);
  return read_snapshot(disk, here, [&](ByteView slice) -> std::optional<std::string> {
    if (slices != nullptr) {
      slices->emplace_back(text_of(slice));
    }
    return std::nullopt;
  });
}

TEST(SnapshotFormat, HasItsDocumentedBytes) {
  EXPECT_EQ(test::to_hex(snapshot_of({"tree"})),
            "7a616266 73736e70 00000002 00000004 00000002 00000005 de6e4c38 a8dede8a "
            "00000004 87096d3f 12347a70 74726565 "
            "00000000 00000000 00000001 00000000 00000054 00000002 00000009 30f4aa27 f825470d");
}

TEST(SnapshotFormat, IsReadAsItWasWritten) {
  const std::vector<std::string> slices{"one", std::string(5'000, 'x'), "three"};
  std::vector<std::string> seen;
  const auto read_reached = read(snapshot_of(slices), &seen);
  ASSERT_TRUE(read_reached);
  EXPECT_EQ(*read_reached, reached);
  EXPECT_EQ(seen, slices);
}

TEST(SnapshotFormat, MayBeEmpty) { EXPECT_TRUE(read(snapshot_of({}))); }

TEST(SnapshotFormat, NothingElseIsWhole) {
  const Bytes valid = snapshot_of({"one", "two"});
  for (std::size_t bit = 0; bit < valid.size() * 8; ++bit) {
    Bytes flipped = valid;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    EXPECT_FALSE(read(flipped)) << bit;
  }
  for (const auto& bytes : test::truncations_of(valid)) {
    EXPECT_FALSE(read(bytes));
  }
  for (const auto& bytes : test::lies_about_counts_of(valid)) {
    EXPECT_TRUE(bytes == valid || !read(bytes));
  }
  for (const auto& bytes : test::random_runs(1, 2'000, 100)) {
    EXPECT_FALSE(read(bytes));
  }
  Bytes longer = valid;
  longer.push_back(0);
  EXPECT_FALSE(read(longer));
}

TEST(SnapshotFormat, NoSliceCanBeMissingOrMoved) {
  const Bytes whole = snapshot_of({"one", "two", "six"});
  constexpr std::size_t header = 32;
  constexpr std::size_t slice = 12 + 3;
  const auto at = [&](std::size_t index) {
    return whole.begin() + static_cast<std::ptrdiff_t>(header + index * slice);
  };
  Bytes missing(whole.begin(), at(1));
  missing.insert(missing.end(), at(2), whole.end());
  EXPECT_FALSE(read(missing));
  Bytes swapped(whole.begin(), at(0));
  swapped.insert(swapped.end(), at(1), at(2));
  swapped.insert(swapped.end(), at(0), at(1));
  swapped.insert(swapped.end(), at(2), whole.end());
  EXPECT_FALSE(read(swapped));
}

TEST(SnapshotFormat, AnotherNameIsAnotherSnapshot) {
  for (const SnapshotId& other :
       {SnapshotId{here.generation, reached}, SnapshotId{{3}, here.taken_at}}) {
    test::SimDisk disk;
    disk.put(snapshot_name(other), snapshot_of({"one"}));
    EXPECT_FALSE(read_snapshot(disk, other, [](ByteView) { return std::nullopt; }));
  }
}

}  // namespace
}  // namespace zabfs::replication::store
