// The simulated disk keeps what it must and may lose the rest: a harness needs tests too.
#include "tests/support/sim_disk.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace zabfs::test {
namespace {

using namespace replication;

const Bytes old_bytes(1'024, 1);
const Bytes new_bytes(1'024, 2);

// A disk with one durable file of two sectors.
SimDisk with_file(const FileName& name) {
  SimDisk disk;
  disk.put(name, old_bytes);
  return disk;
}

TEST(SimDisk, DoesJobsInOrderWhenToldAndReportsTheLastOfASubmission) {
  SimDisk disk;
  std::vector<std::uint64_t> done;
  disk.on_done([&](Ticket ticket) { done.push_back(ticket.value); });
  disk.submit({CreateFile{"a", 3}, WriteFile{"a", 1, {7}}}, {1});
  disk.submit({RenameFile{"a", "b"}}, {2});
  EXPECT_TRUE(disk.list().empty());
  EXPECT_TRUE(disk.step());
  EXPECT_TRUE(done.empty());
  EXPECT_TRUE(disk.step());
  EXPECT_EQ(done, (std::vector<std::uint64_t>{1}));
  EXPECT_EQ(disk.read("a", 0, 100), (Bytes{0, 7, 0}));
  disk.run();
  EXPECT_EQ(done, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(disk.list(), (std::vector<FileName>{"b"}));
  EXPECT_FALSE(disk.step());
}

TEST(SimDisk, ReadsNoFurtherThanTheEnd) {
  const SimDisk disk = with_file("a");
  EXPECT_EQ(disk.size("a"), 1'024U);
  EXPECT_EQ(disk.read("a", 1'000, 100).size(), 24U);
  EXPECT_EQ(disk.read("a", 5'000, 100).size(), 0U);
}

TEST(SimDisk, KeepsWhatWasSyncedThroughEveryCrash) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random chance(seed);
    SimDisk disk;
    disk.submit({CreateFile{"a", 0}, WriteFile{"a", 0, new_bytes}, SyncFile{"a"}, SyncDirectory{}},
                {1});
    disk.run();
    disk.crash(chance);
    EXPECT_EQ(disk.read("a", 0, 4'096), new_bytes);
  }
}

TEST(SimDisk, ForgetsJobsThatWereNotDone) {
  SimDisk disk = with_file("a");
  disk.submit({RemoveFile{"a"}, SyncDirectory{}}, {1});
  disk.kill();
  EXPECT_FALSE(disk.step());
  EXPECT_EQ(disk.list().size(), 1U);
}

TEST(SimDisk, KeepsUnsyncedBytesWhenOnlyTheProcessDies) {
  SimDisk disk = with_file("a");
  disk.submit({WriteFile{"a", 0, new_bytes}}, {1});
  disk.run();
  disk.kill();
  EXPECT_EQ(disk.read("a", 0, 4'096), new_bytes);
}

TEST(SimDisk, ACrashTearsUnsyncedWritesAtSectors) {
  std::set<Bytes> outcomes;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random chance(seed);
    SimDisk disk = with_file("a");
    disk.submit({WriteFile{"a", 0, new_bytes}}, {1});
    disk.run();
    disk.crash(chance);
    outcomes.insert(disk.read("a", 0, 4'096));
  }
  Bytes first_only = old_bytes;
  std::fill_n(first_only.begin(), SimDisk::sector_bytes, std::uint8_t{2});
  Bytes second_only = new_bytes;
  std::fill_n(second_only.begin(), SimDisk::sector_bytes, std::uint8_t{1});
  EXPECT_EQ(outcomes, (std::set<Bytes>{old_bytes, new_bytes, first_only, second_only}));
}

TEST(SimDisk, ACrashMayLeaveGarbageOnlyWhereNothingWasDurable) {
  bool is_garbage_seen = false;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Random chance(seed);
    SimDisk disk = with_file("a");
    disk.submit({WriteFile{"a", 1'000, Bytes(1'048, 3)}}, {1});
    disk.run();
    disk.crash(chance);
    const Bytes left = disk.read("a", 0, 4'096);
    EXPECT_TRUE(std::equal(left.begin(), left.begin() + 1'000, old_bytes.begin()));
    is_garbage_seen |= std::any_of(left.begin() + 1'024, left.end(),
                                   [](std::uint8_t byte) { return byte != 0 && byte != 3; });
  }
  EXPECT_TRUE(is_garbage_seen);
}

TEST(SimDisk, ACrashKeepsOrLosesEachUnsyncedNameAndTruncation) {
  std::set<std::vector<FileName>> names;
  std::set<std::uint64_t> sizes;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random chance(seed);
    SimDisk disk = with_file("a");
    disk.put("c", old_bytes);
    disk.submit({RenameFile{"a", "b"}, TruncateFile{"c", 8}, CreateFile{"d", 0}}, {1});
    disk.run();
    disk.crash(chance);
    names.insert(disk.list());
    sizes.insert(disk.size("c"));
  }
  EXPECT_EQ(names, (std::set<std::vector<FileName>>{
                       {"a", "c"}, {"b", "c"}, {"a", "c", "d"}, {"b", "c", "d"}}));
  EXPECT_EQ(sizes, (std::set<std::uint64_t>{8, 1'024}));
}

TEST(SimDisk, ARenameReplacesAtomically) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random chance(seed);
    SimDisk disk = with_file("a");
    disk.put("b", new_bytes);
    disk.submit({RenameFile{"a", "b"}}, {1});
    disk.run();
    disk.crash(chance);
    const bool is_renamed = disk.list().size() == 1;
    EXPECT_EQ(disk.read("b", 0, 4'096), is_renamed ? old_bytes : new_bytes);
  }
}

TEST(SimDisk, OneSeedIsOneDisaster) {
  const auto disaster = [](std::uint64_t seed) {
    Random chance(seed);
    SimDisk disk = with_file("a");
    disk.submit({WriteFile{"a", 100, Bytes(9'000, 5)}}, {1});
    disk.run();
    disk.crash(chance);
    return disk.read("a", 0, 10'000);
  };
  EXPECT_EQ(disaster(7), disaster(7));
}

}  // namespace
}  // namespace zabfs::test
