// Locks of files: who has them and who waits, what they cost, and how they end.
#include <gtest/gtest.h>

#include "tests/fusefs/filesystem/mounted_fake.hpp"

namespace zabfs::test {
namespace {

using fusefs::Content;
using fusefs::Done;
using fusefs::LockCall;
using fusefs::LockFound;
using fusefs::Readiness;
using fusefs::locks::Family;
using fusefs::locks::Mode;

constexpr auto shared = Mode::shared;
constexpr auto exclusive = Mode::exclusive;
const std::string queue = "/zabfs/locks/%2Ff";

void* pointer(std::uintptr_t request) { return reinterpret_cast<void*>(request); }

struct Locking : testing::Test {
  Locking() { m.ensemble.create("/f", bytes("1")); }
  ~Locking() override { m.fs.interrupt_all(); }

  HandleId open(int flags = O_RDWR) {
    const auto opened = m.open(m.look_up("f").inode, flags);
    EXPECT_EQ(opened.error, 0);
    return opened.handle;
  }
  // Of flock, every handle is an owner of its own.
  std::uintptr_t begin(HandleId handle, Mode mode, bool is_nonblocking = false,
                       Family family = Family::flock, std::uint64_t owner = 0) {
    const LockCall call{.handle = handle,
                        .owner = owner == 0 ? handle : owner,
                        .family = family,
                        .mode = mode,
                        .is_nonblocking = is_nonblocking};
    const auto request = m.begin<Done>([&](auto r) { m.fs.lock(std::move(r), call); });
    m.ensemble.deliver();
    return request;
  }
  int lock(HandleId handle, Mode mode, bool is_nonblocking = false) {
    const auto& answer = of(begin(handle, mode, is_nonblocking));
    EXPECT_EQ(answer.times, 1) << "it waits";
    return answer.error;
  }
  int unlock(HandleId handle) {
    const LockCall call{.handle = handle, .owner = handle};
    return m.ask<Done>([&](auto r) { m.fs.unlock(std::move(r), call); }).error;
  }
  const Answer& of(std::uintptr_t request) { return m.answers.of_request(request); }
  bool waits(std::uintptr_t request) { return of(request).times == 0; }
  bool stands(const std::string& contender) {
    return m.ensemble.find(queue + "/" + contender) != nullptr;
  }
  // Another client's contender, first in the queue.
  void let_another_lock(const std::string& name = "write-0000000000") {
    for (const std::string path : {"/zabfs", "/zabfs/locks", queue.c_str()}) {
      m.ensemble.create(path, {});
    }
    m.ensemble.create(queue + "/" + name, bytes("host far\npid 7\n"), 99);
  }

