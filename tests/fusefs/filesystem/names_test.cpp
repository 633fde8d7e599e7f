// Looking up, listing and attributes.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/fusefs/filesystem/mounted_fake.hpp"

namespace zabfs::test {
namespace {

using fusefs::AttributeChange;
using replication::ErrorCode;

TEST(Names, KindIsShownAsTheRuleSays) {
  MountedFake m;
  m.ensemble.create("/file", bytes("x"));
  m.ensemble.create("/empty", bytes(""));
  m.ensemble.create("/dir", std::nullopt);
  m.ensemble.create("/had", bytes("x"));
  m.ensemble.create("/had/child", bytes(""));
  m.ensemble.remove("/had/child");
  m.ensemble.create("/mine", std::nullopt, 5);
  EXPECT_TRUE(S_ISREG(m.look_up("file").attributes.st_mode));
  EXPECT_TRUE(S_ISREG(m.look_up("empty").attributes.st_mode));
  EXPECT_TRUE(S_ISDIR(m.look_up("dir").attributes.st_mode));
  EXPECT_TRUE(S_ISDIR(m.look_up("had").attributes.st_mode));
  EXPECT_TRUE(S_ISREG(m.look_up("mine").attributes.st_mode)) << "ephemerals have no children";
  EXPECT_TRUE(S_ISDIR(m.get_attributes(root).attributes.st_mode));
}

TEST(Names, AttributesSayWhatTheStatSays) {
  MountedFake m;
  m.ensemble.create("/a", bytes("hello"));
  const auto a = m.look_up("a").attributes;
  EXPECT_EQ(a.st_size, 5);
  EXPECT_EQ(a.st_mode, static_cast<mode_t>(S_IFREG | 0644));
  EXPECT_EQ(a.st_uid, 1000U);
  EXPECT_EQ(a.st_gid, 100U);
  EXPECT_EQ(a.st_mtim.tv_sec, m.ensemble.find("/a")->stat.mtime / 1000);
  EXPECT_EQ(a.st_nlink, 1U);
}

TEST(Names, WhatIsNotThereIsENOENT) {
  MountedFake m;
  EXPECT_EQ(m.look_up("nothing").error, ENOENT);
  EXPECT_EQ(m.look_up("nothing@stat").error, ENOENT);
  EXPECT_EQ(m.look_up("job@es").error, ENOENT) << "a name that creates never exists";
  EXPECT_EQ(m.look_up("control\x01").error, ENOENT);
}

TEST(Names, RefusedNamesSaySo) {
  MountedFake m;
  m.ensemble.create("/a", bytes("1"));
  EXPECT_EQ(m.look_up("a@ee").error, EINVAL);
  EXPECT_EQ(m.look_up(std::string(256, 'x')).error, ENAMETOOLONG);
}

TEST(Names, AKnownNullIsNotFetchedAgain) {
  MountedFake m;
  m.ensemble.create("/dir", std::nullopt);
  m.look_up("dir");
  const auto before = m.ensemble.request_count();
  EXPECT_TRUE(S_ISDIR(m.look_up("dir").attributes.st_mode));
  EXPECT_EQ(m.ensemble.request_count() - before, 1U);
}

TEST(Names, AFileWithItsFirstChildIsADirectoryUnderANewInode) {
  MountedFake m;
  m.ensemble.create("/a", bytes("text"));
  const auto file = m.look_up("a");
  const auto handle = m.open(file.inode, O_RDONLY).handle;
  m.ensemble.create("/a/child", bytes(""));
  const auto directory = m.look_up("a");
  EXPECT_TRUE(S_ISDIR(directory.attributes.st_mode));
  EXPECT_NE(directory.inode, file.inode);
  EXPECT_EQ(m.read(handle).text, "text") << "the open handle stays valid";
  EXPECT_TRUE(S_ISREG(m.get_attributes(file.inode).attributes.st_mode));
}

TEST(Names, AFileRecreatedElsewhereIsStaleUntilLookedUp) {
  MountedFake m;
  m.ensemble.create("/a", bytes("1"));
  const auto old = m.look_up("a");
  m.ensemble.remove("/a");
  m.ensemble.create("/a", bytes("2"));
  EXPECT_EQ(m.get_attributes(old.inode).error, ESTALE);
  EXPECT_NE(m.look_up("a").inode, old.inode);
}

TEST(Names, AnOpenFileThatIsGoneHasNoLinks) {
  MountedFake m;
  m.ensemble.create("/a", bytes("1"));
  const auto a = m.look_up("a");
  m.open(a.inode, O_RDONLY);
  m.ensemble.remove("/a");
  const auto gone = m.get_attributes(a.inode);
  EXPECT_EQ(gone.error, 0);
  EXPECT_EQ(gone.attributes.st_nlink, 0U);
}

TEST(Names, ADirectoryListsItsDataOnlyIfItHasSome) {
  MountedFake m;
  m.ensemble.create("/d", std::nullopt);
  m.ensemble.create("/d/x", bytes(""));
  m.ensemble.create("/d/a@stat", bytes(""));
  const auto d = m.look_up("d").inode;
  EXPECT_EQ(m.list(d), (std::vector<std::string>{".", "..", "a@@stat", "x"}));
  m.ensemble.set("/d", "data");
  EXPECT_EQ(m.list(d).back(), "@data") << "last, so that a copy is a directory by then";
  EXPECT_EQ(m.cat("/d/@data"), "data");
  EXPECT_EQ(m.cat("/d@data"), "data");
}

TEST(Names, AnEmptyNullIsNoDataFile) {
  MountedFake m;
  m.ensemble.create("/d", std::nullopt);
  EXPECT_EQ(m.look_up("d@data").error, ENOENT);
  m.ensemble.create("/f", bytes(""));
  EXPECT_EQ(m.look_up("f@data").error, 0);
}

TEST(Names, ALongNameIsFoundByItsShortForm) {
  MountedFake m;
  const std::string name(300, 'n');
  m.ensemble.create("/" + name, bytes("found"));
  const auto names = m.list(root);
  ASSERT_LE(names.back().size(), 255U);
  EXPECT_EQ(m.cat("/" + names.back()), "found");
}

TEST(Names, AFileIsADirectoryInItsDirView) {
  MountedFake m;
  m.ensemble.create("/f", bytes("text"));
  const auto view = m.look_up("f@dir");
  EXPECT_TRUE(S_ISDIR(view.attributes.st_mode));
  EXPECT_EQ(m.make_directory("first", view.inode).error, 0);
  EXPECT_TRUE(S_ISDIR(m.look_up("f").attributes.st_mode));
}

TEST(Names, ALookupIsForgottenWholly) {
  MountedFake m;
  m.ensemble.create("/a", bytes("1"));
  const auto a = m.look_up("a").inode;
  m.look_up("a");
  m.fs.forget(a, 2);
  EXPECT_EQ(m.get_attributes(a).error, ESTALE);
}

TEST(Names, ChangesThatChangeNothingSucceedAndOthersDoNot) {
  MountedFake m;
  m.ensemble.create("/a", bytes("1"));
  const auto a = m.look_up("a").inode;
  EXPECT_EQ(m.set_attributes(a, {.mode = 0644}).error, 0);
  EXPECT_EQ(m.set_attributes(a, {.mode = 0600}).error, EPERM);
  EXPECT_EQ(m.set_attributes(a, {.uid = 1000, .gid = 100}).error, 0);
  EXPECT_EQ(m.set_attributes(a, {.uid = 0}).error, EPERM);
  EXPECT_EQ(m.ensemble.find("/a")->stat.version, 0);
}

TEST(Names, ATouchWritesTheSameDataAgain) {
  MountedFake m;
  m.ensemble.create("/a", bytes("1"));
  m.ensemble.create("/d", std::nullopt);
  const AttributeChange touch{.sets_mtime_to_now = true};
  EXPECT_EQ(m.set_attributes(m.look_up("a").inode, touch).error, 0);
  EXPECT_EQ(m.set_attributes(m.look_up("d").inode, touch).error, 0);
  EXPECT_EQ(m.ensemble.text("/a"), "1");
  EXPECT_EQ(m.ensemble.find("/a")->stat.version, 1);
  EXPECT_EQ(m.ensemble.text("/d"), "(null)");
}

TEST(Names, ExtendedAttributesShowTheStat) {
  MountedFake m;
  m.ensemble.create("/d", std::nullopt);
  m.ensemble.create("/d/a", bytes("123"));
  const auto a = m.walk("/d/a").inode;
  EXPECT_EQ(m.get_extended_attribute(a, "user.zk.dataLength").text, "3");
  EXPECT_EQ(m.get_extended_attribute(a, "user.zk.ephemeralOwner").text, "0x0");
  EXPECT_EQ(m.get_extended_attribute(a, "user.zk.acl").text, "world:anyone:cdrwa\n");
  EXPECT_EQ(m.get_extended_attribute(a, "user.zk.name").text, "a");
  EXPECT_EQ(m.get_extended_attribute(a, "user.zk.path").text, "/d/a");
  EXPECT_EQ(m.get_extended_attribute(a, "user.zk.nothing").error, ENODATA);
  EXPECT_EQ(m.get_extended_attribute(a, "user.other").error, ENODATA);
  EXPECT_EQ(m.get_extended_attribute(a, "security.capability").error, ENOTSUP);
}

TEST(Names, TheEnsemblesRefusalBecomesAnErrno) {
  MountedFake m;
  m.ensemble.fail(ErrorCode::no_auth);
  EXPECT_EQ(m.look_up("a").error, EACCES);
  m.ensemble.fail(ErrorCode::operation_timeout);
  EXPECT_EQ(m.look_up("a").error, EHOSTDOWN);
  m.ensemble.fail(ErrorCode::session_expired);
  EXPECT_EQ(m.get_attributes(root).error, ENOLINK);
}

}  // namespace
}  // namespace zabfs::test
