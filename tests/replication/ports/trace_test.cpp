#include "replication/ports/trace.hpp"

#include <gtest/gtest.h>

namespace zabfs::replication {
namespace {

TEST(Trace, WritesEveryEventAsOneLine) {
  const Zxid zxid = Zxid::at(Epoch{2}, 9);
  const SessionId session{0x100001};
  EXPECT_EQ(to_text(Recovered{.last = zxid, .transactions_replayed = 4, .znodes = 11}),
            "recovered to 2.9: 11 znodes, 4 transactions replayed");
  EXPECT_EQ(to_text(Recovered{.note = "the last record was torn"}),
            "recovered to 0.0: 0 znodes, 0 transactions replayed; the last record was torn");
  EXPECT_EQ(to_text(LeadershipBegan{.epoch = {3}, .history_end = Zxid::at({2}, 7)}),
            "epoch 3 began behind 2.7");
  EXPECT_EQ(to_text(SessionOpened{.session = session, .timeout_ms = 10'000}),
            "session 0x100001 opened, timeout 10000 ms");
  EXPECT_EQ(to_text(SessionClosed{.session = session, .expired = true, .ephemerals = 12}),
            "session 0x100001 expired, 12 ephemeral znodes deleted");
  EXPECT_EQ(to_text(SessionClosed{.session = session}),
            "session 0x100001 closed, 0 ephemeral znodes deleted");
  EXPECT_EQ(to_text(SnapshotBegan{.zxid = zxid}), "snapshot began at 2.9");
  EXPECT_EQ(to_text(QuotaPassed{.path = "/a"}), "the quota of /a is passed");
  EXPECT_EQ(to_text(SnapshotFinished{.zxid = zxid, .bytes = 1234}),
            "snapshot finished at 2.9, 1234 bytes");
  EXPECT_EQ(to_text(ClientRefused{.connection = {7}, .why = "frame too long"}),
            "connection 7 refused: frame too long");
}

}  // namespace
}  // namespace zabfs::replication
