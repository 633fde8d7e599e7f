// What the next process of a mount does with what the one before was told and did not live to
// answer.
#include "tests/fusefs/kernel/continued_mount.hpp"

namespace zabfs::fusefs::kernel {
namespace {

TEST_F(ContinuationTest, NumbersAndOpenFilesGoOn) {
  ensemble_.create("/a", replication::Bytes{'o', 'l', 'd'});
  const auto node = look_up("a");
  const auto handle = open(node, O_RDONLY);
  EXPECT_EQ(ask(FUSE_READ, node, reading(handle, 0, 2)).body, "ol");
  ensemble_.set("/a", "new");
  kill();
  EXPECT_EQ(ask(FUSE_READ, node, reading(handle, 2, 2)).body, "d") << "one version whole";
  EXPECT_EQ(ask(FUSE_READ, node, reading(handle, 0, 9)).body, "new");
  EXPECT_EQ(look_up("a"), node);
  EXPECT_GT(open(node, O_RDONLY), handle);
}

TEST_F(ContinuationTest, WhatIsWrittenAndNotCommittedIsCommittedByTheNext) {
  ensemble_.create("/a", replication::Bytes{});
  const auto node = look_up("a");
  const auto handle = open(node, O_WRONLY | O_TRUNC);
  ask(FUSE_WRITE, node, writing(handle, 0, "one "));
  ask(FUSE_WRITE, node, writing(handle, 4, "two"));
  kill();
  ask(FUSE_WRITE, node, writing(handle, 7, " three"));
  kill();
  EXPECT_EQ(ask(FUSE_FLUSH, node, flushing(handle)).header.error, 0);
  EXPECT_EQ(ensemble_.text("/a"), "one two three");
}

TEST_F(ContinuationTest, AnAnswerThatWasOnItsWayIsGivenAgain) {
  ensemble_.create("/a", replication::Bytes{'x'});
  const auto node = look_up("a@next");
  const auto handle = open(node, O_RDONLY);
  ensemble_.set("/a", "y");
  ensemble_.deliver();
  const auto answer = ask(FUSE_READ, node, reading(handle, 0, 100));
  EXPECT_NE(answer.body, "");
  kill();
  repeat(last_request_);
  const auto again = receive();
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->body, answer.body) << "though the line is read";
  EXPECT_EQ(again->header.unique, last_ | repeated);
  EXPECT_EQ(ask(FUSE_READ, node, reading(handle, 0, 100)).body, "");
}

TEST_F(ContinuationTest, AChangeThatHadBegunIsNotRepeated) {
  ensemble_.create("/a", replication::Bytes{});
  ensemble_.hold("/a");
  send(FUSE_UNLINK, FUSE_ROOT_ID, name_of("a"));
  ensemble_.deliver();
  const std::string unlink = last_request_;
  kill();
  repeat(unlink);
  const auto answer = receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->header.error == -ETIMEDOUT || answer->header.error == 0);
}

TEST_F(ContinuationTest, ACommitThatHadBegunIsNotRepeatedByTheClose) {
  ensemble_.create("/a", replication::Bytes{});
  const auto node = look_up("a");
  const auto handle = open(node, O_WRONLY | O_TRUNC);
  ask(FUSE_WRITE, node, writing(handle, 0, "mine"));
  ensemble_.hold("/a");
  send(FUSE_FLUSH, node, flushing(handle));
  const std::string flush = last_request_;
  ensemble_.deliver();
  kill();
  repeat(flush);
  const auto answer = receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->header.error, -ETIMEDOUT);
  ensemble_.release();
  ensemble_.deliver();
  ensemble_.set("/a", "his");
  fuse_release_in closing{};
  closing.fh = handle;
  EXPECT_EQ(ask(FUSE_RELEASE, node, text_of(closing)).header.error, 0);
  EXPECT_EQ(ensemble_.text("/a"), "his") << "the close wrote nothing a second time";
}

