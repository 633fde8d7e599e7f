// The views @v=, @cas, @sync and @acl: conditions that a shell sees fail, and texts.
#include <gtest/gtest.h>

#include "replication/model/limits.hpp"
#include "tests/fusefs/filesystem/mounted_fake.hpp"

namespace zabfs::test {
namespace {

struct Views : testing::Test {
  Views() {
    m.ensemble.create("/n", bytes("41\n"));
    m.ensemble.set("/n", "42\n");
  }

  Answer open(const std::string& name, int flags) { return m.open(m.look_up(name).inode, flags); }

  MountedFake m{};
};

TEST_F(Views, TheVersionThatIsNamedIsRead) {
  const auto opened = open("n@v=1", O_RDONLY);
  EXPECT_EQ(m.read(opened.handle).text, "42\n");
  EXPECT_EQ(open("n@v=0", O_RDONLY).error, ESTALE);
  EXPECT_EQ(open("n@v=2", O_RDONLY).error, ESTALE);
}

TEST_F(Views, ADescriptorOfAVersionNeverShowsAnother) {
  const auto opened = open("n@v=1", O_RDONLY);
  m.read(opened.handle);
  m.ensemble.set("/n", "43\n");
  EXPECT_EQ(m.read(opened.handle, 0).error, ESTALE);
}

TEST_F(Views, ADifferentVersionIsRefusedAtOpenAndAnOvertakenOneAtWrite) {
  EXPECT_EQ(open("n@v=0", O_WRONLY | O_TRUNC).error, ESTALE);
  EXPECT_EQ(open("n@v=0", O_WRONLY | O_APPEND).error, ESTALE);
  const auto opened = open("n@v=1", O_WRONLY | O_TRUNC);
  m.ensemble.set("/n", "other\n");
  EXPECT_EQ(m.write(opened.handle, 0, "43\n").error, ESTALE);
  EXPECT_EQ(m.ensemble.text("/n"), "other\n");
}

// bash writes each line of `printf 'a\nb\n'` by itself.
TEST_F(Views, EveryWriteReplacesWhatTheOneBeforeItMade) {
  const auto opened = open("n@v=1", O_WRONLY | O_TRUNC);
  EXPECT_EQ(m.write(opened.handle, 0, "a\n").error, 0);
  EXPECT_EQ(m.ensemble.text("/n"), "a\n");
  EXPECT_EQ(m.write(opened.handle, 2, "b\n").error, 0);
  EXPECT_EQ(m.ensemble.text("/n"), "a\nb\n");
  EXPECT_EQ(m.ensemble.find("/n")->stat.version, 3);
  m.ensemble.set("/n", "other\n");
  EXPECT_EQ(m.write(opened.handle, 4, "c\n").error, ESTALE);
}

TEST_F(Views, AnAppendOnConditionIsTriedOnce) {
  const auto opened = open("n@v=1", O_WRONLY | O_APPEND);
  EXPECT_EQ(m.write(opened.handle, 0, "x\n").error, 0);
  EXPECT_EQ(m.ensemble.text("/n"), "42\nx\n");
  m.ensemble.before_next_write([&] { m.ensemble.set("/n", "first\n"); });
  EXPECT_EQ(m.write(opened.handle, 0, "y\n").error, ESTALE);
  EXPECT_EQ(m.ensemble.text("/n"), "first\n");
}

TEST_F(Views, ATruncationByPathIsConditionalToo) {
  EXPECT_EQ(m.set_attributes(m.look_up("n@v=0").inode, {.size = 1}).error, ESTALE);
  EXPECT_EQ(m.ensemble.text("/n"), "42\n");
  EXPECT_EQ(m.set_attributes(m.look_up("n@v=1").inode, {.size = 1}).error, 0);
  EXPECT_EQ(m.ensemble.text("/n"), "4");
}

TEST_F(Views, AConversationReplacesWhatItHasRead) {
  const auto opened = open("n@cas", O_RDWR);
  EXPECT_EQ(m.read(opened.handle, 0, 2).text, "42");
  EXPECT_EQ(m.read(opened.handle, 0).text, "\n");
  EXPECT_EQ(m.read(opened.handle, 0).text, "");
  EXPECT_EQ(m.write(opened.handle, 0, "43\n").error, 0);
  EXPECT_EQ(m.ensemble.text("/n"), "43\n");
  EXPECT_EQ(m.write(opened.handle, 0, "more\n").error, 0);
  EXPECT_EQ(m.ensemble.text("/n"), "43\nmore\n");
}

TEST_F(Views, AConversationThatWasOvertakenBeginsAnewWithARead) {
  const auto opened = open("n@cas", O_RDWR);
  m.ensemble.set("/n", "50\n");
  EXPECT_EQ(m.read(opened.handle, 0).text, "50\n");  // It begins with the first read, not at open.
  m.ensemble.set("/n", "60\n");
  EXPECT_EQ(m.write(opened.handle, 0, "51\n").error, ESTALE);
  EXPECT_EQ(m.write(opened.handle, 0, "51\n").error, ESTALE);
  EXPECT_EQ(m.read(opened.handle, 0).text, "60\n");
  EXPECT_EQ(m.write(opened.handle, 0, "61\n").error, 0);
  EXPECT_EQ(m.ensemble.text("/n"), "61\n");
}

TEST_F(Views, AConversationThatIsKnownToBeOvertakenIsRefusedWithoutTheEnsemble) {
  for (int use = 0; use < 3; ++use) {
    m.look_up("n");  // From the second on, its answer is guarded.
  }
  const auto opened = open("n@cas", O_RDWR);
  EXPECT_EQ(m.read(opened.handle, 0).text, "42\n");
  m.ensemble.set("/n", "50\n");
  m.ensemble.deliver();
  m.look_up("n");
  const auto requests = m.ensemble.request_count();
  EXPECT_EQ(m.write(opened.handle, 0, "43\n").error, ESTALE);
  EXPECT_EQ(m.ensemble.request_count(), requests);
  EXPECT_EQ(m.read(opened.handle, 0).text, "50\n");
  EXPECT_EQ(m.write(opened.handle, 0, "51\n").error, 0);
}

TEST_F(Views, AConversationWithoutAReadIsAboutTheVersionAtOpen) {
  const auto opened = open("n@cas", O_WRONLY);
  m.ensemble.set("/n", "50\n");
  EXPECT_EQ(m.write(opened.handle, 0, "43\n").error, ESTALE);
}

TEST_F(Views, AValueTooLargeIsRefusedWhereItIsWritten) {
  const std::string large(replication::limits::value_bytes_max + 1, 'x');
  EXPECT_EQ(m.write(open("n@cas", O_WRONLY).handle, 0, large).error, EFBIG);
  EXPECT_EQ(m.write(open("n@v=1", O_WRONLY).handle, 0, large).error, EFBIG);
}

TEST_F(Views, AConditionDoesNotTurnADirectoryIntoAFile) {
  m.ensemble.create("/d", replication::Data{});
  EXPECT_EQ(m.write(open("d@v=0", O_WRONLY | O_TRUNC).handle, 0, "x").error, 0);
  EXPECT_TRUE(S_ISDIR(m.look_up("d").attributes.st_mode));
  m.ensemble.create("/e", replication::Data{});
  const auto opened = open("e@cas", O_RDWR);
  EXPECT_EQ(m.write(opened.handle, 0, "x").error, 0);
  EXPECT_EQ(m.write(opened.handle, 0, "y").error, 0);
  EXPECT_TRUE(S_ISDIR(m.look_up("e").attributes.st_mode));
  EXPECT_EQ(m.ensemble.text("/e"), "xy");
  m.ensemble.create("/g", replication::Data{});
  const auto overtaken = open("g@v=0", O_WRONLY | O_TRUNC);
  m.ensemble.set("/g", "first");
  EXPECT_EQ(m.write(overtaken.handle, 0, "x").error, ESTALE);
}

TEST_F(Views, TextsAreReadOnlyAndHaveTheirSize) {
  for (const std::string view : {"n@sync", "n@stat"}) {
    const auto found = m.look_up(view);
    EXPECT_EQ(found.attributes.st_mode & 0222, 0U) << view;
    EXPECT_EQ(m.open(found.inode, O_WRONLY).error, EACCES) << view;
    const auto text = m.read(m.open(found.inode, O_RDONLY).handle).text;
    EXPECT_EQ(static_cast<std::size_t>(found.attributes.st_size), text.size()) << view;
  }
  EXPECT_EQ(m.read(open("n@sync", O_RDONLY).handle).text, "42\n");
}

TEST_F(Views, AnAclIsWrittenAsItIsRead) {
  EXPECT_EQ(m.read(open("n@acl", O_RDONLY).handle).text, "world:anyone:cdrwa\n");
  const auto opened = open("n@acl", O_WRONLY | O_TRUNC);
  EXPECT_EQ(m.flush(opened.handle).error, 0);  // A shell's redirection, before it writes.
  EXPECT_EQ(m.write(opened.handle, 0, "world:anyone:r\n").error, 0);
  EXPECT_EQ(m.write(opened.handle, 15, "ip:10.0.0.7:cdrwa\n").error, 0);
  EXPECT_EQ(m.ensemble.find("/n")->stat.aversion, 0);
  EXPECT_EQ(m.flush(opened.handle).error, 0);
  EXPECT_EQ(m.ensemble.find("/n")->stat.aversion, 1);
  EXPECT_EQ(m.read(open("n@acl", O_RDONLY).handle).text, "world:anyone:r\nip:10.0.0.7:cdrwa\n");
  EXPECT_EQ(static_cast<std::size_t>(m.look_up("n@acl").attributes.st_size), 33U);
}

TEST_F(Views, ALineThatIsNoEntryOfAnAclIsRefusedWhereItIsWritten) {
  const auto opened = open("n@acl", O_WRONLY | O_TRUNC);
  EXPECT_EQ(m.write(opened.handle, 0, "world:any").error, 0) << "the line goes on";
  EXPECT_EQ(m.write(opened.handle, 9, "one:q\n").error, EINVAL);
  EXPECT_EQ(m.write(opened.handle, 9, "one:rw").error, 0);
  EXPECT_EQ(m.release(opened.handle).error, 0);
  EXPECT_EQ(m.read(open("n@acl", O_RDONLY).handle).text, "world:anyone:rw\n");
  const auto unfinished = open("n@acl", O_WRONLY | O_TRUNC);
  m.write(unfinished.handle, 0, "world");
  EXPECT_EQ(m.flush(unfinished.handle).error, EINVAL);
}

TEST_F(Views, AnAppendedEntryIsSetAtOnce) {
  const auto opened = open("n@acl", O_WRONLY | O_APPEND);
  m.ensemble.before_next_write([&] { m.ensemble.set_acl("/n", {{1, {"ip", "10.0.0.8"}}}); });
  EXPECT_EQ(m.write(opened.handle, 0, "ip:10.0.0.7:r\n").error, 0);
  EXPECT_EQ(m.read(open("n@acl", O_RDONLY).handle).text, "ip:10.0.0.8:r\nip:10.0.0.7:r\n");
  EXPECT_EQ(m.write(opened.handle, 0, "nonsense\n").error, EINVAL);
}

TEST_F(Views, AnAclThatWasReadIsReplacedOnlyIfItIsStillThat) {
  const auto opened = open("n@acl", O_RDWR);
  EXPECT_EQ(m.read(opened.handle).text, "world:anyone:cdrwa\n");
  EXPECT_EQ(m.write(opened.handle, 13, "crdwa\n").error, 0);
  EXPECT_EQ(m.flush(opened.handle).error, 0);
  m.ensemble.set_acl("/n", replication::read_only_acl());
  EXPECT_EQ(m.write(opened.handle, 13, "acdrw\n").error, 0);
  EXPECT_EQ(m.flush(opened.handle).error, ESTALE);
}

TEST_F(Views, AnAclIsSetAsAnAttributeToo) {
  const auto n = m.look_up("n").inode;
  const auto set = [&](const std::string& name, const std::string& value) {
    return m.ask<fusefs::Done>(
        [&](auto r) { m.fs.set_extended_attribute(std::move(r), n, name, value); });
  };
  EXPECT_EQ(set("user.zk.acl", "world:anyone:r\n").error, 0);
  EXPECT_EQ(m.get_extended_attribute(n, "user.zk.acl").text, "world:anyone:r\n");
  EXPECT_EQ(set("user.zk.acl", "nonsense").error, EINVAL);
  EXPECT_EQ(set("user.zk.version", "7").error, EPERM);
  EXPECT_EQ(set("user.zk.version ", "7").error, ENOTSUP) << "none of ours";
  m.open(n, O_WRONLY);
  EXPECT_EQ(set("user.zk.version", "7").error, ENOTSUP) << "mv, in the middle";
  EXPECT_EQ(set("user.zk.acl", "world:anyone:r\n").error, ENOTSUP) << "cp -a, in the middle";
}

TEST_F(Views, OfNothingThereIsNone) {
  for (const std::string view : {"x@v=0", "x@cas", "x@sync", "x@acl"}) {
    EXPECT_EQ(m.look_up(view).error, ENOENT) << view;
    EXPECT_EQ(m.create(view, O_WRONLY | O_CREAT).error, ENOENT) << view;
    EXPECT_EQ(m.ensemble.find("/x"), nullptr);
  }
}

}  // namespace
}  // namespace zabfs::test
