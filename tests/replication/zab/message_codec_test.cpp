// Messages between servers as bytes: there and back, the numbers on the wire, and what broken and
// hostile servers send.
#include "replication/zab/message_codec.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/replication/zab/samples.hpp"
#include "tests/support/hostile_round_trip.hpp"

namespace zabfs::replication::zab {
namespace {

Bytes bytes_of(const Message& message) {
  Bytes bytes;
  append_message(bytes, message);
  return bytes;
}

TEST(MessageCodec, ReadsBackEveryMessage) {
  std::set<std::size_t> kinds;
  for (const Message& message : sample_messages()) {
    kinds.insert(message.index());
    const auto decoded = decode_message(bytes_of(message));
    ASSERT_TRUE(decoded.has_value()) << message.index();
    EXPECT_TRUE(*decoded == message) << message.index();
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<Message>) << "a kind without a sample";
}

// Servers of different versions talk to each other: these numbers never change.
TEST(MessageCodec, NumbersAreForEver) {
  const auto number = [](const Message& message) { return bytes_of(message).front(); };
  EXPECT_EQ(number(Ballot{}), 0);
  EXPECT_EQ(number(LearnerInfo{}), 1);
  EXPECT_EQ(number(NewEpoch{}), 2);
  EXPECT_EQ(number(AckEpoch{}), 3);
  EXPECT_EQ(number(Difference{}), 4);
  EXPECT_EQ(number(Truncate{}), 5);
  EXPECT_EQ(number(SnapshotBegin{}), 6);
  EXPECT_EQ(number(SnapshotSlice{}), 7);
  EXPECT_EQ(number(SnapshotEnd{}), 8);
  EXPECT_EQ(number(Proposal{}), 9);
  EXPECT_EQ(number(NewLeader{}), 10);
  EXPECT_EQ(number(AckNewLeader{}), 11);
  EXPECT_EQ(number(UpToDate{}), 12);
  EXPECT_EQ(number(Ack{}), 13);
  EXPECT_EQ(number(Commit{}), 14);
  EXPECT_EQ(number(Heartbeat{}), 15);
  EXPECT_EQ(number(HeartbeatReply{}), 16);
  EXPECT_EQ(number(Forwarded{}), 17);
}

TEST(MessageCodec, FieldsAreBigEndianInTheirOrder) {
  EXPECT_EQ(test::to_hex(
                bytes_of(AckEpoch{.current = {5}, .last = Zxid::at({4}, 9), .is_counted = true})),
            test::to_hex(test::from_hex("03 00000005 0000000400000009 01")));
}

TEST(MessageCodec, ASharedProposalHasTheSameBytes) {
  const Proposal proposal{.zxid = Zxid::at({2}, 3), .origin = {{1}, {4}}, .record = {5, 6}};
  Bytes shared;
  append_message(shared, proposal);
  EXPECT_EQ(shared, bytes_of(Message{proposal}));
}

TEST(MessageCodec, AppendsBehindWhatIsThere) {
  Bytes out{0xaa};
  append_message(out, Message{NewEpoch{.epoch = {1}}});
  EXPECT_EQ(test::to_hex(out), test::to_hex(test::from_hex("aa 02 00000001")));
}

TEST(HostileMessage, EndsEarly) {
  for (const Message& message : sample_messages()) {
    for (const Bytes& truncated : test::truncations_of(bytes_of(message))) {
      EXPECT_EQ(decode_message(truncated).error(), ErrorCode::marshalling_error)
          << "kind " << message.index() << " of " << truncated.size();
    }
  }
}

TEST(HostileMessage, HasMoreBehindIt) {
  for (const Message& message : sample_messages()) {
    Bytes bytes = bytes_of(message);
    bytes.push_back(0);
    EXPECT_FALSE(decode_message(bytes).has_value()) << message.index();
  }
}

TEST(HostileMessage, IsOfNoKnownKind) {
  for (std::size_t kind = std::variant_size_v<Message>; kind < 256; ++kind) {
    Bytes bytes(64);
    bytes.front() = static_cast<std::uint8_t>(kind);
    EXPECT_FALSE(decode_message(bytes).has_value()) << kind;
  }
}

TEST(HostileMessage, IsDamaged) {
  for (const Message& message : sample_messages()) {
    SCOPED_TRACE(message.index());
    test::expect_harmless_when_damaged<Message>(bytes_of(message), decode_message, bytes_of);
  }
}

}  // namespace
}  // namespace zabfs::replication::zab