TEST_F(ContinuationTest, AQuestionIsAskedAgain) {
  ensemble_.create("/a", replication::Bytes{'x'});
  ensemble_.hold("/a");
  send(FUSE_LOOKUP, FUSE_ROOT_ID, name_of("a"));
  kill();
  ensemble_.release();
  repeat(last_request_);
  ensemble_.deliver();
  const auto answer = receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->header.error, 0);
  EXPECT_EQ(answer->header.unique, last_ | repeated);
}

TEST_F(ContinuationTest, AHeldZnodeGoesOnWithItsDescriptorAndGoesWithIt) {
  fuse_create_in creating{};
  creating.flags = O_RDWR | O_CREAT;
  const auto created = ask(FUSE_CREATE, FUSE_ROOT_ID, text_of(creating) + name_of("w@h"));
  const auto node = created.as<fuse_entry_out>().nodeid;
  const auto handle = created.as<fuse_open_out>(sizeof(fuse_entry_out)).fh;
  kill();
  catch_up();
  ensemble_.deliver();
  ASSERT_NE(ensemble_.find("/w"), nullptr);
  EXPECT_EQ(ask(FUSE_READ, node, reading(handle, 0, 100)).body, "w\n");
  fuse_release_in closing{};
  closing.fh = handle;
  ask(FUSE_RELEASE, node, text_of(closing));
  EXPECT_EQ(ensemble_.find("/w"), nullptr);
}

class GhostTest : public ContinuationTest {
 protected:
  // The process is killed when the ensemble has made a held znode and nobody knows.
  void kill_in_creation() {
    fuse_create_in creating{};
    creating.flags = O_RDWR | O_CREAT;
    ensemble_.hold("/w");
    send(FUSE_CREATE, FUSE_ROOT_ID, text_of(creating) + name_of("w@h"));
    ASSERT_NE(ensemble_.find("/w"), nullptr);
    kill();
    ensemble_.release();
    catch_up();
  }
};

TEST_F(GhostTest, OfAHeldZnodeIsDeleted) {
  kill_in_creation();
  ensemble_.deliver();
  EXPECT_EQ(ensemble_.find("/w"), nullptr);
}

// Else it would be a lock that nobody has and nobody gets.
TEST_F(GhostTest, IsDeletedAlsoIfTheSuccessorDiesAtIt) {
  kill_in_creation();
  bool has_found_it = false;
  ensemble_.before_next_write([&] {
    has_found_it = true;
    process().ledger.write();  // With the answer to somebody else.
    process().die();
    ensemble_.fail(replication::ErrorCode::connection_loss);
  });
  ensemble_.deliver();
  ASSERT_TRUE(has_found_it);
  ASSERT_NE(ensemble_.find("/w"), nullptr);
  ensemble_.fail(replication::ErrorCode::ok);
  kill();
  catch_up();
  ensemble_.deliver();
  EXPECT_EQ(ensemble_.find("/w"), nullptr);
}

class LockContinuationTest : public ContinuationTest {
 protected:
  std::string locking(std::uint64_t handle, std::uint64_t owner, std::uint32_t type) {
    fuse_lk_in asked{};
    asked.fh = handle;
    asked.owner = owner;
    asked.lk.end = 0x7FFF'FFFF'FFFF'FFFF;
    asked.lk.type = type;
    asked.lk_flags = FUSE_LK_FLOCK;
    return text_of(asked);
  }
};

