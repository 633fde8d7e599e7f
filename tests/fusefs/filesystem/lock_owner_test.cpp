// Who the owner of a lock is while files are closed: the kernel gives the number of an open file to
// the next one while the first is still being closed.
#include <gtest/gtest.h>

#include "tests/fusefs/filesystem/mounted_fake.hpp"

namespace zabfs::test {
namespace {

using fusefs::Done;
using fusefs::LockCall;
using fusefs::locks::Family;
using fusefs::locks::Mode;

constexpr std::uint64_t owner = 7;
const std::string queue = "/zabfs/locks/%2Ff";

struct LockOwner : testing::Test {
  LockOwner() { m.ensemble.create("/f", bytes("1")); }
  ~LockOwner() override { m.fs.interrupt_all(); }

  HandleId open(int flags = O_RDWR) {
    const auto opened = m.open(m.look_up("f").inode, flags);
    EXPECT_EQ(opened.error, 0);
    return opened.handle;
  }
  std::uintptr_t lock(HandleId handle, Family family) {
    const LockCall call{
        .handle = handle, .owner = owner, .family = family, .mode = Mode::exclusive};
    const auto request = m.begin<Done>([&](auto r) { m.fs.lock(std::move(r), call); });
    m.ensemble.deliver();
    return request;
  }
  const Answer& of(std::uintptr_t request) { return m.answers.of_request(request); }
  bool waits(std::uintptr_t request) { return of(request).times == 0; }

  MountedFake m{};
};

TEST_F(LockOwner, OfAClosedFileIsNotTheNextOneWithItsNumber) {
  const auto closed = open();
  const auto next = open();
  lock(closed, Family::flock);
  EXPECT_EQ(of(lock(next, Family::flock)).error, 0);
  m.release(closed);
  EXPECT_EQ(m.ensemble.find(queue + "/write-0000000000"), nullptr);
  EXPECT_NE(m.ensemble.find(queue + "/write-0000000001"), nullptr);
}

// Open file descriptions and flock have the same kind of owner.
TEST_F(LockOwner, WaitsUntilTheCloseOfTheFileBeforeHasCommitted) {
  for (const Family family : {Family::flock, Family::fcntl}) {
    const auto closed = open(O_RDWR | O_TRUNC);
    const auto next = open();
    lock(closed, family);
    m.ensemble.hold("/f");
    const auto closing = m.begin<Done>([&](auto r) { m.fs.release(std::move(r), closed); });
    const auto interrupted = lock(next, family);
    const auto taken = lock(next, family);
    EXPECT_TRUE(waits(closing) && waits(interrupted) && waits(taken));
    EXPECT_EQ(m.ensemble.find(queue)->stat.num_children, 1);
    m.fs.interrupt(reinterpret_cast<void*>(interrupted));
    EXPECT_EQ(of(interrupted).error, EINTR);
    m.ensemble.release();
    m.ensemble.deliver();
    EXPECT_EQ(of(closing).times, 1);
    EXPECT_EQ(of(taken).times, 1);
    EXPECT_EQ(of(taken).error, 0);
    EXPECT_EQ(m.ensemble.text("/f"), "");
    EXPECT_EQ(m.ensemble.find(queue)->stat.num_children, 1) << "one went, one came";
    m.release(next);
    EXPECT_EQ(m.ensemble.find(queue)->stat.num_children, 0) << "that of the next file";
  }
}

}  // namespace
}  // namespace zabfs::test
