#include "replication/model/owner.hpp"

#include <gtest/gtest.h>

namespace zabfs::replication {
namespace {

std::uint64_t number(SessionId owner) { return static_cast<std::uint64_t>(owner.value); }

TEST(Owner, HasZooKeepersNumbers) {
  EXPECT_EQ(number(owner::container), 0x8000'0000'0000'0000U);
  EXPECT_EQ(number(owner::with_ttl(1)), 0xff00'0000'0000'0001U);
  EXPECT_EQ(number(owner::with_ttl(limits::ttl_ms_max)), 0xff00'00ff'ffff'ffffU);
  EXPECT_EQ(owner::ttl_ms(owner::with_ttl(limits::ttl_ms_max)), limits::ttl_ms_max);
}

TEST(Owner, IsOneThingOnly) {
  const SessionId first_of_server_128{static_cast<std::int64_t>(0x8000'0000'0000'0001)};
  const SessionId last_of_server_254{static_cast<std::int64_t>(0xfeff'ffff'ffff'ffff)};
  for (const SessionId session : {SessionId{1}, first_of_server_128, last_of_server_254}) {
    EXPECT_TRUE(owner::is_session(session)) << session;
    EXPECT_FALSE(owner::is_container(session) || owner::has_ttl(session)) << session;
  }
  for (const SessionId other : {SessionId{}, owner::container, owner::with_ttl(1)}) {
    EXPECT_FALSE(owner::is_session(other)) << other;
  }
}

}  // namespace
}  // namespace zabfs::replication
