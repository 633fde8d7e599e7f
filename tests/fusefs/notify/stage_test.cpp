// What the replayer's system calls are answered, whatever has become of the znode.
#include "fusefs/notify/stage.hpp"

#include <gtest/gtest.h>

#include "tests/fusefs/filesystem/mounted_fake.hpp"

namespace zabfs::test {
namespace {

using fusefs::Attributes;
using fusefs::Done;
using fusefs::Entry;
using fusefs::Opened;
using fusefs::Place;
using fusefs::notify::Deed;
using fusefs::notify::Replay;
using fusefs::notify::shown_path;

struct Staged : MountedFake {
  Answer stage_lookup(const Place& place) {
    return ask<Entry>([&](auto r) { stage.lookup(std::move(r), place); });
  }
  Answer stage_make_file(const Place& place) {
    return ask<Entry>([&](auto r) { stage.make_file(std::move(r), place); });
  }
  Answer stage_remove(const Place& place) {
    return ask<Done>([&](auto r) { stage.remove_file(std::move(r), place); });
  }
  fusefs::notify::Stage stage{fs.insides().inodes, fs.insides().appearance};
};

TEST(Stage, WithoutAReplayNothingIsAnswered) {
  Staged m;
  EXPECT_EQ(m.stage_lookup({root, "f"}).error, EPERM);
  EXPECT_EQ(m.stage_remove({root, "f"}).error, EPERM);
}

TEST(Stage, WhatIsMadeIsNotThereBeforeAndIsTheInodeThatOthersSee) {
  Staged m;
  m.ensemble.create("/d", std::nullopt);
  m.ensemble.create("/d/f", bytes("1"));
  const auto d = m.walk("/d").inode;
  const auto seen = m.look_up("f", d);
  const auto node = m.fs.insides().inodes.find(seen.inode)->node;
  const auto requests = m.ensemble.request_count();
  m.stage.begin({.deed = Deed::make_file, .path = "/d/f", .node = node});
  EXPECT_EQ(m.stage_lookup({root, "d"}).inode, d);
  EXPECT_EQ(m.stage_lookup({d, "f"}).error, ENOENT);
  EXPECT_EQ(m.stage_lookup({d, "other"}).error, ENOENT);
  EXPECT_EQ(m.stage_make_file({d, "other"}).error, EPERM);
  EXPECT_EQ(m.stage_make_file({d, "f"}).inode, seen.inode);
  EXPECT_EQ(m.ensemble.request_count(), requests);
}

TEST(Stage, WhatIsGoneAgainIsAGhostThatNobodyElseSees) {
  Staged m;
  Replay replay{.deed = Deed::make_file, .path = "/f"};
  replay.node.stat.czxid = 4;
  replay.node.data = fusefs::inodes::DataKind::present;
  m.stage.begin(replay);
  const auto ghost = m.stage_make_file({root, "f"});
  EXPECT_EQ(ghost.error, 0);
  EXPECT_EQ(m.look_up("f").error, ENOENT);
  m.stage.begin({.deed = Deed::remove_file, .path = "/f", .inode = ghost.inode});
  EXPECT_EQ(m.stage_lookup({root, "f"}).inode, ghost.inode);
  EXPECT_EQ(m.stage_remove({root, "f"}).error, 0);
}

TEST(Stage, WhatIsRemovedIsTheInodeThatItWas) {
  Staged m;
  m.ensemble.create("/f", bytes("1"));
  const auto old = m.look_up("f").inode;
  m.ensemble.remove("/f");
  m.ensemble.create("/f", bytes("2"));
  const auto young = m.look_up("f").inode;
  ASSERT_NE(old, young);
  m.stage.begin({.deed = Deed::remove_file, .path = "/f", .inode = old});
  EXPECT_EQ(m.stage_lookup({root, "f"}).inode, old);
  EXPECT_EQ(m.stage_remove({root, "f"}).error, 0);
  EXPECT_EQ(m.look_up("f").inode, young);
}

TEST(Stage, LookupsAreCountedSoThatTheKernelCanForgetThem) {
  Staged m;
  m.stage.begin({.deed = Deed::remove_file, .path = "/a/f"});
  const auto above = m.stage_lookup({root, "a"});
  const auto ghost = m.stage_lookup({above.inode, "f"});
  auto& inodes = m.fs.insides().inodes;
  const auto size = inodes.size();
  m.fs.forget(ghost.inode, 1);
  m.fs.forget(above.inode, 1);
  EXPECT_EQ(inodes.size(), size - 2);
}

TEST(Stage, AMoveFindsItsSourceAndReplacesItsTarget) {
  Staged m;
  m.ensemble.create("/f", bytes("1"));
  m.ensemble.create("/g", bytes("1"));
  const auto f = m.look_up("f").inode;
  const auto g = m.look_up("g").inode;
  Replay move{.deed = Deed::move, .path = "/f", .to = "/g", .inode = f, .replaced = g};
  move.node.data = fusefs::inodes::DataKind::present;
  m.stage.begin(move);
  EXPECT_EQ(m.stage_lookup({root, "f"}).inode, f);
  EXPECT_EQ(m.stage_lookup({root, "g"}).inode, g);
  const auto moved = m.ask<Done>([&](auto r) {
    m.stage.rename(std::move(r), {root, "f"}, {root, "g"}, 0);
  });
  EXPECT_EQ(moved.error, 0);
  move.replaced = 0;
  m.stage.begin(move);
  EXPECT_EQ(m.stage_lookup({root, "g"}).error, ENOENT);
}

TEST(Stage, PathsAreAsTheMountShowsThem) {
  EXPECT_EQ(shown_path("/"), "");
  EXPECT_EQ(shown_path("/a/b"), "a/b");
  EXPECT_EQ(shown_path("/job@stat/x"), "job@@stat/x");
  EXPECT_EQ(shown_path("/@mount"), "@@mount");
}

}  // namespace
}  // namespace zabfs::test
