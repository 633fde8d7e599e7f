// `@mount`: files about the mount, and transactions that are written as lines.
#include <gtest/gtest.h>

#include "replication/model/limits.hpp"
#include "tests/fusefs/filesystem/mounted_fake.hpp"

namespace zabfs::test {
namespace {

struct MountDirectory : testing::Test {
  InodeNumber directory() { return m.look_up("@mount").inode; }
  Answer open(const std::string& name, int flags = O_RDONLY) {
    return m.open(m.look_up(name, directory()).inode, flags);
  }
  std::string text(const std::string& name) { return m.read(open(name).handle).text; }

  MountedFake m{};
};

TEST_F(MountDirectory, IsAtTheRootAlone) {
  const auto found = m.look_up("@mount");
  EXPECT_EQ(found.error, 0);
  EXPECT_TRUE(S_ISDIR(found.attributes.st_mode));
  m.ensemble.create("/d", replication::Data{});
  EXPECT_EQ(m.look_up("@mount", m.look_up("d").inode).error, ENOENT);
  EXPECT_EQ(m.list(directory()), (std::vector<std::string>{".", "..", "errors", "server", "session",
                                                           "state", "stats", "txn", "zxid"}));
  EXPECT_EQ(m.look_up("nothing", directory()).error, ENOENT);
  EXPECT_EQ(m.look_up("d", directory()).error, ENOENT) << "no znode is in there";
}

TEST_F(MountDirectory, TellsOfTheSession) {
  m.ensemble.create("/a", bytes("1"));
  EXPECT_EQ(text("session"), "0x4d\n");
  EXPECT_EQ(text("server"), "fake:2181\n");
  EXPECT_EQ(text("state"), "connected\n");
  EXPECT_EQ(text("zxid"), "1\n");
  EXPECT_NE(text("stats").find("session_timeout_ms 10000\n"), std::string::npos);
  const auto found = m.look_up("session", directory());
  EXPECT_EQ(found.attributes.st_size, 5);
  EXPECT_EQ(found.attributes.st_mode & 0222, 0U);
}

TEST_F(MountDirectory, AnswersWithoutTheEnsemble) {
  m.ensemble.fail(replication::ErrorCode::operation_timeout);
  m.ensemble.set_state(fusefs::client::SessionState::connecting);
  EXPECT_EQ(text("state"), "connecting\n");
}

TEST_F(MountDirectory, NothingIsCreatedOrRemovedInThere) {
  EXPECT_EQ(m.create("new", O_WRONLY | O_CREAT, directory()).error, EPERM);
  EXPECT_EQ(m.create("new@e", O_WRONLY | O_CREAT, directory()).error, EPERM);
  EXPECT_EQ(m.make_directory("new", directory()).error, EPERM);
  EXPECT_EQ(m.remove_file("txn", directory()).error, EPERM);
  EXPECT_EQ(m.remove_directory("@mount").error, EPERM);
  EXPECT_EQ(open("session", O_WRONLY).error, EACCES);
}

TEST_F(MountDirectory, ALostWriteIsAmongTheErrors) {
  m.ensemble.create("/a", bytes("1"));
  const auto opened = m.open(m.look_up("a").inode, O_WRONLY | O_TRUNC);
  m.write(opened.handle, 0, "2");
  m.ensemble.remove("/a");
  EXPECT_EQ(m.flush(opened.handle).error, ENOENT);
  EXPECT_EQ(text("errors"), "what was written to /a is lost: no such znode, or no such parent\n");
}

struct Transactions : MountDirectory {
  // As `cat > @mount/txn`: the errno of its write, or of its close.
  int carry_out(const std::string& lines) {
    const auto opened = open("txn", O_WRONLY | O_TRUNC);
    EXPECT_EQ(m.flush(opened.handle).error, 0);
    const int error = m.write(opened.handle, 0, lines).error;
    const int closed = m.flush(opened.handle).error;
    m.release(opened.handle);
    return error != 0 ? error : closed;
  }
};

TEST_F(Transactions, AllIsDone) {
  m.ensemble.create("/counter", bytes("41\n"));
  m.ensemble.create("/old", bytes(""));
  EXPECT_EQ(carry_out("create config v1\nmkdir jobs\ncreate jobs/j-@s \"exact\"\n"
                      "set counter@v=0 42\ncheck counter@v=1\ndelete old\n"),
            0);
  EXPECT_EQ(m.ensemble.text("/config"), "v1\n");
  EXPECT_EQ(m.ensemble.text("/jobs"), "(null)");
  EXPECT_EQ(m.ensemble.text("/jobs/j-0000000000"), "exact");
  EXPECT_EQ(m.ensemble.text("/counter"), "42\n");
  EXPECT_EQ(m.ensemble.text("/old"), "(none)");
  EXPECT_EQ(text("txn"),
            "done create /config\ndone mkdir /jobs\ndone create /jobs/j-0000000000\n"
            "done set /counter 1\ndone check /counter\ndone delete /old\n");
}

TEST_F(Transactions, OrNothing) {
  m.ensemble.create("/a", bytes("1"));
  EXPECT_EQ(carry_out("create b\nset a@v=7 2\ndelete a\n"), ESTALE);
  EXPECT_EQ(m.ensemble.text("/b"), "(none)");
  EXPECT_EQ(m.ensemble.text("/a"), "1");
  EXPECT_EQ(text("txn"),
            "not done create /b\n"
            "failed set /a: another version than the condition names: read again, then decide\n"
            "not done delete /a\n");
}

TEST_F(Transactions, ALineThatMeansNothingIsRefusedWhereItIsWritten) {
  EXPECT_EQ(carry_out("create a\nnonsense\n"), EINVAL);
  EXPECT_EQ(m.ensemble.text("/a"), "(none)");
  EXPECT_NE(text("errors").find("nonsense"), std::string::npos);
  EXPECT_EQ(carry_out("create a\nnonsense"), EINVAL) << "the last line has no end";
  EXPECT_EQ(m.ensemble.text("/a"), "(none)");
}

TEST_F(Transactions, ACommitTellsTheErrorAtItsWrite) {
  const auto opened = open("txn", O_RDWR);
  EXPECT_EQ(m.write(opened.handle, 0, "begin\ndelete absent\n").error, 0);
  EXPECT_EQ(m.write(opened.handle, 0, "commit\n").error, ENOENT);
  EXPECT_EQ(m.read(opened.handle, 0, 10).text, "failed del");
  EXPECT_EQ(m.read(opened.handle).text, "ete /absent: no such znode, or no such parent\n");
  EXPECT_EQ(m.read(opened.handle).text, "");
  EXPECT_EQ(m.write(opened.handle, 0, "create present\ncommit\n").error, 0);
  EXPECT_EQ(m.read(opened.handle).text, "done create /present\n");
}

TEST_F(Transactions, WhatTheServerRefusesIsRefusedWhereItIsWritten) {
  m.ensemble.create("/a", bytes("1"));
  const auto opened = open("txn", O_RDWR);
  EXPECT_EQ(m.write(opened.handle, 0, "create b\n").error, 0);
  EXPECT_EQ(m.ensemble.text("/b"), "(none)") << "a trial changes nothing";
  EXPECT_EQ(m.write(opened.handle, 0, "set a@v=7 2\n").error, ESTALE);
  EXPECT_EQ(m.write(opened.handle, 0, "create c\n").error, ESTALE) << "nothing happens any more";
  EXPECT_EQ(m.flush(opened.handle).error, 0);
  m.release(opened.handle);
  EXPECT_EQ(m.ensemble.text("/b") + m.ensemble.text("/c"), "(none)(none)");
  EXPECT_EQ(text("txn"),
            "not done create /b\n"
            "failed set /a: another version than the condition names: read again, then decide\n");
  const auto again = open("txn", O_RDWR);
  EXPECT_EQ(m.write(again.handle, 0, "nonsense\n").error, EINVAL);
  EXPECT_EQ(m.write(again.handle, 0, "create b\n").error, EINVAL);
  EXPECT_EQ(m.write(again.handle, 0, "commit\n").error, EINVAL);
  EXPECT_EQ(m.write(again.handle, 0, "begin\ncreate b\ncommit\n").error, 0);
  EXPECT_EQ(m.ensemble.text("/b"), "");
}

// The shell's processes close their copies of the descriptor one after the other.
TEST_F(Transactions, BehindBeginOnlyACommitCounts) {
  const auto opened = open("txn", O_WRONLY);
  m.write(opened.handle, 0, "begin\ncreate a\n");
  EXPECT_EQ(m.flush(opened.handle).error, 0);
  EXPECT_EQ(m.ensemble.text("/a"), "(none)");
  m.write(opened.handle, 0, "create b\n");
  EXPECT_EQ(m.write(opened.handle, 0, "commit\n").error, 0);
  EXPECT_EQ(m.ensemble.text("/a"), "");
  EXPECT_EQ(m.ensemble.text("/b"), "");
  const auto killed = open("txn", O_WRONLY);
  m.write(killed.handle, 0, "begin\ncreate c\n");
  m.flush(killed.handle);
  m.release(killed.handle);
  EXPECT_EQ(m.ensemble.text("/c"), "(none)");
}

TEST_F(Transactions, SettingDataDoesNotTurnADirectoryIntoAFile) {
  m.ensemble.create("/d", replication::Data{});
  EXPECT_EQ(carry_out("create first\nset d x\n"), 0);
  EXPECT_TRUE(S_ISDIR(m.look_up("d").attributes.st_mode));
  EXPECT_EQ(m.ensemble.text("/d"), "x\n");
  EXPECT_EQ(text("txn"), "done create /first\ndone set /d 1\n");
}

TEST_F(Transactions, AreBounded) {
  const auto opened = open("txn", O_WRONLY);
  const std::string large(replication::limits::transaction_text_bytes_max / 2, '#');
  EXPECT_EQ(m.write(opened.handle, 0, large).error, 0);
  EXPECT_EQ(m.write(opened.handle, 0, large + large).error, EFBIG);
}

TEST_F(Transactions, AreNeverSentTwice) {
  const auto opened = open("txn", O_WRONLY);
  m.write(opened.handle, 0, "create a\n");
  m.ensemble.fail(replication::ErrorCode::connection_loss);
  EXPECT_EQ(m.flush(opened.handle).error, ETIMEDOUT);
  m.ensemble.fail(replication::ErrorCode::ok);
  EXPECT_EQ(m.flush(opened.handle).error, 0);
  EXPECT_EQ(m.ensemble.text("/a"), "(none)");
  EXPECT_EQ(text("txn").substr(0, 8), "failed: ");
}

}  // namespace
}  // namespace zabfs::test
