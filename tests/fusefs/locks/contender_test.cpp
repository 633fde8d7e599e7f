// Who stands in a queue, in which order, and where the queue of a file lies.
#include "fusefs/locks/contender.hpp"

#include <gtest/gtest.h>

namespace zabfs::fusefs::locks {
namespace {

TEST(LockQueues, LieBesideTheTreeOnePerPath) {
  EXPECT_EQ(queue_of("/app/nightly"), "/zabfs/locks/%2Fapp%2Fnightly");
  EXPECT_EQ(queue_of("/"), "/zabfs/locks/%2F");
  EXPECT_EQ(queue_of("/a%2Fb"), "/zabfs/locks/%2Fa%252Fb");
  EXPECT_NE(queue_of("/a%2Fb"), queue_of("/a/b"));
}

TEST(LockQueues, NamesTellFamilyModeAndNumber) {
  for (const Family family : {Family::flock, Family::fcntl}) {
    for (const Mode mode : {Mode::shared, Mode::exclusive}) {
      const std::string name = std::string(stem_of(family, mode)) + "0000000042";
      EXPECT_EQ(contender_of(name), (Contender{name, 42, family, mode}));
    }
  }
}

TEST(LockQueues, EverythingElseIsNoContender) {
  for (const std::string name :
       {"", "write-", "write-000000004", "write-00000000042", "write-000000004x", "0000000042",
        "xwrite-0000000042", "WRITE-0000000042", "write--000000042"}) {
    EXPECT_EQ(contender_of(name), std::nullopt) << name;
  }
}

TEST(LockQueues, AreInTheOrderOfTheNumbersAndOfOneFamily) {
  const auto queue = queue_in(
      {"write-0000000010", "fcntl-read-0000000003", "read-0000000009", "other"}, Family::flock);
  ASSERT_EQ(queue.size(), 2U);
  EXPECT_EQ(queue[0].name, "read-0000000009");
  EXPECT_EQ(queue[1].name, "write-0000000010");
}

TEST(LockQueues, OnlyReadersGetAlong) {
  EXPECT_FALSE(are_in_conflict(Mode::shared, Mode::shared));
  EXPECT_TRUE(are_in_conflict(Mode::shared, Mode::exclusive));
  EXPECT_TRUE(are_in_conflict(Mode::exclusive, Mode::shared));
  EXPECT_TRUE(are_in_conflict(Mode::exclusive, Mode::exclusive));
}

TEST(LockQueues, OfOtherClientsAreKnownByTheirNumbers) {
  EXPECT_EQ(
      sequential_names({"_c_8f-lock-0000000002", "x", "0000000003", "ab__lock__0000000001"}),
      (std::vector<std::string>{"ab__lock__0000000001", "_c_8f-lock-0000000002", "0000000003"}));
  EXPECT_TRUE(is_shared_by_name("_c_8f-__READ__0000000002"));
  EXPECT_TRUE(is_shared_by_name("ab__rlock__0000000002"));
  EXPECT_TRUE(is_shared_by_name("read-0000000002"));
  EXPECT_FALSE(is_shared_by_name("ab__lock__0000000002"));
  EXPECT_FALSE(is_shared_by_name("read-"));
}

}  // namespace
}  // namespace zabfs::fusefs::locks
