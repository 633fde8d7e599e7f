// Creating, removing and renaming.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/fusefs/filesystem/mounted_fake.hpp"

namespace zabfs::test {
namespace {

TEST(Tree, MkdirCreatesNullData) {
  MountedFake m;
  const auto d = m.make_directory("d");
  EXPECT_TRUE(S_ISDIR(d.attributes.st_mode));
  EXPECT_EQ(m.ensemble.text("/d"), "(null)");
  EXPECT_EQ(m.make_directory("d").error, EEXIST);
  EXPECT_EQ(m.make_directory("x@stat").error, EPERM);
  EXPECT_EQ(m.make_directory("bad\x01name").error, EINVAL);
  EXPECT_EQ(m.make_directory("lock-@es").error, EINVAL);
}

TEST(Tree, RemovingFollowsTheKind) {
  MountedFake m;
  m.ensemble.create("/f", bytes(""));
  m.ensemble.create("/d", std::nullopt);
  m.ensemble.create("/d/x", bytes(""));
  EXPECT_EQ(m.remove_directory("d").error, ENOTEMPTY);
  EXPECT_EQ(m.remove_file("d").error, EISDIR);
  EXPECT_EQ(m.remove_file("x", m.look_up("d").inode).error, 0);
  EXPECT_EQ(m.remove_directory("d").error, 0);
  EXPECT_EQ(m.remove_file("f").error, 0);
  EXPECT_EQ(m.remove_file("f").error, ENOENT);
}

TEST(Tree, ADirectoryWithDataIsNotEmpty) {
  MountedFake m;
  m.ensemble.create("/d", std::nullopt);
  m.ensemble.create("/d/x", bytes(""));
  m.ensemble.remove("/d/x");
  m.ensemble.set("/d", "data");
  const auto d = m.look_up("d").inode;
  EXPECT_EQ(m.remove_directory("d").error, ENOTEMPTY);
  EXPECT_EQ(m.remove_file("@data", d).error, 0);
  EXPECT_EQ(m.ensemble.text("/d"), "(null)");
  EXPECT_EQ(m.remove_directory("d").error, 0);
}

TEST(Tree, RmdirSeesDataThatCameAfterTheLookup) {
  MountedFake m;
  m.ensemble.create("/d", std::nullopt);
  m.look_up("d");
  m.ensemble.set("/d", "data");
  EXPECT_EQ(m.remove_directory("d").error, ENOTEMPTY);
}

TEST(Tree, DataNeverTurnsADirectoryIntoAFile) {
  MountedFake m;
  const auto d = m.make_directory("d").inode;
  const auto created = m.create("@data", O_WRONLY | O_CREAT, d);
  ASSERT_EQ(created.error, 0);
  m.write(created.handle, 0, "text");
  m.flush(created.handle);
  m.release(created.handle);
  EXPECT_EQ(m.ensemble.text("/d"), "text");
  EXPECT_TRUE(S_ISDIR(m.look_up("d").attributes.st_mode));
  EXPECT_EQ(m.list(d), (std::vector<std::string>{".", "..", "@data"}));
}

TEST(Tree, TheDataOfAFileCannotBeRemovedAlone) {
  MountedFake m;
  m.ensemble.create("/f", bytes("x"));
  EXPECT_EQ(m.remove_file("f@data").error, EPERM);
}

TEST(Rename, MovesDataAndAclInOneTransaction) {
  MountedFake m;
  m.ensemble.create("/a", bytes("text"));
  EXPECT_EQ(m.rename({root, "a"}, {root, "b"}).error, 0);
  EXPECT_EQ(m.ensemble.text("/a"), "(none)");
  EXPECT_EQ(m.ensemble.text("/b"), "text");
  EXPECT_EQ(m.ensemble.find("/b")->acl, replication::open_acl());
}

TEST(Rename, ReplacesAFile) {
  MountedFake m;
  m.ensemble.create("/a", bytes("new"));
  m.ensemble.create("/b", bytes("old"));
  EXPECT_EQ(m.rename({root, "a"}, {root, "b"}, RENAME_NOREPLACE).error, EEXIST);
  EXPECT_EQ(m.ensemble.text("/b"), "old");
  EXPECT_EQ(m.rename({root, "a"}, {root, "b"}).error, 0);
  EXPECT_EQ(m.ensemble.text("/b"), "new");
  EXPECT_EQ(m.rename({root, "a"}, {root, "b"}).error, ENOENT);
  EXPECT_EQ(m.rename({root, "b"}, {root, "c"}, RENAME_EXCHANGE).error, EINVAL);
}

TEST(Rename, NeitherLosesNorOverwritesWhatChangesMeanwhile) {
  MountedFake m;
  m.ensemble.create("/a", bytes("1"));
  m.ensemble.before_next_write([&] { m.ensemble.set("/a", "2"); });
  EXPECT_EQ(m.rename({root, "a"}, {root, "b"}).error, 0);
  EXPECT_EQ(m.ensemble.text("/b"), "2");
  m.ensemble.before_next_write([&] { m.ensemble.create("/c", bytes("theirs")); });
  EXPECT_EQ(m.rename({root, "b"}, {root, "c"}, RENAME_NOREPLACE).error, EEXIST);
  EXPECT_EQ(m.ensemble.text("/c"), "theirs");
}

TEST(Rename, NothingMovesIntoItself) {
  MountedFake m;
  m.ensemble.create("/a", bytes("1"));
  EXPECT_EQ(m.rename({root, "a"}, {root, "a@data"}).error, EINVAL);
  EXPECT_EQ(m.rename({root, "a"}, {m.look_up("a@dir").inode, "b"}).error, EINVAL);
  EXPECT_EQ(m.ensemble.text("/a"), "1");
}

TEST(Rename, AParentThatHasGoneIsENOENT) {
  MountedFake m;
  m.ensemble.create("/a", bytes("1"));
  const auto d = m.make_directory("d").inode;
  m.ensemble.remove("/d");
  EXPECT_EQ(m.rename({root, "a"}, {d, "b"}).error, ENOENT);
  EXPECT_EQ(m.ensemble.text("/a"), "1");
}

TEST(Rename, AnOpenHandleFollowsItsFile) {
  MountedFake m;
  m.ensemble.create("/a", bytes("1"));
  const auto a = m.look_up("a").inode;
  const auto h = m.open(a, O_WRONLY | O_TRUNC).handle;
  m.rename({root, "a"}, {root, "b"});
  EXPECT_EQ(m.look_up("b").inode, a);
  m.write(h, 0, "2");
  m.flush(h);
  EXPECT_EQ(m.ensemble.text("/b"), "2");
  EXPECT_EQ(m.ensemble.text("/a"), "(none)");
}

TEST(Rename, WhatCannotBeMovedAtOnceIsCopiedByTheCaller) {
  MountedFake m;
  m.ensemble.create("/d", std::nullopt);
  m.ensemble.create("/d/x", bytes(""));
  m.ensemble.create("/theirs", bytes(""), 5);
  EXPECT_EQ(m.rename({root, "d"}, {root, "e"}).error, EXDEV);
  EXPECT_EQ(m.rename({root, "theirs"}, {root, "e"}).error, EXDEV);
  EXPECT_EQ(m.rename({root, "d@data"}, {root, "e"}).error, EXDEV);
  m.ensemble.create("/e", std::nullopt);
  EXPECT_EQ(m.rename({root, "e"}, {root, "d"}).error, ENOTEMPTY);
  EXPECT_EQ(m.rename({root, "e"}, {root, "f"}).error, 0);
  EXPECT_EQ(m.ensemble.text("/f"), "(null)");
}

TEST(Rename, OurOwnEphemeralStaysEphemeral) {
  MountedFake m;
  m.ensemble.create("/a", bytes(""), m.ensemble.session().value);
  EXPECT_EQ(m.rename({root, "a"}, {root, "b"}).error, 0);
  EXPECT_EQ(m.ensemble.find("/b")->stat.ephemeral_owner, m.ensemble.session().value);
}

TEST(Rename, AFileMayBecomeTheDataOfADirectory) {
  MountedFake m;
  const auto d = m.make_directory("d").inode;
  m.ensemble.create("/a", bytes("text"));
  EXPECT_EQ(m.rename({root, "a"}, {d, "@data"}).error, 0);
  EXPECT_EQ(m.ensemble.text("/d"), "text");
  EXPECT_EQ(m.ensemble.text("/a"), "(none)");
  EXPECT_TRUE(S_ISDIR(m.look_up("d").attributes.st_mode));
}

}  // namespace
}  // namespace zabfs::test