  MountedFake m{};
};

TEST_F(Locking, AnExclusiveLockExcludesUntilItIsGivenBack) {
  const auto one = open();
  const auto other = open();
  EXPECT_EQ(lock(one, exclusive), 0);
  const auto second = begin(other, exclusive);
  EXPECT_TRUE(waits(second));
  EXPECT_EQ(unlock(one), 0);
  EXPECT_EQ(of(second).error, 0);
  EXPECT_FALSE(waits(second));
  EXPECT_EQ(unlock(other), 0);
  EXPECT_FALSE(stands("write-0000000000") || stands("write-0000000001"));
}

TEST_F(Locking, WithoutContentionCostsTwoWritesAndTwoReads) {
  const auto handle = open();
  lock(handle, exclusive);  // Makes the queue.
  unlock(handle);
  m.ensemble.deliver();
  const auto requests = m.ensemble.request_count();
  const auto zxid = m.ensemble.last_zxid();
  lock(handle, exclusive);
  unlock(handle);
  EXPECT_EQ(m.ensemble.request_count() - requests, 4U);
  EXPECT_EQ(m.ensemble.last_zxid().wire() - zxid.wire(), 2);
}

// One wait: who comes first is seen by what travels with the creation.
TEST_F(Locking, WithoutContentionIsThereWithTheAnswersToTheCreation) {
  const auto handle = open();
  lock(handle, exclusive);  // Makes the queue.
  unlock(handle);
  const auto requests = m.ensemble.request_count();
  const auto taken = m.begin<Done>([&](auto r) {
    m.fs.lock(std::move(r), {.handle = handle, .owner = handle, .mode = exclusive});
  });
  EXPECT_EQ(m.ensemble.request_count() - requests, 2U);
  m.ensemble.hold(queue + "/write-0000000001");  // The guard's question, and whatever else.
  m.ensemble.deliver();
  EXPECT_EQ(of(taken).times, 1);
}

TEST_F(Locking, AContenderThatIsRemovedBeforeItIsGuardedIsALockThatIsLost) {
  const auto a = open();
  lock(a, exclusive);
  unlock(a);
  const auto taken = m.begin<Done>(
      [&](auto r) { m.fs.lock(std::move(r), {.handle = a, .owner = a, .mode = exclusive}); });
  m.ensemble.remove(queue + "/write-0000000001");
  m.ensemble.deliver();
  EXPECT_EQ(of(taken).error, 0) << "it was had when the ensemble answered";
  EXPECT_EQ(m.read(a).error, ENOLINK);
}

TEST_F(Locking, ReadersShareAndNobodyOvertakes) {
  const auto a = open(), b = open(), c = open(), d = open();
  EXPECT_EQ(lock(a, shared), 0);
  EXPECT_EQ(lock(b, shared), 0);
  const auto writer = begin(c, exclusive);
  const auto late_reader = begin(d, shared);
  EXPECT_TRUE(waits(writer) && waits(late_reader));
  unlock(b);
  EXPECT_TRUE(waits(writer));
  unlock(a);
  EXPECT_FALSE(waits(writer));
  EXPECT_TRUE(waits(late_reader));
  unlock(c);
  EXPECT_FALSE(waits(late_reader));
}

TEST_F(Locking, WhoeverLeavesWakesOneWaiter) {
  const auto a = open(), b = open(), c = open();
  lock(a, exclusive);
  begin(b, exclusive);
  const auto last = begin(c, exclusive);
  const auto requests = m.ensemble.request_count();
  unlock(a);
  EXPECT_EQ(m.ensemble.request_count() - requests, 3U) << "a deletes, b looks twice";
  EXPECT_TRUE(waits(last));
}

TEST_F(Locking, WithoutWaitingATakenLockIsRefusedAndCostsNoWrite) {
  const auto a = open(), b = open();
  lock(a, exclusive);
  const auto zxid = m.ensemble.last_zxid();
  EXPECT_EQ(lock(b, exclusive, true), EAGAIN);
  EXPECT_EQ(lock(b, shared, true), EAGAIN);
  EXPECT_EQ(m.ensemble.last_zxid(), zxid);
  unlock(a);
  EXPECT_EQ(lock(b, exclusive, true), 0);
}

// It was free when it was looked at; somebody else comes before the contender.
TEST_F(Locking, WithoutWaitingTheLoserOfARaceLeaves) {
  const auto a = open();
  m.ensemble.before_next_write([this] { let_another_lock(); });
  EXPECT_EQ(lock(a, exclusive, true), EAGAIN);
  m.ensemble.deliver();
  EXPECT_FALSE(stands("write-0000000001"));
}

TEST_F(Locking, ASignalEndsTheWaitAndThePlaceInTheQueue) {
  const auto a = open(), b = open(), c = open();
  lock(a, exclusive);
  const auto waiting = begin(b, exclusive);
  const auto behind = begin(c, exclusive);
  m.fs.interrupt(pointer(waiting));
  m.ensemble.deliver();
  EXPECT_EQ(of(waiting).error, EINTR);
  EXPECT_FALSE(stands("write-0000000001"));
  unlock(a);
  EXPECT_FALSE(waits(behind));
}

TEST_F(Locking, ASignalBeforeTheContenderIsKnownLeavesNone) {
  const auto a = open();
  lock(a, exclusive);
  unlock(a);
  m.ensemble.hold(queue + "/write-");
  const auto waiting = begin(a, exclusive);
  m.fs.interrupt(pointer(waiting));
  EXPECT_EQ(of(waiting).error, EINTR);
  EXPECT_TRUE(stands("write-0000000001"));
  m.ensemble.release();
  m.ensemble.deliver();
  EXPECT_FALSE(stands("write-0000000001"));
}

TEST_F(Locking, AnAnswerThatIsLostLeavesNoSecondContender) {
  const auto a = open();
  lock(a, exclusive);
  unlock(a);
  m.ensemble.hold(queue + "/write-");
  const auto taken = begin(a, exclusive);
  EXPECT_TRUE(stands("write-0000000001"));
  m.ensemble.lose_answers();
  m.ensemble.deliver();
  EXPECT_EQ(of(taken).times, 1);
  EXPECT_EQ(of(taken).error, 0);
  EXPECT_FALSE(stands("write-0000000001"));
  EXPECT_TRUE(stands("write-0000000002"));
}

TEST_F(Locking, TheLastCloseGivesBack) {
  const auto a = open(), b = open();
  lock(a, exclusive);
  const auto waiting = begin(b, exclusive);
  m.release(a);
  EXPECT_FALSE(waits(waiting));
}

TEST_F(Locking, FcntlLocksGoWithTheOwnersFirstCloseAndAreOthersThanThoseOfFlock) {
  const auto a = open(), b = open();
  constexpr std::uint64_t process = 1000, other_process = 1001;
  EXPECT_EQ(of(begin(a, exclusive, true, Family::fcntl, process)).error, 0);
  EXPECT_EQ(lock(a, exclusive, true), 0) << "a program that takes both does not wait for itself";
  EXPECT_EQ(of(begin(b, shared, true, Family::fcntl, other_process)).error, EAGAIN);
  m.ask<Done>([&](auto r) { m.fs.flush(std::move(r), b, process); });
  EXPECT_EQ(of(begin(b, shared, true, Family::fcntl, other_process)).error, 0);
  EXPECT_EQ(lock(b, exclusive, true), EAGAIN);
}

TEST_F(Locking, AskingWhoIsInTheWay) {
  let_another_lock("fcntl-write-0000000000");
  const auto handle = open();
  const LockCall call{.handle = handle, .owner = 5, .family = Family::fcntl, .mode = shared};
  auto found = m.ask<LockFound>([&](auto r) { m.fs.test_lock(std::move(r), call); });
  EXPECT_TRUE(found.lock_found.is_taken && found.lock_found.is_exclusive);
  EXPECT_EQ(found.lock_found.pid, 0) << "a process of another machine";
  m.ensemble.remove(queue + "/fcntl-write-0000000000");
  found = m.ask<LockFound>([&](auto r) { m.fs.test_lock(std::move(r), call); });
  EXPECT_FALSE(found.lock_found.is_taken);
}

TEST_F(Locking, AnOwnerDoesNotWaitForItself) {
  const auto a = open(), b = open();
  lock(a, exclusive);
  const auto first = begin(b, exclusive);
  const auto second = begin(b, exclusive);
  unlock(a);
  EXPECT_FALSE(waits(first) || waits(second));
  EXPECT_EQ(unlock(b), 0);
  m.ensemble.deliver();
  EXPECT_EQ(lock(a, exclusive, true), 0) << "nothing is left behind";
}

TEST_F(Locking, AnUpgradeWithoutOthersNeverLetsGo) {
  const auto a = open();
  lock(a, shared);
  EXPECT_EQ(lock(a, exclusive), 0);
  m.ensemble.deliver();
  EXPECT_FALSE(stands("read-0000000000"));
  EXPECT_TRUE(stands("write-0000000001"));
}

TEST_F(Locking, AnUpgradeThatMayNotWaitKeepsTheSharedLock) {
  const auto a = open(), b = open();
  lock(a, shared);
  lock(b, shared);
  EXPECT_EQ(lock(a, exclusive, true), EAGAIN);
  EXPECT_TRUE(stands("read-0000000000"));
  unlock(b);
  EXPECT_EQ(lock(a, exclusive, true), 0);
}

TEST_F(Locking, TwoThatUpgradeDoNotWaitForEachOther) {
  const auto a = open(), b = open();
  lock(a, shared);
  lock(b, shared);
  const auto first = begin(a, exclusive);
  EXPECT_TRUE(waits(first));
  const auto second = begin(b, exclusive);
  EXPECT_FALSE(waits(first));
  EXPECT_TRUE(waits(second));
  unlock(a);
  EXPECT_FALSE(waits(second));
}

TEST_F(Locking, ADowngradeLetsReadersInWithoutLettingGo) {
  const auto a = open(), b = open(), c = open();
  lock(a, exclusive);
  const auto reader = begin(b, shared);
  EXPECT_TRUE(waits(reader));
  EXPECT_EQ(lock(a, shared), 0);
  EXPECT_FALSE(waits(reader));
  EXPECT_EQ(lock(c, exclusive, true), EAGAIN);
  EXPECT_EQ(lock(c, shared, true), 0);
  EXPECT_TRUE(stands("write-0000000000"));
  unlock(a);
  EXPECT_FALSE(stands("write-0000000000"));
}

TEST_F(Locking, ALockOfAnExpiredSessionIsLostForGood) {
  const auto a = open();
  lock(a, exclusive);
  int lost = 0, told = 0;
  m.ask<Readiness>([&](auto r) { m.fs.poll(std::move(r), a, [&] { ++told; }); });
  struct Nobody : fusefs::locks::Takers {
    std::string name{"here"};
    const std::string& host() const override { return name; }
    fusefs::locks::Taker find(std::int64_t) override { return {}; }
  } nobody;
  m.fs.use(nobody, [&](const fusefs::Lock& lock) { lost += lock.wanted.path == "/f" ? 1 : 100; });
  m.ensemble.expire_session();
  m.ensemble.deliver();
  EXPECT_EQ(lost, 1);
  EXPECT_EQ(told, 1);
  EXPECT_EQ(m.read(a).error, ENOLINK);
  EXPECT_EQ(m.write(a, 0, "x").error, ENOLINK);
  EXPECT_EQ(lock(a, exclusive), ENOLINK);
  EXPECT_EQ(unlock(a), ENOLINK);
  EXPECT_TRUE(
      m.ask<Readiness>([&](auto r) { m.fs.poll(std::move(r), a, {}); }).readiness.has_failed);
  EXPECT_EQ(lock(open(), exclusive), 0) << "another descriptor may have it";
}

// Its holders have been told that it is lost, so it must not be in the way of others.
TEST_F(Locking, ALockThatIsGivenUpForLostIsGivenBack) {
  const auto a = open(), b = open();
  lock(a, exclusive);
  const auto next = begin(b, exclusive);
  m.fs.lose_locks();
  EXPECT_EQ(m.read(a).error, ENOLINK);
  m.ensemble.deliver();
  EXPECT_FALSE(waits(next));
  EXPECT_EQ(m.read(b).error, 0);
  EXPECT_EQ(unlock(a), ENOLINK);
}

TEST_F(Locking, WhatWasWrittenUnderALostLockIsNotCommitted) {
  const auto a = open(O_WRONLY | O_TRUNC);
  lock(a, exclusive);
  EXPECT_EQ(m.write(a, 0, "2").error, 0);
  m.ensemble.expire_session();
  m.ensemble.deliver();
  EXPECT_EQ(m.flush(a).error, ENOLINK);
  m.release(a);
  EXPECT_EQ(m.ensemble.text("/f"), "1");
}

TEST_F(Locking, AContenderThatIsRemovedIsALockThatIsLost) {
  const auto a = open(), b = open();
  lock(a, exclusive);
  const auto next = begin(b, exclusive);
  m.ensemble.remove(queue + "/write-0000000000");
  m.ensemble.deliver();
  EXPECT_FALSE(waits(next));
  EXPECT_EQ(m.read(a).error, ENOLINK);
  EXPECT_EQ(m.read(b).error, 0);
}

TEST_F(Locking, AWaiterThatIsRemovedIsTold) {
  const auto a = open(), b = open();
  lock(a, exclusive);
  const auto next = begin(b, exclusive);
  m.ensemble.remove(queue + "/write-0000000001");
  m.ensemble.deliver();
  EXPECT_EQ(of(next).error, ENOLINK);
}

// The session has expired: another client is asked from now on.
TEST_F(Locking, AWaiterQueuesAnewInTheNextSession) {
  let_another_lock();
  const auto waiting = begin(open(), exclusive);
  EXPECT_TRUE(waits(waiting));
  FakeEnsemble next;
  next.create("/f", bytes("1"));
  m.ensemble.set_state(fusefs::client::SessionState::expired);
  next.expire_session();  // It has another number.
  m.fs.use(next);
  next.deliver();
  EXPECT_EQ(of(waiting).times, 1);
  EXPECT_EQ(of(waiting).error, 0);
  EXPECT_NE(next.find(queue + "/write-0000000000"), nullptr);
  m.fs.interrupt_all();
}

TEST_F(Locking, AWaiterStaysWhileTheConnectionIsLost) {
  let_another_lock();
  const auto waiting = begin(open(), exclusive);
  m.ensemble.fail(replication::ErrorCode::operation_timeout);
  m.ensemble.set("/zabfs", "x");
  EXPECT_TRUE(waits(waiting));
  m.ensemble.fail(replication::ErrorCode::ok);
  m.ensemble.remove(queue + "/write-0000000000");
  m.ensemble.deliver();
  EXPECT_FALSE(waits(waiting));
}

TEST_F(Locking, WhoeverCannotReachTheEnsembleIsTold) {
  const auto a = open();
  m.ensemble.fail(replication::ErrorCode::operation_timeout);
  EXPECT_EQ(lock(a, exclusive), EHOSTDOWN);
  m.ensemble.fail(replication::ErrorCode::no_auth);
  EXPECT_EQ(lock(a, exclusive), EACCES);
}

TEST_F(Locking, AHolderReadsWhatTheOneBeforeHasWritten) {
  const auto a = open(O_RDONLY);
  m.ensemble.set("/f", "2");
  lock(a, shared);
  EXPECT_EQ(m.read(a).text, "2");
}

TEST_F(Locking, WhatIsWrittenUnderALockIsThereBeforeTheNextHasIt) {
  const auto a = open(), b = open();
  lock(a, exclusive);
  m.write(a, 0, "2");
  const auto next = begin(b, shared);
  EXPECT_EQ(unlock(a), 0);
  EXPECT_FALSE(waits(next));
  EXPECT_EQ(m.read(b).text, "2");
}

TEST_F(Locking, InAMountOfASubtreeTheQueueIsThatOfTheEnsemble) {
  m.ensemble.set_chroot("/app");
  EXPECT_EQ(lock(open(), exclusive), 0);
  EXPECT_NE(m.ensemble.find("//zabfs/locks/%2Fapp%2Ff/write-0000000000"), nullptr);
}

TEST_F(Locking, AHolderHasAFenceThatGrows) {
  const auto inode = m.look_up("f").inode;
  const auto a = open(), b = open();
  EXPECT_EQ(m.get_extended_attribute(inode, "user.zk.fence").error, ENODATA);
  lock(a, exclusive);
  const auto first = m.get_extended_attribute(inode, "user.zk.fence").text;
  EXPECT_EQ(first, std::to_string(m.ensemble.find(queue + "/write-0000000000")->stat.czxid));
  begin(b, exclusive);
  unlock(a);
  EXPECT_GT(std::stoll(m.get_extended_attribute(inode, "user.zk.fence").text), std::stoll(first));
}

TEST_F(Locking, TheQueueIsShownInItsOrder) {
  let_another_lock();
  begin(open(), shared);
  begin(open(), exclusive);
  const std::string text = m.cat("/f@queue");
  EXPECT_TRUE(text.starts_with("holds write-0000000000 0x63 far 7 ")) << text;
  EXPECT_NE(text.find("\nwaits read-0000000001 0x4d "), text.npos) << text;
  EXPECT_NE(text.find("\nwaits write-0000000002 0x4d "), text.npos) << text;
}

TEST_F(Locking, QueuesOfOtherClientsAreShownToo) {
  m.ensemble.create("/dir", {});
  m.ensemble.create("/dir/ab__lock__0000000002", bytes("me\n"), 99);
  m.ensemble.create("/dir/ab__rlock__0000000001", bytes(""), 99);
  m.ensemble.create("/dir/ab__rlock__0000000000", bytes(""), 99);
  m.ensemble.create("/dir/other", bytes(""));
  EXPECT_EQ(m.cat("/dir@queue"),
            "holds ab__rlock__0000000000 0x63 - - 1970-01-01T00:00:05Z -\n"
            "holds ab__rlock__0000000001 0x63 - - 1970-01-01T00:00:04Z -\n"
            "waits ab__lock__0000000002 0x63 - - 1970-01-01T00:00:03Z me\n");
  EXPECT_EQ(m.cat("/f@queue"), "");
  EXPECT_EQ(m.open(m.look_up("none@queue").inode, O_RDONLY).error, ENOENT);
}

TEST_F(Locking, ContendersAreFilesAndRemovingOneBreaksIt) {
  EXPECT_EQ(m.look_up("f@locks").error, ENOENT);
  const auto a = open(), b = open();
  lock(a, exclusive);
  const auto next = begin(b, exclusive);
  const auto directory = m.look_up("f@locks");
  EXPECT_TRUE(S_ISDIR(directory.attributes.st_mode));
  EXPECT_EQ(m.list(directory.inode),
            (std::vector<std::string>{".", "..", "write-0000000000", "write-0000000001"}));
  EXPECT_EQ(m.remove_file("write-0000000000", directory.inode).error, 0);
  m.ensemble.deliver();
  EXPECT_FALSE(waits(next));
  EXPECT_EQ(m.read(a).error, ENOLINK);
}

TEST_F(Locking, TheQueuesAreNotListed) {
  lock(open(), exclusive);
  EXPECT_EQ(m.list(root), (std::vector<std::string>{".", "..", "f"}));
  EXPECT_EQ(m.look_up("zabfs").error, 0);
}

}  // namespace
}  // namespace zabfs::test
