#include "tests/simulator/checkers/session_life.hpp"

#include <gtest/gtest.h>

namespace zabfs::test {
namespace {

using replication::SessionClosed;
using replication::SessionId;

constexpr SessionId session{7};

struct SessionLifeTest : ::testing::Test {
  SessionLifeTest() {
    life.on_opened(session, 4000);
    life.on_welcomed(session, 0);
  }

  bool is_end_a_finding_at(Micros now) {
    life.on_trace(SessionClosed{.session = session, .expired = true}, now);
    return !findings.empty();
  }

  Findings findings{nullptr};
  SessionLife life{findings, 1 * second};
};

TEST_F(SessionLifeTest, EndsNotWhileItsClientIsHeard) {
  life.on_answered(session, 2 * second);
  EXPECT_TRUE(is_end_a_finding_at(4 * second));
}

TEST_F(SessionLifeTest, EndsWhenItsClientWasSilentForItsTimeout) {
  life.on_answered(session, 2 * second);
  EXPECT_FALSE(is_end_a_finding_at(6 * second));
}

// A learner that does not know yet that the end is under way answers a ping.
TEST_F(SessionLifeTest, AnAnswerAfterItsTimeoutDoesNotUndoAnEndThatIsUnderWay) {
  life.on_answered(session, 5 * second);
  EXPECT_FALSE(is_end_a_finding_at(5 * second + 100 * millisecond));
}

TEST_F(SessionLifeTest, LivesAgainWhenItIsAnsweredForLong) {
  life.on_answered(session, 5 * second);
  life.on_answered(session, 5 * second + 500 * millisecond);
  life.on_answered(session, 6 * second + 500 * millisecond);
  EXPECT_TRUE(is_end_a_finding_at(7 * second));
}

// With a timeout hardly longer than the tolerance, every answer comes when the session may be
// overdue.
TEST_F(SessionLifeTest, ALaterAnswerProvesThatAnEarlierWasHeardAndNotItself) {
  SessionLife strict{findings, 3'900 * millisecond};
  strict.on_opened(session, 4000);
  strict.on_welcomed(session, 0);
  strict.on_answered(session, 1 * second);
  strict.on_answered(session, 5 * second);
  strict.on_trace(SessionClosed{.session = session, .expired = true}, 5'100 * millisecond);
  EXPECT_TRUE(findings.empty());
}

TEST_F(SessionLifeTest, LivesAgainWhenTheLeaderWelcomesIt) {
  life.on_answered(session, 5 * second);
  life.on_welcomed(session, 5 * second);
  EXPECT_TRUE(is_end_a_finding_at(6 * second));
}

}  // namespace
}  // namespace zabfs::test
