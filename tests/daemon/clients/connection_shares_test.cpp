#include "daemon/clients/connection_shares.hpp"

#include <gtest/gtest.h>

namespace zabfs::daemon::clients {
namespace {

namespace limits = replication::limits;

// The share after a turn in which so many took something.
std::int64_t share_after(Turn& turn, std::size_t takers) {
  for (std::size_t i = 0; i < takers; ++i) {
    turn.add_taker();
  }
  turn.begin_next();
  return turn.share();
}

TEST(Turn, WhoIsAloneHasTheLargestShare) {
  Turn turn;
  EXPECT_EQ(turn.share(), limits::turn_share_max);
  EXPECT_EQ(share_after(turn, 1), limits::turn_share_max);
  EXPECT_EQ(share_after(turn, 0), limits::turn_share_max);
}

TEST(Turn, SeveralHaveOneBetweenThem) {
  Turn turn;
  EXPECT_EQ(share_after(turn, 2), limits::turn_shares / 2);
  EXPECT_EQ(share_after(turn, 3), limits::turn_shares / 3);
  EXPECT_EQ(share_after(turn, 10'000), limits::turn_share_min);
}

// Whoever asks for one thing at a time is not there in every turn, and must find a short one.
TEST(Turn, CompanyIsRememberedForAWhile) {
  Turn turn;
  share_after(turn, 2);
  for (std::uint64_t i = 0; i < limits::turns_remembered; ++i) {
    ASSERT_EQ(share_after(turn, 1), limits::turn_shares / 2) << i;
  }
  EXPECT_EQ(share_after(turn, 1), limits::turn_share_max);
  share_after(turn, 3);
  share_after(turn, 2);
  EXPECT_EQ(turn.share(), limits::turn_shares / 3);
}

}  // namespace
}  // namespace zabfs::daemon::clients
