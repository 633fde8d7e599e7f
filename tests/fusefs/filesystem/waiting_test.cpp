// Operations that wait: for each other never, for the ensemble until a signal comes.
#include <gtest/gtest.h>

#include "tests/fusefs/filesystem/mounted_fake.hpp"

namespace zabfs::test {
namespace {

using fusefs::Attributes;
using fusefs::Done;
using fusefs::Entry;

void* pointer(std::uintptr_t request) { return reinterpret_cast<void*>(request); }

TEST(Waiting, ASlowLookupHoldsUpNobody) {
  MountedFake m;
  m.ensemble.create("/slow", bytes("1"));
  m.ensemble.create("/fast", bytes("2"));
  m.ensemble.hold("/slow");
  const auto slow = m.begin<Entry>([&](auto r) { m.fs.lookup(std::move(r), {root, "slow"}); });
  EXPECT_EQ(m.look_up("fast").error, 0);
  EXPECT_EQ(m.cat("/fast"), "2");
  EXPECT_EQ(m.answers.of_request(slow).times, 0);
  EXPECT_TRUE(m.fs.is_waiting(pointer(slow)));
  m.ensemble.release();
  m.ensemble.deliver();
  EXPECT_EQ(m.answers.of_request(slow).times, 1);
  EXPECT_NE(m.answers.of_request(slow).inode, 0U);
  EXPECT_FALSE(m.fs.is_waiting(pointer(slow)));
}

TEST(Waiting, ASignalAnswersEINTRAndForgetsTheRequest) {
  MountedFake m;
  m.ensemble.create("/slow", bytes("1"));
  m.ensemble.hold("/slow");
  const auto slow = m.begin<Entry>([&](auto r) { m.fs.lookup(std::move(r), {root, "slow"}); });
  m.fs.interrupt(pointer(slow));
  EXPECT_EQ(m.answers.of_request(slow).error, EINTR);
  EXPECT_EQ(m.answers.of_request(slow).times, 1);
  EXPECT_EQ(m.ensemble.unanswered(), 0U);
  m.fs.interrupt(pointer(slow));
  EXPECT_EQ(m.answers.of_request(slow).times, 1);
}

TEST(Waiting, AnInterruptedCommitIsNotRepeated) {
  MountedFake m;
  m.ensemble.create("/f", bytes("old"));
  const auto h = m.open(m.look_up("f").inode, O_WRONLY | O_TRUNC).handle;
  m.write(h, 0, "new");
  m.ensemble.hold("/f");
  const auto flush = m.begin<Done>([&](auto r) { m.fs.flush(std::move(r), h); });
  m.fs.interrupt(pointer(flush));
  EXPECT_EQ(m.answers.of_request(flush).error, EINTR);
  m.ensemble.release();
  m.release(h);
  EXPECT_EQ(m.ensemble.find("/f")->stat.version, 1);
}

TEST(Waiting, EndingTheFilesystemAnswersEverybody) {
  RecordedAnswers answers;
  FakeEnsemble ensemble;
  const auto ticket = answers.next_ticket();
  {
    fusefs::Filesystem fs(ensemble, {});
    fs.get_attributes(fusefs::Reply<Attributes>(answers, ticket), root, {});
  }
  EXPECT_EQ(answers.of_request(reinterpret_cast<std::uintptr_t>(ticket.request)).error, EINTR);
}

TEST(Waiting, ALostReplyAnswersEIO) {
  RecordedAnswers answers;
  const auto ticket = answers.next_ticket();
  { const fusefs::Reply<Done> reply(answers, ticket); }
  EXPECT_EQ(answers.of_request(reinterpret_cast<std::uintptr_t>(ticket.request)).error, EIO);
}

}  // namespace
}  // namespace zabfs::test
