#include "replication/tree/snapshot_writer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "replication/tree/snapshot_format.hpp"
#include "replication/tree/snapshot_reader.hpp"
#include "tests/replication/tree/samples.hpp"

namespace zabfs::replication::tree {
namespace {

// More than one record takes here.
constexpr std::size_t node_bytes = 200;

std::vector<Bytes> rest_of(SnapshotWriter& writer) {
  std::vector<Bytes> slices;
  for (bool more = true; more;) {
    more = writer.next_slice(slices.emplace_back());
  }
  return slices;
}

LoadedSnapshot all_loaded(const std::vector<Bytes>& slices) {
  SnapshotReader reader;
  for (const Bytes& slice : slices) {
    EXPECT_EQ(reader.append(slice), std::nullopt);
  }
  auto finished = std::move(reader).finish();
  EXPECT_TRUE(std::holds_alternative<LoadedSnapshot>(finished)) << std::get<std::string>(finished);
  return std::get<LoadedSnapshot>(std::move(finished));
}

DataTree loaded(const std::vector<Bytes>& slices) { return all_loaded(slices).tree; }

void fill(Applying& apply, int count) {
  for (int i = 0; i < count; ++i) {
    apply(create("/" + std::to_string(i), i + 1, "twenty bytes of data"));
  }
}

TEST(SnapshotWriter, AnIdleTreeComesInSlicesOfTheAgreedSize) {
  Applying apply;
  fill(apply, 1'000);
  SnapshotWriter by_count{apply.tree, {}, {.nodes = 100, .bytes = 1'000'000}};
  const auto slices = rest_of(by_count);
  EXPECT_EQ(slices.size(), 1 + 11 + 1U);
  EXPECT_EQ(everything_in(loaded(slices)), everything_in(apply.tree));
}

TEST(SnapshotWriter, ASliceExceedsItsBytesByOneNodeAtMost) {
  Applying apply;
  fill(apply, 1'000);
  SnapshotWriter writer{apply.tree, {}, {.nodes = 1'000'000, .bytes = 5'000}};
  Bytes header;
  writer.next_slice(header);
  for (const Bytes& slice : rest_of(writer)) {
    EXPECT_LE(slice.size(), 5'000 + node_bytes);
  }
}

TEST(SnapshotWriter, WhatTransactionsForceComesInSlicesToo) {
  Applying apply;
  fill(apply, 1'000);
  const auto before = everything_in(apply.tree);
  SnapshotWriter writer{apply.tree, {}, {.nodes = 1'000'000, .bytes = 5'000}};
  for (int i = 0; i < 1'000; ++i) {
    apply(DeleteNode{.path = "/" + std::to_string(i)});
  }
  const auto slices = rest_of(writer);
  for (std::size_t i = 1; i < slices.size(); ++i) {
    EXPECT_LE(slices[i].size(), 5'000 + node_bytes);
  }
  EXPECT_EQ(everything_in(loaded(slices)), before);
}

// Whatever makes it too long: sessions, ACLs, a znode, or one that a transaction forces.
TEST(SnapshotWriter, NoSliceIsLongerThanTheMost) {
  for (const std::size_t most : {part_overhead_bytes + 1, 50UL, 499UL, 5'000UL}) {
    Applying apply;
    fill(apply, 50);
    CreateNode large = create("/large", 51, std::string(2'000, 'x'));
    large.acl.front().identity.id = std::string(1'000, 'y');
    apply(large);
    apply(create("/large/too", 1, std::string(2'000, 'z')));
    const auto before = everything_in(apply.tree);
    const Bytes sessions(3'000, 's');
    SnapshotWriter writer{apply.tree, sessions, {.bytes = 300, .bytes_max = most}};
    std::vector<Bytes> slices(1);
    writer.next_slice(slices.front());
    apply(SetData{.path = "/large/too", .data = Bytes(1, 'n'), .version = 1});
    for (Bytes& slice : rest_of(writer)) {
      slices.push_back(std::move(slice));
    }
    for (const Bytes& slice : slices) {
      EXPECT_LE(slice.size(), most);
      EXPECT_FALSE(slice.empty());
    }
    const LoadedSnapshot again = all_loaded(slices);
    EXPECT_EQ(everything_in(again.tree), before);
    EXPECT_EQ(again.sessions, sessions);
  }
}

TEST(SnapshotWriter, OnlyWhatIsTooLongIsCut) {
  Applying apply;
  fill(apply, 50);
  const auto parts_of = [&](std::size_t session_bytes) {
    SnapshotWriter writer{apply.tree, Bytes(session_bytes, 's')};
    const auto slices = rest_of(writer);
    for (const Bytes& slice : slices) {
      EXPECT_LE(slice.size(), limits::snapshot_slice_bytes_max);
    }
    EXPECT_EQ(all_loaded(slices).sessions, Bytes(session_bytes, 's'));
    return std::ranges::count_if(slices, [](const Bytes& slice) {
      return slice.front() == static_cast<std::uint8_t>(RecordKind::part);
    });
  };
  EXPECT_EQ(parts_of(0), 0);
  EXPECT_EQ(parts_of(limits::snapshot_slice_bytes_max - 1'024), 0);
  EXPECT_EQ(parts_of(limits::snapshot_slice_bytes_max), 2);
  EXPECT_EQ(parts_of(32 * limits::sessions_max), 16);
}

// As slices were before any was cut.
TEST(SnapshotWriter, ASliceOfAnyLengthIsRead) {
  Applying apply;
  const Bytes sessions(3 * limits::snapshot_slice_bytes_max, 's');
  SnapshotWriter writer{apply.tree, sessions, {.bytes_max = 2 * sessions.size()}};
  const auto slices = rest_of(writer);
  EXPECT_GT(slices.front().size(), sessions.size());
  EXPECT_EQ(all_loaded(slices).sessions, sessions);
}

TEST(SnapshotWriter, ANodeInAReusedSlotIsNotPartOfIt) {
  Applying apply;
  apply(create("/old", 1));
  const auto before = everything_in(apply.tree);
  SnapshotWriter writer{apply.tree, {}};
  apply(DeleteNode{.path = "/old"});
  apply(create("/new", 2));
  EXPECT_EQ(everything_in(loaded(rest_of(writer))), before);
}

TEST(SnapshotWriter, AnAclThatIsReplacedMeanwhileIsStillTheOldOne) {
  Applying apply;
  CreateNode special = create("/special", 1);
  special.acl = {{permission::read, {"digest", "bob:x"}}};
  apply(special);
  const auto before = everything_in(apply.tree);
  SnapshotWriter writer{apply.tree, {}};
  apply(DeleteNode{.path = "/special"});
  special.acl = {{permission::write, {"digest", "eve:y"}}};
  special.parent_creates = 2;
  apply(special);
  EXPECT_EQ(everything_in(loaded(rest_of(writer))), before);
}

TEST(SnapshotWriter, OneBegunAndAbandonedLeavesTheTreeAlone) {
  Applying apply;
  fill(apply, 10);
  {
    SnapshotWriter writer{apply.tree, {}};
    EXPECT_EQ(writer.zxid(), Zxid{10});
  }
  apply(DeleteNode{.path = "/3"});
  SnapshotWriter again{apply.tree, {}};
  EXPECT_EQ(loaded(rest_of(again)).digest(), apply.tree.digest());
}

TEST(SnapshotWriterDeathTest, RefusesASecondWriterOfOneTree) {
  DataTree tree;
  SnapshotWriter writer{tree, {}};
  EXPECT_DEATH((SnapshotWriter{tree, {}}), "being written already");
}

}  // namespace
}  // namespace zabfs::replication::tree
