// Bytes as Apache ZooKeeper and its clients send and expect them, recorded from version 3.8.0.
#include <gtest/gtest.h>

#include "replication/model/limits.hpp"
#include "replication/protocol/codec.hpp"
#include "replication/protocol/frame.hpp"
#include "replication/protocol/handshake.hpp"
#include "tests/support/hex.hpp"

namespace zabfs::replication::protocol {
namespace {

using test::from_hex;
using test::to_hex;

constexpr std::string_view connect =
    "0000002d 00000000 0000000000000000 00002710 0000000000000000 00000010 00*16 00";
constexpr std::string_view refused_session =
    "00000025 00000000 00000000 0000000000000000 00000010 00*16 00";
constexpr std::string_view ping = "00000008 fffffffe 0000000b";
constexpr std::string_view pong = "00000010 fffffffe 0000000000000005 00000000";
constexpr std::string_view create =
    "00000032 00000001 00000001 00000002 2f61 00000001 78 00000001 0000001f"
    "00000005 776f726c64 00000006 616e796f6e65 00000000";
constexpr std::string_view created = "00000016 00000001 000000000000000b 00000000 00000002 2f61";
constexpr std::string_view node_exists = "00000010 00000002 000000000000000c ffffff92";
constexpr std::string_view data_changed =
    "0000001e ffffffff ffffffffffffffff 00000000 00000003 00000003 00000002 2f77";
constexpr std::string_view multi =
    "00000038 00000003 0000000e 00000002 00 ffffffff 00000003 2f7a7a ffffffff"
    "0000000d 00 ffffffff 00000002 2f70 00000007 ffffffff 01 ffffffff";
constexpr std::string_view multi_failed =
    "00000033 00000003 000000000000001e 00000000 ffffffff 00 ffffff9b ffffff9b"
    "ffffffff 00 fffffffe fffffffe ffffffff 01 ffffffff";

const Request create_request = CreateRequest{"/a", Bytes{'x'}, open_acl(), 0};
const Request multi_request = MultiRequest{{DeleteRequest{"/zz", -1}, CheckRequest{"/p", 7}}};
const WatcherEvent event{static_cast<std::int32_t>(EventType::data_changed), 3, "/w"};
const Response failure =
    MultiResponse{{{OpCode::error, MultiError{ErrorCode::no_node}},
                   {OpCode::error, MultiError{ErrorCode::runtime_inconsistency}}}};

// The payload of a golden frame.
Bytes payload_of(std::string_view golden) {
  const Bytes frame = from_hex(golden);
  const auto split = split_frame(frame, limits::client_frame_bytes_max);
  EXPECT_EQ(split.state, FrameSplit::State::whole);
  EXPECT_EQ(split.consumed, frame.size());
  return {split.payload.begin(), split.payload.end()};
}

void expect_request(std::string_view golden, std::int32_t xid, const Request& request) {
  Bytes out;
  append_request(out, xid, request);
  EXPECT_EQ(to_hex(out), to_hex(from_hex(golden)));

  const Bytes payload = payload_of(golden);
  const auto split = split_request(payload);
  ASSERT_TRUE(split.has_value());
  EXPECT_EQ(split->header.xid, xid);
  const auto decoded = decode_request(split->header.op, split->body);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_TRUE(*decoded == request);
}

void expect_reply(std::string_view golden, const ReplyHeader& header, OpCode op,
                  const Response& response) {
  Bytes out;
  append_reply(out, header, response);
  EXPECT_EQ(to_hex(out), to_hex(from_hex(golden)));

  const Bytes payload = payload_of(golden);
  const auto split = split_reply(payload);
  ASSERT_TRUE(split.has_value());
  EXPECT_EQ(split->header, header);
  const auto decoded = decode_response(op, split->body);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_TRUE(*decoded == response);
}

TEST(GoldenBytes, ConnectRequest) {
  const ConnectRequest request{.timeout_ms = 10'000, .password = Bytes(16)};
  Bytes out;
  append_frame(out, request);
  EXPECT_EQ(to_hex(out), to_hex(from_hex(connect)));
  EXPECT_EQ(*decode_connect_request(payload_of(connect)), request);
}

TEST(GoldenBytes, RefusedSession) {
  const ConnectResponse response{.password = Bytes(16)};
  Bytes out;
  append_frame(out, response);
  EXPECT_EQ(to_hex(out), to_hex(from_hex(refused_session)));
  EXPECT_EQ(*decode_connect_response(payload_of(refused_session)), response);
}

TEST(GoldenBytes, Ping) {
  expect_request(ping, xid::ping, PingRequest{});
  expect_reply(pong, {xid::ping, 5, 0}, OpCode::ping, EmptyResponse{});
}

TEST(GoldenBytes, Create) {
  expect_request(create, 1, create_request);
  expect_reply(created, {1, 11, 0}, OpCode::create, PathResponse{"/a"});
}

TEST(GoldenBytes, ErrorReply) {
  const ReplyHeader header{2, 12, static_cast<std::int32_t>(ErrorCode::node_exists)};
  Bytes out;
  append_reply(out, header);
  EXPECT_EQ(to_hex(out), to_hex(from_hex(node_exists)));
  EXPECT_EQ(split_reply(payload_of(node_exists))->header, header);
}

TEST(GoldenBytes, Event) {
  Bytes out;
  append_event(out, event, -1);
  EXPECT_EQ(to_hex(out), to_hex(from_hex(data_changed)));
  const Bytes payload = payload_of(data_changed);
  const auto split = split_reply(payload);
  ASSERT_TRUE(split.has_value());
  EXPECT_EQ(split->header, (ReplyHeader{xid::notification, -1, 0}));
  EXPECT_EQ(*decode_event(split->body), event);
}

TEST(GoldenBytes, Multi) {
  expect_request(multi, 3, multi_request);
  expect_reply(multi_failed, {3, 30, 0}, OpCode::multi, failure);
}

}  // namespace
}  // namespace zabfs::replication::protocol
