#include "replication/session/expiry_queue.hpp"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "replication/ports/random.hpp"

namespace zabfs::replication::session {
namespace {

using Sessions = std::vector<SessionId>;

constexpr std::int64_t tick = 2000;

TEST(ExpiryQueue, ASessionIsOverdueBetweenItsTimeoutAndOneTickMore) {
  struct Row {
    std::int64_t heard_at;
    std::int64_t timeout;
    std::int64_t deadline;
  };
  for (const Row& row : {Row{0, 4000, 4000}, Row{1, 4000, 6000}, Row{1999, 4000, 6000},
                         Row{2000, 4000, 6000}, Row{500, 5500, 6000}}) {
    ExpiryQueue queue{tick};
    queue.touch({1}, row.timeout, row.heard_at);
    EXPECT_EQ(queue.overdue(row.deadline - 1), Sessions{}) << row.heard_at;
    EXPECT_EQ(queue.overdue(row.deadline), Sessions{{1}}) << row.heard_at;
    EXPECT_EQ(queue.overdue(row.deadline + tick), Sessions{}) << "told twice";
  }
}

TEST(ExpiryQueue, BeingHeardOfPutsItOff) {
  ExpiryQueue queue{tick};
  queue.touch({1}, 4000, 0);
  queue.touch({2}, 4000, 0);
  queue.touch({1}, 4000, 3000);
  EXPECT_EQ(queue.overdue(4000), Sessions{{2}});
  EXPECT_EQ(queue.overdue(7999), Sessions{});
  EXPECT_EQ(queue.overdue(8000), Sessions{{1}});
}

TEST(ExpiryQueue, AShorterTimeoutDoesNotHurry) {
  ExpiryQueue queue{tick};
  queue.touch({1}, 4000, 0);
  queue.touch({1}, 40'000, 0);
  queue.touch({1}, 4000, 0);
  EXPECT_EQ(queue.overdue(39'999), Sessions{});
  EXPECT_EQ(queue.overdue(40'000), Sessions{{1}});
}

TEST(ExpiryQueue, ARemovedSessionIsNeverOverdue) {
  ExpiryQueue queue{tick};
  queue.touch({1}, 4000, 0);
  queue.remove({1});
  queue.remove({2});
  EXPECT_EQ(queue.size(), 0U);
  EXPECT_EQ(queue.overdue(100'000), Sessions{});
}

TEST(ExpiryQueue, ASessionRemovedAndHeardOfAgainIsToldOnce) {
  ExpiryQueue queue{tick};
  queue.touch({1}, 4000, 0);
  queue.remove({1});
  queue.touch({1}, 4000, 100);
  EXPECT_EQ(queue.overdue(100'000), Sessions{{1}});
}

TEST(ExpiryQueue, TellsTheEarliestFirstAndThenById) {
  ExpiryQueue queue{tick};
  queue.touch({3}, 4000, 0);
  queue.touch({1}, 8000, 0);
  queue.touch({2}, 4000, 0);
  EXPECT_EQ(queue.overdue(10'000), (Sessions{{2}, {3}, {1}}));
}

TEST(ExpiryQueue, EverySessionExpiresInItsTickWhateverHappensToOthers) {
  Random random{1};
  ExpiryQueue queue{tick};
  std::map<SessionId, std::int64_t> heard_at;
  for (std::int64_t now = 0; now < 1'000'000; now += 50) {
    const SessionId session{static_cast<std::int64_t>(random.below(200))};
    queue.touch(session, 10'000, now);
    heard_at[session] = now;
    for (const SessionId overdue : queue.overdue(now)) {
      EXPECT_GE(now, heard_at.at(overdue) + 10'000);
      EXPECT_LE(now, heard_at.at(overdue) + 10'000 + tick);
      heard_at.erase(overdue);
    }
    ASSERT_EQ(queue.size(), heard_at.size());
  }
}

}  // namespace
}  // namespace zabfs::replication::session
