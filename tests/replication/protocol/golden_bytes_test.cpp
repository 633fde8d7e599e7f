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

TEST(GoldenBytes, SetAcl) {
  expect_request(
      "0000002d 00000002 00000007 00000002 2f67 00000001 0000001f 00000005 776f726c64"
      "00000006 616e796f6e65 00000000",
      2, SetAclRequest{"/g", open_acl(), 0});
  const Stat stat{.czxid = 4,
                  .mzxid = 4,
                  .ctime = 0x1a1fe9e1279,
                  .mtime = 0x1a1fe9e1279,
                  .aversion = 1,
                  .pzxid = 4};
  expect_reply(
      "00000054 00000002 0000000000000005 00000000 0000000000000004 0000000000000004"
      "000001a1fe9e1279 000001a1fe9e1279 00000000 00000000 00000001 00*8 00000000 00000000"
      "0000000000000004",
      {2, 5, 0}, OpCode::set_acl, StatResponse{stat});
}

// A container's Stat says nothing of what it is: no owner.
TEST(GoldenBytes, CreateContainer) {
  expect_request(
      "00000034 00000004 00000013 00000004 2f672f63 00000001 78 00000001 0000001f"
      "00000005 776f726c64 00000006 616e796f6e65 00000004",
      4, CreateContainerRequest{"/g/c", Bytes{'x'}, open_acl(), 4});
  const Stat stat{.czxid = 7,
                  .mzxid = 7,
                  .ctime = 0x1a1fe9e1283,
                  .mtime = 0x1a1fe9e1283,
                  .data_length = 1,
                  .pzxid = 7};
  expect_reply(
      "0000005c 00000004 0000000000000007 00000000 00000004 2f672f63 0000000000000007"
      "0000000000000007 000001a1fe9e1283 000001a1fe9e1283 00*12 00*8 00000001 00000000"
      "0000000000000007",
      {4, 7, 0}, OpCode::create_container, PathStatResponse{"/g/c", stat});
}

TEST(GoldenBytes, CreateTtl) {
  expect_request(
      "0000003b 00000005 00000015 00000004 2f672f74 00000000 00000001 0000001f"
      "00000005 776f726c64 00000006 616e796f6e65 00000005 00000000000f4240",
      5, CreateTtlRequest{"/g/t", Bytes{}, open_acl(), 5, 1'000'000});
}

