// What a contender says of itself, also if somebody else has written it.
#include "fusefs/locks/taker.hpp"

#include <gtest/gtest.h>

#include "fusefs/locks/limits.hpp"

namespace zabfs::fusefs::locks {
namespace {

std::string text(const Description& description) {
  return std::string(replication::text_of(text_of(description)));
}

TEST(Takers, AreDescribedInLinesThatPeopleRead) {
  const Taker taker{.host = "web1",
                    .command = "flock",
                    .since = "2026-11-21T17:44:26Z",
                    .process = {.pid = 4242, .started = 7}};
  EXPECT_EQ(text(describe(taker, Mode::exclusive)),
            "host web1\npid 4242\ncommand flock\nmode exclusive\nsince 2026-11-21T17:44:26Z\n");
}

TEST(Takers, AreReadBackAsTheyWereWritten) {
  for (const Mode mode : {Mode::shared, Mode::exclusive}) {
    const Description description{.host = "web1",
                                  .pid = 1,
                                  .command = "my job (x)",
                                  .since = "2026-11-21T17:44:26Z",
                                  .mode = mode};
    EXPECT_EQ(read_description(text(description), Mode::exclusive), description);
  }
}

TEST(Takers, TextThatMakesNoSenseSaysNothing) {
  for (const std::string hostile :
       {"", "\n\n", "host", "pid", "pid x", "pid -1", "pid 99999999999999999999", "mode none",
        "pid 1 2", "nothing at all", "hostweb1"}) {
    EXPECT_EQ(read_description(hostile, Mode::exclusive), Description{}) << hostile;
  }
}

TEST(Takers, NothingReachesATerminalButPrintableText) {
  const auto read = read_description("host a\tb c\ncommand \x1b[31m\x7f", Mode::shared);
  EXPECT_EQ(read.host, "a?b?c");
  EXPECT_EQ(read.command, "?[31m?");
  const auto longest = read_description("command " + std::string(100'000, 'x'), Mode::shared);
  EXPECT_EQ(longest.command.size(), limits::lock_description_bytes_max);
}

// A process may call itself what it likes.
TEST(Takers, ANameCannotForgeALine) {
  const Taker taker{.host = "web1", .command = "x\nmode shared\n"};
  EXPECT_EQ(read_description(text(describe(taker, Mode::exclusive)), Mode::exclusive).mode,
            Mode::exclusive);
}

}  // namespace
}  // namespace zabfs::fusefs::locks
