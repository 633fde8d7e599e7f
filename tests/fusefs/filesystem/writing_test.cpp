// Reading and writing, and when what was written reaches the ensemble.
#include <gtest/gtest.h>

#include "replication/model/limits.hpp"
#include "tests/fusefs/filesystem/mounted_fake.hpp"

namespace zabfs::test {
namespace {

using fusefs::client::SessionState;
using replication::ErrorCode;
using replication::limits::value_bytes_max;

struct Writing : testing::Test {
  HandleId open(const std::string& name, int flags) {
    const auto opened = m.open(m.look_up(name).inode, flags);
    EXPECT_EQ(opened.error, 0);
    return opened.handle;
  }
  std::int32_t version(const std::string& path) { return m.ensemble.find(path)->stat.version; }

  MountedFake m{};
};

// OPEN(O_TRUNC), FLUSH by the dup2, a WRITE per line, FLUSH, RELEASE: what `{ echo a; echo b; } >
// f` does in bash.
TEST_F(Writing, AShellsRedirectionIsOneWriteOfTheWholeValue) {
  m.ensemble.create("/f", bytes("old"));
  const auto h = open("f", O_WRONLY | O_TRUNC);
  m.flush(h);
  EXPECT_EQ(m.ensemble.text("/f"), "old");
  m.write(h, 0, "a\n");
  m.write(h, 2, "b\n");
  EXPECT_EQ(m.ensemble.text("/f"), "old");
  EXPECT_EQ(m.flush(h).error, 0);
  EXPECT_EQ(m.ensemble.text("/f"), "a\nb\n");
  m.flush(h);
  m.release(h);
  EXPECT_EQ(version("/f"), 1);
}

TEST_F(Writing, ATruncationAloneIsCommittedAtTheLastClose) {
  m.ensemble.create("/f", bytes("old"));
  const auto h = open("f", O_WRONLY | O_TRUNC);
  m.flush(h);
  m.flush(h);
  EXPECT_EQ(m.ensemble.text("/f"), "old");
  EXPECT_EQ(m.release(h).error, 0);
  EXPECT_EQ(m.ensemble.text("/f"), "");
}

TEST_F(Writing, FsyncCommitsAtOnce) {
  m.ensemble.create("/f", bytes("old"));
  const auto h = open("f", O_WRONLY | O_TRUNC);
  m.sync(h);
  EXPECT_EQ(m.ensemble.text("/f"), "");
  m.write(h, 0, "x");
  m.sync(h);
  EXPECT_EQ(m.ensemble.text("/f"), "x");
  m.release(h);
  EXPECT_EQ(version("/f"), 2);
}

TEST_F(Writing, AHandleThatOnlyReadsNeedsNoFlush) {
  m.ensemble.create("/f", bytes("x"));
  EXPECT_TRUE(m.open(m.look_up("f").inode, O_RDONLY).flush_is_needless);
  EXPECT_FALSE(m.open(m.look_up("f").inode, O_RDWR).flush_is_needless);
}

TEST_F(Writing, APartIsWrittenIntoTheNewestValue) {
  m.ensemble.create("/f", bytes("hello"));
  const auto h = open("f", O_RDWR);
  m.ensemble.set("/f", "HELLO");
  m.write(h, 1, "i");
  EXPECT_EQ(m.read(h).text, "HiLLO");
  m.flush(h);
  EXPECT_EQ(m.ensemble.text("/f"), "HiLLO");
}

TEST_F(Writing, WithOSyncEveryWriteIsCommitted) {
  m.ensemble.create("/f", bytes(""));
  const auto h = open("f", O_WRONLY | O_TRUNC | O_DSYNC);
  m.write(h, 0, "a");
  EXPECT_EQ(m.ensemble.text("/f"), "a");
  m.write(h, 1, "b");
  EXPECT_EQ(m.ensemble.text("/f"), "ab");
  m.ensemble.fail(ErrorCode::no_auth);
  EXPECT_EQ(m.write(h, 2, "c").error, EACCES);
}

TEST_F(Writing, AnAppendGoesBehindTheNewestValueWhateverTheOffset) {
  m.ensemble.create("/f", bytes("1\n"));
  const auto h = open("f", O_WRONLY | O_APPEND);
  m.ensemble.set("/f", "1\n2\n");
  EXPECT_EQ(m.write(h, 2, "3\n").written, 2U);
  EXPECT_EQ(m.ensemble.text("/f"), "1\n2\n3\n");
}

TEST_F(Writing, AnAppendThatMeetsAnotherLosesNeither) {
  m.ensemble.create("/f", bytes(""));
  const auto h = open("f", O_WRONLY | O_APPEND);
  m.ensemble.before_next_write([&] { m.ensemble.set("/f", "theirs\n"); });
  EXPECT_EQ(m.write(h, 0, "ours\n").error, 0);
  EXPECT_EQ(m.ensemble.text("/f"), "theirs\nours\n");
}

TEST_F(Writing, WhatIsTooLargeIsRefusedByTheWrite) {
  m.ensemble.create("/f", bytes("old"));
  const auto h = open("f", O_WRONLY | O_TRUNC);
  EXPECT_EQ(m.write(h, value_bytes_max, "x").error, EFBIG);
  const auto append = open("f", O_WRONLY | O_APPEND);
  EXPECT_EQ(m.write(append, 0, std::string(value_bytes_max, 'x')).error, EFBIG);
  EXPECT_EQ(m.ensemble.text("/f"), "old");
  const auto inode = m.look_up("f").inode;
  EXPECT_EQ(m.set_attributes(inode, {.size = value_bytes_max + 1}).error, EFBIG);
}

TEST_F(Writing, ALostConnectionIsSeenByTheWrite) {
  m.ensemble.create("/f", bytes(""));
  const auto h = open("f", O_WRONLY | O_TRUNC);
  m.ensemble.set_state(SessionState::connecting);
  m.ensemble.fail(ErrorCode::operation_timeout);
  EXPECT_EQ(m.write(h, 0, "x").error, EHOSTDOWN);
}

TEST_F(Writing, AFailedCommitIsReportedOnceAndNotRepeated) {
  m.ensemble.create("/f", bytes("old"));
  const auto h = open("f", O_WRONLY | O_TRUNC);
  m.write(h, 0, "x");
  m.ensemble.fail(ErrorCode::connection_loss);
  EXPECT_EQ(m.flush(h).error, ETIMEDOUT);
  m.ensemble.fail(ErrorCode::ok);
  m.release(h);
  EXPECT_EQ(m.ensemble.text("/f"), "old");
}

TEST_F(Writing, TruncateChangesTheZnodeAtOnce) {
  m.ensemble.create("/f", bytes("hello"));
  const auto inode = m.look_up("f").inode;
  EXPECT_EQ(m.set_attributes(inode, {.size = 2}).attributes.st_size, 2);
  EXPECT_EQ(m.ensemble.text("/f"), "he");
  m.set_attributes(inode, {.size = 3});
  EXPECT_EQ(m.ensemble.text("/f"), std::string("he\0", 3));
  m.set_attributes(inode, {.size = 0});
  EXPECT_EQ(m.ensemble.text("/f"), "");
}

// OPEN without O_TRUNC, SETATTR(size 0) by the descriptor, WRITE: what vim does.
TEST_F(Writing, TruncatingADescriptorWaitsForItsData) {
  m.ensemble.create("/f", bytes("hello"));
  const auto inode = m.look_up("f").inode;
  const auto h = m.open(inode, O_WRONLY).handle;
  EXPECT_EQ(m.set_attributes(inode, {.size = 0}, h).attributes.st_size, 0);
  EXPECT_EQ(m.ensemble.text("/f"), "hello");
  m.write(h, 0, "new");
  m.flush(h);
  EXPECT_EQ(m.ensemble.text("/f"), "new");
  EXPECT_EQ(version("/f"), 1);
}

TEST_F(Writing, CreatingMakesAnEmptyZnodeAtOnce) {
  const auto created = m.create("f", O_WRONLY | O_CREAT | O_TRUNC);
  EXPECT_EQ(m.ensemble.text("/f"), "");
  m.flush(created.handle);
  m.release(created.handle);
  EXPECT_EQ(version("/f"), 0) << "touch";
}

TEST_F(Writing, CreatingWhatSomebodyElseHasJustCreatedOpensIt) {
  m.ensemble.create("/f", bytes("theirs"));
  EXPECT_EQ(m.create("f", O_WRONLY | O_CREAT | O_EXCL).error, EEXIST);
  EXPECT_EQ(m.read(m.create("f", O_RDWR | O_CREAT).handle).text, "theirs");
  m.ensemble.create("/d", std::nullopt);
  EXPECT_EQ(m.create("d", O_WRONLY | O_CREAT).error, EISDIR);
}

TEST_F(Writing, AReaderSeesOneVersionWhole) {
  m.ensemble.create("/f", bytes("version one"));
  const auto h = open("f", O_RDONLY);
  EXPECT_EQ(m.read(h, 0, 7).text, "version");
  m.ensemble.set("/f", "VERSION TWO");
  EXPECT_EQ(m.read(h, 7).text, " one");
  EXPECT_EQ(m.read(h, 0).text, "VERSION TWO") << "from the beginning: the newest";
}

TEST_F(Writing, AFollowerReadsWhatWasAppended) {
  m.ensemble.create("/f", bytes("1\n"));
  const auto inode = m.look_up("f").inode;
  const auto h = m.open(inode, O_RDONLY).handle;
  EXPECT_EQ(m.read(h, 0).text, "1\n");
  EXPECT_EQ(m.read(h, 2).text, "");
  m.ensemble.set("/f", "1\n2\n");
  EXPECT_EQ(m.get_attributes(inode).attributes.st_size, 4);
  EXPECT_EQ(m.read(h, 2).text, "2\n");
}

TEST_F(Writing, AHandleKeepsTheVersionOfAZnodeThatIsGone) {
  m.ensemble.create("/f", bytes("kept"));
  const auto h = open("f", O_RDONLY);
  m.read(h);
  m.ensemble.remove("/f");
  EXPECT_EQ(m.read(h).text, "kept");
  m.ensemble.create("/f", bytes("another"));
  EXPECT_EQ(m.read(h).text, "kept");
}

TEST_F(Writing, WhatIsWrittenToARemovedFileGoesNowhere) {
  const auto h = m.create("f", O_RDWR | O_CREAT | O_EXCL).handle;
  m.remove_file("f");
  m.ensemble.create("/f", bytes("another"));
  EXPECT_EQ(m.write(h, 0, "temporary").error, 0);
  EXPECT_EQ(m.read(h).text, "temporary");
  EXPECT_EQ(m.flush(h).error, 0);
  m.release(h);
  EXPECT_EQ(m.ensemble.text("/f"), "another");
}

TEST_F(Writing, TheStatIsAFileToBeRead) {
  m.ensemble.create("/f", bytes("abc"));
  const auto stat = m.look_up("f@stat");
  EXPECT_EQ(m.open(stat.inode, O_WRONLY).error, EACCES);
  const auto text = m.read(m.open(stat.inode, O_RDONLY).handle).text;
  EXPECT_EQ(static_cast<off_t>(text.size()), stat.attributes.st_size);
  EXPECT_NE(text.find("\ndataLength 3\n"), std::string::npos);
}

}  // namespace
}  // namespace zabfs::test
