// Business of clients between a learner and its leader as bytes: there and back, the numbers on the
// wire, and what broken and hostile servers send.
#include "replication/pipeline/forwarding.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/hostile_round_trip.hpp"

namespace zabfs::replication::pipeline {
namespace {

// At least one of every kind, in the order of the alternatives.
std::vector<ForwardedMessage> samples() {
  const Bytes bytes{0, 1, 0xff, 'x'};
  const ConnectionId connection{~std::uint64_t{0}};
  const SessionId session{-2};
  return {Write{.connection = connection,
                .session = session,
                .op = -11,
                .identities = {{"ip", "::1"}, {"digest", "bob:xyz"}},
                .body = bytes},
          Write{},
          Open{.connection = connection, .timeout_ms = 4'000},
          Attach{.connection = connection, .session = session, .password = bytes, .timeout_ms = -1},
          Close{.connection = connection, .session = session},
          Sync{.connection = connection},
          Failed{.connection = connection, .until = Zxid::at({2}, 3), .error = -101},
          Failed{.connection = connection, .until = {}, .error = 0, .multi = {0, -101, -2}},
          Attached{.connection = connection, .until = Zxid::at({2}, 3), .is_welcome = true},
          Attached{},
          Reached{.connection = connection, .until = Zxid::at({2}, 3)},
          Detached{.connection = connection},
          Reconfigured{.connection = connection, .until = Zxid::at({2}, 3), .error = -13},
          RestorePiece{.name = "a0", .number = 3, .snapshot = Zxid::at({2}, 3), .bytes = bytes},
          RestoreEnd{.name = "a0", .pieces = 4},
          RestoreRefused{.name = "a0", .why = "No."}};
}

TEST(Forwarding, ReadsBackEveryMessage) {
  std::set<std::size_t> kinds;
  for (const ForwardedMessage& message : samples()) {
    kinds.insert(message.index());
    const auto decoded = decode_forwarded(to_bytes(message));
    ASSERT_TRUE(decoded.has_value()) << message.index();
    EXPECT_TRUE(*decoded == message) << message.index();
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<ForwardedMessage>) << "a kind without a sample";
}

// Servers of different versions talk to each other: these numbers never change.
TEST(Forwarding, NumbersAreForEver) {
  const auto number = [](const ForwardedMessage& message) { return to_bytes(message).front(); };
  EXPECT_EQ(number(Write{}), 0);
  EXPECT_EQ(number(Open{}), 1);
  EXPECT_EQ(number(Attach{}), 2);
  EXPECT_EQ(number(Close{}), 3);
  EXPECT_EQ(number(Sync{}), 4);
  EXPECT_EQ(number(Failed{}), 5);
  EXPECT_EQ(number(Attached{}), 6);
  EXPECT_EQ(number(Reached{}), 7);
  EXPECT_EQ(number(Detached{}), 8);
  EXPECT_EQ(number(RestorePiece{}), 10);
  EXPECT_EQ(number(RestoreEnd{}), 11);
  EXPECT_EQ(number(RestoreRefused{}), 12);
  EXPECT_EQ(number(Reconfigured{}), 9);
}

TEST(HostileForwarding, EndsEarlyOrHasMoreBehindIt) {
  for (const ForwardedMessage& message : samples()) {
    Bytes bytes = to_bytes(message);
    for (const Bytes& truncated : test::truncations_of(bytes)) {
      EXPECT_EQ(decode_forwarded(truncated).error(), ErrorCode::marshalling_error)
          << "kind " << message.index() << " of " << truncated.size();
    }
    bytes.push_back(0);
    EXPECT_FALSE(decode_forwarded(bytes).has_value()) << message.index();
  }
}

TEST(HostileForwarding, IsDamaged) {
  for (const ForwardedMessage& message : samples()) {
    SCOPED_TRACE(message.index());
    test::expect_harmless_when_damaged<ForwardedMessage>(to_bytes(message), decode_forwarded,
                                                         to_bytes);
  }
}

}  // namespace
}  // namespace zabfs::replication::pipeline
