// Names that create: what they make, what the descriptor tells, and that nothing held is left
// behind.
#include <gtest/gtest.h>

#include "tests/fusefs/filesystem/mounted_fake.hpp"

namespace zabfs::test {
namespace {

using fusefs::Created;

constexpr int read_and_write = O_RDWR | O_CREAT;
constexpr int write_only = O_WRONLY | O_CREAT;

void* pointer(std::uintptr_t request) { return reinterpret_cast<void*>(request); }

struct Creating : testing::Test {
  Creating() { m.ensemble.create("/q", replication::Data{}); }

  InodeNumber directory() { return m.look_up("q").inode; }
  // The request of a held creation in /q, whose answer does not come before release().
  std::uintptr_t begin_held(const std::string& name) {
    const auto parent = directory();
    m.ensemble.hold("/q/" + name.substr(0, name.find('@')));
    const auto request = m.begin<Created>([&](auto r) {
      m.fs.create(std::move(r), {parent, name}, read_and_write);
    });
    m.ensemble.deliver();
    EXPECT_EQ(m.answers.of_request(request).times, 0);
    return request;
  }

  MountedFake m{};
};

TEST_F(Creating, AnEphemeralZnodeBelongsToTheMountsSession) {
  const auto made = m.create("w@e", write_only);
  EXPECT_EQ(made.error, 0);
  EXPECT_EQ(m.ensemble.find("/w")->stat.ephemeral_owner, m.ensemble.session().value);
  m.write(made.handle, 0, "x\n");
  m.flush(made.handle);
  m.release(made.handle);
  EXPECT_EQ(m.ensemble.text("/w"), "x\n");
}

TEST_F(Creating, ASequentialNameMakesAnotherEachTime) {
  m.release(m.create("job-@s", write_only, directory()).handle);
  m.release(m.create("job-@s", write_only, directory()).handle);
  m.release(m.create("@s", write_only, directory()).handle);
  EXPECT_EQ(m.list(directory()), (std::vector<std::string>{".", "..", "0000000002",
                                                           "job-0000000000", "job-0000000001"}));
}

TEST_F(Creating, TheNameThatCreatesIsNeverThere) {
  m.release(m.create("w@e", write_only).handle);
  EXPECT_EQ(m.look_up("w@e").error, ENOENT);
  EXPECT_EQ(m.look_up("w").error, 0);
}

TEST_F(Creating, ASecondCreatorOfTheSameNameIsRefusedWithoutOExclToo) {
  m.release(m.create("w@e", write_only).handle);
  EXPECT_EQ(m.create("w@e", write_only | O_TRUNC).error, EEXIST);
}

TEST_F(Creating, TheDescriptorTellsTheNameOnceAndSetsTheData) {
  const auto made = m.create("w-@es", read_and_write, directory());
  EXPECT_TRUE(made.is_stream);
  EXPECT_EQ(m.read(made.handle, 0, 3).text, "w-0");  // dash reads byte by byte, at no position
  EXPECT_EQ(m.read(made.handle, 0).text, "000000000\n");
  EXPECT_EQ(m.read(made.handle, 0).text, "");
  m.write(made.handle, 0, "one\n");
  m.flush(made.handle);
  EXPECT_EQ(m.ensemble.text("/q/w-0000000000"), "one\n");
  m.write(made.handle, 0, "two\n");
  m.flush(made.handle);
  EXPECT_EQ(m.ensemble.text("/q/w-0000000000"), "one\ntwo\n");
  EXPECT_EQ(m.get_extended_attribute(made.inode, "user.zk.name").text, "w-0000000000");
}

TEST_F(Creating, AReadMustNotCreate) {
  EXPECT_EQ(m.create("w@e", O_RDONLY | O_CREAT).error, EINVAL);
  EXPECT_EQ(m.ensemble.find("/w"), nullptr);
}

TEST_F(Creating, DirectoriesAreSequentialButNotEphemeral) {
  EXPECT_EQ(m.make_directory("d-@s", directory()).error, 0);
  EXPECT_EQ(m.ensemble.text("/q/d-0000000000"), "(null)");
  EXPECT_EQ(m.make_directory("d@e", directory()).error, EINVAL);
  EXPECT_EQ(m.make_directory("d@h", directory()).error, EINVAL);
}

TEST_F(Creating, ContainersAreDirectoriesOrFiles) {
  EXPECT_EQ(m.make_directory("jobs@c").error, 0);
  EXPECT_TRUE(m.ensemble.find("/jobs")->is_container);
  EXPECT_TRUE(S_ISDIR(m.look_up("jobs").attributes.st_mode));
  const auto made = m.create("file@c", write_only);
  m.write(made.handle, 0, "x\n");
  m.release(made.handle);
  EXPECT_TRUE(m.ensemble.find("/file")->is_container);
  EXPECT_EQ(m.ensemble.text("/file"), "x\n");
  EXPECT_EQ(m.create("file@c", write_only).error, EEXIST);
}

TEST_F(Creating, ATimeToLiveIsHandedOnInMilliseconds) {
  m.release(m.create("lease@ttl=30s", write_only).handle);
  EXPECT_EQ(m.ensemble.find("/lease")->ttl_ms, 30'000);
  EXPECT_EQ(m.make_directory("leases@ttl=2m").error, 0);
  EXPECT_EQ(m.ensemble.find("/leases")->ttl_ms, 120'000);
  EXPECT_EQ(m.make_file("node@ttl=1ms").error, 0);
  EXPECT_EQ(m.ensemble.find("/node")->ttl_ms, 1);
}

TEST_F(Creating, AServerWithoutTimesToLiveRefusesThem) {
  m.ensemble.fail(replication::ErrorCode::unimplemented);
  EXPECT_EQ(m.create("lease@ttl=30s", write_only).error, EOPNOTSUPP);
  EXPECT_NE(m.fs.journal().text().find("extendedTypesEnabled=true"), std::string::npos);
}

TEST_F(Creating, WithoutADescriptorNothingCanBeHeld) {
  EXPECT_EQ(m.make_file("n@e").error, 0);
  EXPECT_EQ(m.make_file("n@h").error, EINVAL);
}

TEST_F(Creating, AHeldZnodeGoesWithTheLastClose) {
  const auto made = m.create("lock@h", read_and_write);
  EXPECT_NE(m.ensemble.find("/lock"), nullptr);
  m.write(made.handle, 0, "owner\n");
  m.flush(made.handle);
  EXPECT_EQ(m.ensemble.text("/lock"), "owner\n");
  EXPECT_EQ(m.release(made.handle).error, 0);
  EXPECT_EQ(m.ensemble.find("/lock"), nullptr);
}

TEST_F(Creating, AHeldZnodeThatMovedGoesFromWhereItIs) {
  const auto made = m.create("lock@h", write_only);
  m.rename({root, "lock"}, {root, "moved"});
  EXPECT_NE(m.ensemble.find("/moved"), nullptr);
  m.release(made.handle);
  EXPECT_EQ(m.ensemble.find("/moved"), nullptr);
}

TEST_F(Creating, AnotherZnodeUnderTheNameOfAHeldOneStays) {
  const auto made = m.create("lock@h", write_only);
  m.ensemble.remove("/lock");
  m.ensemble.create("/lock", bytes("somebody else's"));
  EXPECT_EQ(m.release(made.handle).error, 0);
  EXPECT_EQ(m.ensemble.text("/lock"), "somebody else's");
}

TEST_F(Creating, ADescriptorOfAnExpiredSessionIsOver) {
  const auto made = m.create("lock@h", read_and_write);
  m.ensemble.expire_session();
  EXPECT_EQ(m.read(made.handle, 0).error, ENOLINK);
  EXPECT_EQ(m.write(made.handle, 0, "x").error, ENOLINK);
  m.ensemble.create("/lock", bytes("the next holder's"), m.ensemble.session().value);
  EXPECT_EQ(m.release(made.handle).error, 0);
  EXPECT_EQ(m.ensemble.text("/lock"), "the next holder's");
}

TEST_F(Creating, WhatASignalInterruptedIsNotHeldByNobody) {
  const auto request = begin_held("lock@h");
  EXPECT_NE(m.ensemble.find("/q/lock"), nullptr);
  m.fs.interrupt(pointer(request));
  EXPECT_EQ(m.answers.of_request(request).error, EINTR);
  m.ensemble.release();
  m.ensemble.deliver();
  EXPECT_EQ(m.ensemble.find("/q/lock"), nullptr);
}

TEST_F(Creating, WhatNoAnswerCameForIsNotHeldByNobody) {
  for (const std::string name : {"lock@h", "lock-@hs"}) {
    const auto request = begin_held(name);
    EXPECT_EQ(m.list(directory()).size(), 3U);
    m.ensemble.lose_answers();
    m.ensemble.deliver();
    EXPECT_EQ(m.answers.of_request(request).error, ETIMEDOUT) << name;
    EXPECT_EQ(m.list(directory()).size(), 2U) << name;
  }
}

// The ghost is the one that was not answered, not what others of this mount have made meanwhile.
TEST_F(Creating, OnlyTheGhostIsRemoved) {
  m.release(m.create("w-@es", write_only, directory()).handle);
  const auto request = begin_held("w-@hs");
  m.ensemble.release();  // The path of a sequential request is held, not the znode's.
  m.ensemble.hold("/q/w-");
  m.ensemble.create("/q/w-0000000007", bytes(""), m.ensemble.session().value + 1);
  m.ensemble.lose_answers();
  m.ensemble.deliver();
  EXPECT_EQ(m.answers.of_request(request).error, ETIMEDOUT);
  EXPECT_EQ(m.list(directory()),
            (std::vector<std::string>{".", "..", "w-0000000000", "w-0000000007"}));
}

TEST_F(Creating, TwoGhostsOfOneNameAreBothRemoved) {
  const auto first = begin_held("w-@hs");
  const auto second = begin_held("w-@hs");
  EXPECT_EQ(m.list(directory()).size(), 4U);
  m.ensemble.lose_answers();
  m.ensemble.deliver();
  EXPECT_EQ(m.answers.of_request(first).error, ETIMEDOUT);
  EXPECT_EQ(m.answers.of_request(second).error, ETIMEDOUT);
  EXPECT_EQ(m.list(directory()).size(), 2U);
}

TEST_F(Creating, TheEndOfTheMountLeavesNobodyWaiting) {
  RecordedAnswers answers;
  FakeEnsemble ensemble;
  std::uintptr_t request{};
  {
    fusefs::Filesystem fs(ensemble, {});
    ensemble.hold("/lock");
    const auto ticket = answers.next_ticket();
    request = reinterpret_cast<std::uintptr_t>(ticket.request);
    fs.create(fusefs::Reply<Created>(answers, ticket), {root, "lock@h"}, read_and_write);
  }
  EXPECT_EQ(answers.of_request(request).error, EINTR);
  EXPECT_EQ(answers.of_request(request).times, 1);
}

}  // namespace
}  // namespace zabfs::test