TEST(GoldenBytes, MultiOfSpecialCreates) {
  expect_request(
      "00000083 00000007 0000000e 00000013 00 ffffffff 00000005 2f672f6d63 00000000 00000001"
      "0000001f 00000005 776f726c64 00000006 616e796f6e65 00000004"
      "00000015 00 ffffffff 00000005 2f672f6d74 00000000 00000001 0000001f 00000005 776f726c64"
      "00000006 616e796f6e65 00000005 00000000000186a0 ffffffff 01 ffffffff",
      7,
      MultiRequest{{CreateContainerRequest{"/g/mc", Bytes{}, open_acl(), 4},
                    CreateTtlRequest{"/g/mt", Bytes{}, open_acl(), 5, 100'000}}});
  const Stat stat{
      .czxid = 10, .mzxid = 10, .ctime = 0x1a1fe9e1288, .mtime = 0x1a1fe9e1288, .pzxid = 10};
  expect_reply(
      "0000006f 00000007 000000000000000a 00000000 0000000f 00 00000000 00000005 2f672f6d63"
      "000000000000000a 000000000000000a 000001a1fe9e1288 000001a1fe9e1288 00*28 "
      "000000000000000a ffffffff 01 ffffffff",
      {7, 10, 0}, OpCode::multi,
      MultiResponse{{{OpCode::create2, PathStatResponse{"/g/mc", stat}}}});
}

TEST(GoldenBytes, MultiRead) {
  expect_request(
      "00000046 0000000b 00000016 00000004 00 ffffffff 00000004 2f672f63 00"
      "00000008 00 ffffffff 00000002 2f67 00 00000004 00 ffffffff 00000005 2f6e6f7065 00"
      "ffffffff 01 ffffffff",
      11,
      MultiReadRequest{.operations = {GetDataRequest{"/g/c"}, GetChildrenRequest{"/g"},
                                      GetDataRequest{"/nope"}}});
  expect_reply(
      "0000004f 0000000b 000000000000000d 00000000 00000008 00 00000000 00000005 00000001 63"
      "00000001 74 00000002 6d32 00000002 6d63 00000002 6d74 ffffffff 00 ffffff9b ffffff9b"
      "ffffffff 01 ffffffff",
      {11, 13, 0}, OpCode::multi_read,
      MultiResponse{{{OpCode::get_children, GetChildrenResponse{{"c", "t", "m2", "mc", "mt"}}},
                     {OpCode::error, MultiError{ErrorCode::no_node}}}});
}

// The one error with a body: of nothing.
TEST(GoldenBytes, MultiReadOfWrites) {
  expect_request(
      "00000026 0000000d 00000016 00000002 00 ffffffff 00000004 2f672f63 ffffffff"
      "ffffffff 01 ffffffff",
      13, MultiReadRequest{.writes = {DeleteRequest{"/g/c"}}});
  Bytes out;
  append_reply(out, {13, 13, static_cast<std::int32_t>(ErrorCode::marshalling_error)},
               MultiResponse{});
  EXPECT_EQ(to_hex(out),
            to_hex(from_hex("00000019 0000000d 000000000000000d fffffffb ffffffff 01 ffffffff")));
}

TEST(GoldenBytes, WatchRequests) {
  expect_request("00000012 00000010 0000006a 00000002 2f67 00000001", 16, AddWatchRequest{"/g", 1});
  expect_reply("00000014 00000010 000000000000000d 00000000 00000000", {16, 13, 0},
               OpCode::add_watch, ErrorResponse{0});
  expect_request("00000012 00000011 00000011 00000002 2f67 00000003", 17,
                 CheckWatchesRequest{"/g", 3});
  expect_reply("00000010 00000011 000000000000000d 00000000", {17, 13, 0}, OpCode::check_watches,
               EmptyResponse{});
  expect_request("00000012 00000012 00000012 00000002 2f67 00000003", 18,
                 RemoveWatchesRequest{"/g", 3});
  const std::vector<std::string> none;
  expect_request(
      "00000036 fffffff8 00000069 0000000000000100 00000001 00000002 2f67 00000000 00000000"
      "00000001 00000002 2f70 00000001 00000002 2f72",
      xid::set_watches, SetWatches2Request{0x100, {{"/g"}}, none, none, {{"/p"}}, {{"/r"}}});
}

TEST(GoldenBytes, CountingAndListing) {
  expect_request("0000000e 00000017 00000067 00000002 2f67", 23, GetEphemeralsRequest{"/g"});
  expect_reply("0000001c 00000017 000000000000000e 00000000 00000001 00000004 2f672f65",
               {23, 14, 0}, OpCode::get_ephemerals, GetEphemeralsResponse{{"/g/e"}});
  expect_request("0000000e 0000001d 00000068 00000002 2f67", 29, GetAllChildrenNumberRequest{"/g"});
  expect_reply("00000014 0000001d 000000000000000e 00000000 00000006", {29, 14, 0},
               OpCode::get_all_children_number, GetAllChildrenNumberResponse{6});
}

TEST(GoldenBytes, Identities) {
  expect_request("00000020 fffffffc 00000064 00000000 00000006 646967657374 00000006 626f623a7077",
                 xid::auth, AuthRequest{0, "digest", Bytes{'b', 'o', 'b', ':', 'p', 'w'}});
  expect_reply("00000010 fffffffc 0000000000000000 00000000", {xid::auth, 0, 0}, OpCode::auth,
               EmptyResponse{});
  expect_request("00000008 00000023 0000006b", 35, WhoAmIRequest{});
  expect_reply(
      "00000038 00000023 000000000000000e 00000000 00000002 00000006 646967657374 00000003 626f62"
      "00000002 6970 00000009 3132372e302e302e31",
      {35, 14, 0}, OpCode::who_am_i, WhoAmIResponse{{{"digest", "bob"}, {"ip", "127.0.0.1"}}});
  expect_request("0000000c 00000024 00000066 00000000", 36, SaslRequest{Bytes{}});
  expect_reply("00000014 00000024 0000000000000000 00000000 ffffffff", {36, 0, 0}, OpCode::sasl,
               SaslResponse{});
}

// kazoo writes the texts it does not have as null.
TEST(GoldenBytes, Reconfig) {
  const auto decoded = decode_request(static_cast<std::int32_t>(OpCode::reconfig),
                                      from_hex("ffffffff 00000001 33 ffffffff ffffffffffffffff"));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_TRUE(*decoded == Request{(ReconfigRequest{.leaving = "3"})});
}

}  // namespace
}  // namespace zabfs::replication::protocol
