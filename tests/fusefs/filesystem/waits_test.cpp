// Views that wait: when the line comes and what it says, who is woken, and how a wait ends.
#include <gtest/gtest.h>

#include "tests/fusefs/filesystem/mounted_fake.hpp"

namespace zabfs::test {
namespace {

using fusefs::Content;
using fusefs::Readiness;

void* pointer(std::uintptr_t request) { return reinterpret_cast<void*>(request); }

struct Waits : testing::Test {
  Answer open(const std::string& name) {
    const auto opened = m.open(m.look_up(name).inode, O_RDONLY);
    EXPECT_EQ(opened.error, 0) << name;
    return opened;
  }
  std::uintptr_t begin_read(HandleId handle) {
    const auto request = m.begin<Content>([&](auto r) { m.fs.read(std::move(r), handle, 0); });
    m.ensemble.deliver();
    return request;
  }
  const Answer& of(std::uintptr_t request) { return m.answers.of_request(request); }
  Answer poll(HandleId handle, std::function<void()> when_ready = {}) {
    return m.ask<Readiness>([&](auto r) { m.fs.poll(std::move(r), handle, when_ready); });
  }
  std::string zxid() { return std::to_string(m.ensemble.last_zxid().wire()); }

  MountedFake m{};
};

TEST_F(Waits, ForWhatIsSoAlreadyEndAtOnce) {
  m.ensemble.create("/a", bytes("1"));
  EXPECT_EQ(m.read(open("a@exists").handle).text, zxid() + " exists /a\n");
  EXPECT_EQ(m.read(open("b@gone").handle).text, zxid() + " absent /b\n");
}

TEST_F(Waits, AReadBlocksUntilTheZnodeIsCreated) {
  const auto handle = open("a@exists").handle;
  const auto read = begin_read(handle);
  EXPECT_EQ(of(read).times, 0);
  m.ensemble.create("/b", bytes("1"));
  m.ensemble.deliver();
  EXPECT_EQ(of(read).times, 0);
  m.ensemble.create("/a", bytes("1"));
  m.ensemble.deliver();
  EXPECT_EQ(of(read).text, zxid() + " created /a\n");
  EXPECT_EQ(m.read(handle).text, "");
  m.release(handle);
}

TEST_F(Waits, GoneOutlastsEveryOtherChange) {
  m.ensemble.create("/a", bytes("1"));
  const auto handle = open("a@gone").handle;
  const auto read = begin_read(handle);
  m.ensemble.set("/a", "2");
  m.ensemble.deliver();
  m.ensemble.create("/a/child", bytes(""));
  m.ensemble.deliver();
  m.ensemble.remove("/a/child");
  m.ensemble.deliver();
  EXPECT_EQ(of(read).times, 0);
  m.ensemble.remove("/a");
  m.ensemble.deliver();
  EXPECT_EQ(of(read).text, zxid() + " deleted /a\n");
}

TEST_F(Waits, AThousandAreWokenByOneEventAndNobodyAsks) {
  m.ensemble.create("/a", bytes("1"));
  std::vector<std::uintptr_t> reads;
  for (int i = 0; i < 1000; ++i) {
    reads.push_back(begin_read(open("a@next").handle));
  }
  const auto asked = m.ensemble.request_count();
  m.ensemble.set("/a", "2");
  const auto written = m.ensemble.request_count();
  m.ensemble.deliver();
  for (const auto read : reads) {
    EXPECT_EQ(of(read).text, zxid() + " changed /a\n");
  }
  EXPECT_EQ(m.ensemble.request_count(), written);
  EXPECT_EQ(written, asked) << "another client wrote";
}

TEST_F(Waits, NextIsTheFirstChangeAfterTheOpenOfWhateverKind) {
  m.ensemble.create("/a", bytes("1"));
  const auto handle = open("a@next").handle;
  m.ensemble.set("/a", "2");
  m.ensemble.deliver();
  EXPECT_EQ(m.read(handle).text, zxid() + " changed /a\n") << "heard though nobody read yet";
  const auto of_children = begin_read(open("a@next").handle);
  m.ensemble.create("/a/child", bytes(""));
  m.ensemble.deliver();
  EXPECT_EQ(of(of_children).text, zxid() + " children /a\n");
  const auto of_creation = begin_read(open("b@next").handle);
  m.ensemble.create("/b", bytes(""));
  m.ensemble.deliver();
  EXPECT_EQ(of(of_creation).text, zxid() + " created /b\n");
}

TEST_F(Waits, NextAfterAZxidMissesNothingInBetween) {
  m.ensemble.create("/a", bytes("1"));
  const std::string created = zxid();
  m.ensemble.set("/a", "2");
  EXPECT_EQ(m.read(open("a@next=" + created).handle).text, zxid() + " changed /a\n");
  m.ensemble.create("/a/child", bytes(""));
  EXPECT_EQ(m.read(open("a@next=" + created).handle).text, zxid() + " children /a\n");
  const auto read = begin_read(open("a@next=" + zxid()).handle);
  EXPECT_EQ(of(read).times, 0);
  m.ensemble.set("/a", "3");
  m.ensemble.deliver();
  EXPECT_EQ(of(read).text, zxid() + " changed /a\n");
}

TEST_F(Waits, NextAfterAZxidTellsThatTheZnodeIsGone) {
  m.ensemble.create("/a", bytes("1"));
  const std::string created = zxid();
  m.ensemble.remove("/a");
  EXPECT_EQ(m.read(open("a@next=" + created).handle).text, zxid() + " absent /a\n");
  const auto read = begin_read(open("a@next=" + zxid()).handle);
  EXPECT_EQ(of(read).times, 0);
}

TEST_F(Waits, ManyReadersAreAllWoken) {
  std::vector<std::uintptr_t> reads;
  for (int i = 0; i < 100; ++i) {
    reads.push_back(begin_read(open("a@exists").handle));
  }
  m.ensemble.create("/a", bytes(""));
  m.ensemble.deliver();
  for (const auto read : reads) {
    EXPECT_EQ(of(read).text, zxid() + " created /a\n");
  }
}

TEST_F(Waits, ASignalEndsTheReadAndNotTheWait) {
  const auto handle = open("a@exists").handle;
  const auto read = begin_read(handle);
  m.fs.interrupt(pointer(read));
  EXPECT_EQ(of(read).error, EINTR);
  m.ensemble.create("/a", bytes(""));
  m.ensemble.deliver();
  EXPECT_EQ(m.read(handle).text, zxid() + " created /a\n");
}

TEST_F(Waits, AReadThatMayNotBlockSaysSo) {
  const auto handle = open("a@exists").handle;
  const auto refused = m.ask<Content>([&](auto r) { m.fs.read(std::move(r), handle, 0, true); });
  EXPECT_EQ(refused.error, EAGAIN);
}

TEST_F(Waits, PollIsToldWhenALineComes) {
  const auto handle = open("a@exists").handle;
  int told = 0;
  EXPECT_FALSE(poll(handle, [&told] { ++told; }).readiness.can_read);
  m.ensemble.create("/a", bytes(""));
  m.ensemble.deliver();
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(poll(handle, [&told] { ++told; }).readiness.can_read);
  EXPECT_EQ(told, 1);
}

// busybox's shell polls before every read.
TEST_F(Waits, EverythingElseIsAlwaysReadyToBePolled) {
  m.ensemble.create("/a", bytes("1"));
  const auto opened = m.open(m.look_up("a").inode, O_RDWR);
  EXPECT_TRUE(poll(opened.handle).readiness.can_read);
  EXPECT_TRUE(poll(opened.handle).readiness.can_write);
}

TEST_F(Waits, ALostDescriptorPollsAsAnError) {
  const auto made = m.create("lock@h", O_RDWR | O_CREAT);
  EXPECT_FALSE(poll(made.handle).readiness.has_failed);
  m.ensemble.expire_session();
  EXPECT_TRUE(poll(made.handle).readiness.has_failed);
}

TEST_F(Waits, BeginBeforeTheOpenIsAnswered) {
  m.ensemble.create("/a", bytes("1"));
  m.ensemble.hold("/a");
  const auto inode = m.look_up("a@next").inode;
  const auto request =
      m.begin<fusefs::Opened>([&](auto r) { m.fs.open(std::move(r), inode, O_RDONLY); });
  m.ensemble.deliver();
  EXPECT_EQ(of(request).times, 0);
  m.ensemble.release();
  m.ensemble.deliver();
  EXPECT_EQ(of(request).times, 1);
  m.ensemble.set("/a", "2");
  m.ensemble.deliver();
  EXPECT_EQ(m.read(of(request).handle).text, zxid() + " changed /a\n");
}

TEST_F(Waits, AnOpenThatASignalEndsWaitsForNothing) {
  m.ensemble.hold("/a");
  const auto inode = m.look_up("a@exists").inode;
  const auto request =
      m.begin<fusefs::Opened>([&](auto r) { m.fs.open(std::move(r), inode, O_RDONLY); });
  m.fs.interrupt(pointer(request));
  EXPECT_EQ(of(request).error, EINTR);
  EXPECT_EQ(m.ensemble.unanswered(), 0U);
}

// The session has expired: another client is asked from now on.
TEST_F(Waits, GoOnInTheNextSession) {
  const auto read = begin_read(open("a@exists").handle);
  FakeEnsemble next;
  m.fs.use(next);
  next.deliver();
  next.create("/a", bytes(""));
  next.deliver();
  EXPECT_EQ(of(read).text, "1 created /a\n");
  m.fs.interrupt_all();
}

TEST_F(Waits, WhatCannotBeWaitedForIsRefusedAtOpen) {
  const auto inode = m.look_up("a@exists").inode;
  m.ensemble.fail(replication::ErrorCode::no_auth);
  EXPECT_EQ(m.open(inode, O_RDONLY).error, EACCES);
  m.ensemble.fail(replication::ErrorCode::operation_timeout);
  EXPECT_EQ(m.open(inode, O_RDONLY).error, EHOSTDOWN);
}

TEST_F(Waits, ClosingEndsTheWait) {
  const auto handle = open("a@exists").handle;
  EXPECT_EQ(m.release(handle).error, 0);
  m.ensemble.create("/a", bytes(""));
  m.ensemble.deliver();
  EXPECT_EQ(m.ensemble.unanswered(), 0U);
  EXPECT_FALSE(m.fs.is_waiting(nullptr));
}

TEST_F(Waits, NothingIsWrittenOrCreatedThere) {
  const auto found = m.look_up("a@exists");
  EXPECT_EQ(found.error, 0);
  EXPECT_EQ(m.open(found.inode, O_WRONLY).error, EACCES);
  EXPECT_EQ(m.remove_file("a@exists").error, EPERM);
}

}  // namespace
}  // namespace zabfs::test