TEST_F(LockContinuationTest, HoldersHoldAndWaitersKeepTheirPlace) {
  ensemble_.create("/a", replication::Bytes{'x'});
  const auto node = look_up("a");
  const auto one = open(node, O_RDWR);
  const auto two = open(node, O_RDWR);
  EXPECT_EQ(ask(FUSE_SETLKW, node, locking(one, 1, F_WRLCK)).header.error, 0);
  send(FUSE_SETLKW, node, locking(two, 2, F_WRLCK));
  const std::string waiting = last_request_;
  ensemble_.deliver();
  const std::string second = "/zabfs/locks/%2Fa/write-0000000001";
  ASSERT_NE(ensemble_.find(second), nullptr);
  kill();
  repeat(waiting);
  catch_up();
  ensemble_.deliver();
  EXPECT_FALSE(receive().has_value()) << "the other one still has it";
  EXPECT_NE(ensemble_.find(second), nullptr);
  EXPECT_EQ(ensemble_.find("/zabfs/locks/%2Fa/write-0000000002"), nullptr)
      << "it did not queue anew";
  send(FUSE_SETLK, node, locking(one, 1, F_UNLCK));
  ensemble_.deliver();
  EXPECT_EQ(receive()->header.error, 0);
  EXPECT_EQ(receive()->header.error, 0) << "the waiter has it";
  EXPECT_NE(ensemble_.find(second), nullptr);
}

TEST_F(LockContinuationTest, AContenderOnItsWayOutIsNobodysPlace) {
  ensemble_.create("/a", replication::Bytes{'x'});
  const auto node = look_up("a");
  const auto one = open(node, O_RDWR);
  EXPECT_EQ(ask(FUSE_SETLKW, node, locking(one, 1, F_WRLCK)).header.error, 0);
  const std::string first_contender = "/zabfs/locks/%2Fa/write-0000000000";
  ensemble_.hold(first_contender);
  send(FUSE_SETLK, node, locking(one, 1, F_UNLCK));
  // The kernel gives the next open file the number of the one before.
  send(FUSE_SETLKW, node, locking(one, 1, F_WRLCK));
  const std::string waiting = last_request_;
  kill();
  repeat(waiting);
  ensemble_.release();
  catch_up();
  ensemble_.deliver();
  EXPECT_EQ(receive()->header.error, 0);
  EXPECT_EQ(ensemble_.find(first_contender), nullptr);
}

TEST_F(LockContinuationTest, APlaceThatNobodyAsksForIsGivenUp) {
  ensemble_.create("/a", replication::Bytes{'x'});
  const auto node = look_up("a");
  const auto one = open(node, O_RDWR);
  const auto two = open(node, O_RDWR);
  EXPECT_EQ(ask(FUSE_SETLKW, node, locking(one, 1, F_WRLCK)).header.error, 0);
  send(FUSE_SETLKW, node, locking(two, 2, F_WRLCK));
  ensemble_.deliver();
  kill();
  catch_up();
  ensemble_.deliver();
  EXPECT_EQ(ensemble_.find("/zabfs/locks/%2Fa/write-0000000001"), nullptr);
  EXPECT_NE(ensemble_.find("/zabfs/locks/%2Fa/write-0000000000"), nullptr);
}

TEST_F(ContinuationTest, WithoutTheLedgerTheMountGoesOnAndOldFilesAreRefused) {
  ensemble_.create("/a", replication::Bytes{'x'});
  const auto node = look_up("a");
  const auto handle = open(node, O_RDONLY);
  send(FUSE_UNLINK, FUSE_ROOT_ID, name_of("b"));
  const std::string unlink = last_request_;
  kill(true);
  while (receive()) {
  }
  repeat(unlink);
  EXPECT_EQ(receive()->header.error, -ETIMEDOUT);
  EXPECT_EQ(ask(FUSE_READ, node, reading(handle, 0, 2)).header.error, -EBADF);
  EXPECT_EQ(look_up("a"), node) << "numbers are the same in every process";
  EXPECT_GT(open(node, O_RDONLY), handle);
  fuse_forget_in forgotten{};
  forgotten.nlookup = 2;  // The kernel counts both processes' answers.
  send(FUSE_FORGET, node, text_of(forgotten));
}

}  // namespace
}  // namespace zabfs::fusefs::kernel
