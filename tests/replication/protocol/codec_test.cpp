#include "replication/protocol/codec.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "replication/model/limits.hpp"
#include "replication/protocol/frame.hpp"
#include "tests/replication/protocol/samples.hpp"
#include "tests/support/hex.hpp"

namespace zabfs::replication::protocol {
namespace {

using test::from_hex;
using test::to_hex;

// The payload of the one frame that `frame` is.
ByteView payload_of(const Bytes& frame) {
  const auto split = split_frame(frame, limits::reply_frame_bytes_max);
  EXPECT_EQ(split.state, FrameSplit::State::whole);
  EXPECT_EQ(split.consumed, frame.size());
  return split.payload;
}

constexpr std::int32_t number(OpCode op) { return static_cast<std::int32_t>(op); }

TEST(Codec, ReturnsEveryRequestAsItWas) {
  std::set<std::size_t> alternatives;
  for (const auto& request : sample_requests()) {
    SCOPED_TRACE(name_of(op_of(request)));
    alternatives.insert(request.index());
    Bytes frame;
    append_request(frame, -77, request);
    const auto split = split_request(payload_of(frame));
    ASSERT_TRUE(split.has_value());
    EXPECT_EQ(split->header, (RequestHeader{-77, number(op_of(request))}));
    const auto decoded = decode_request(split->header.op, split->body);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_TRUE(*decoded == request);
  }
  EXPECT_EQ(alternatives.size(), std::variant_size_v<Request>);
}

TEST(Codec, ReturnsEveryResponseAsItWas) {
  std::set<std::size_t> alternatives;
  for (const auto& [op, response] : sample_responses()) {
    SCOPED_TRACE(name_of(op));
    alternatives.insert(response.index());
    const ReplyHeader header{9, 0x100000002, 0};
    Bytes frame;
    append_reply(frame, header, response);
    const auto split = split_reply(payload_of(frame));
    ASSERT_TRUE(split.has_value());
    EXPECT_EQ(split->header, header);
    const auto decoded = decode_response(op, split->body);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_TRUE(*decoded == response);
  }
  EXPECT_EQ(alternatives.size(), std::variant_size_v<Response>);
}

TEST(Codec, ReturnsAnEventAsItWas) {
  const WatcherEvent event{static_cast<std::int32_t>(EventType::deleted), 3, "/grüße"};
  Bytes frame;
  append_event(frame, event, 12);
  const auto split = split_reply(payload_of(frame));
  ASSERT_TRUE(split.has_value());
  EXPECT_EQ(split->header, (ReplyHeader{xid::notification, 12, 0}));
  const auto decoded = decode_event(split->body);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(*decoded, event);
}

TEST(Codec, AppendsBehindWhatIsThere) {
  Bytes out{9};
  append_request(out, 1, SyncRequest{"/a"});
  append_reply(out, {1, 2, 0}, PathResponse{"/a"});
  append_reply(out, {1, 2, -101});
  EXPECT_EQ(to_hex(out), to_hex(from_hex("09 0000000e 00000001 00000009 00000002 2f61"
                                         "00000016 00000001 0000000000000002 00000000 00000002 2f61"
                                         "00000010 00000001 0000000000000002 ffffff9b")));
}

TEST(Codec, IgnoresBytesBehindTheLastField) {
  const auto request = decode_request(number(OpCode::sync), from_hex("00000002 2f61 ffff"));
  ASSERT_TRUE(request.has_value());
  EXPECT_TRUE(*request == Request{SyncRequest{"/a"}});
  EXPECT_TRUE(decode_request(number(OpCode::ping), from_hex("01")).has_value());
  EXPECT_TRUE(decode_response(OpCode::multi, from_hex("ffffffff 01 ffffffff 00")).has_value());
}

TEST(Codec, ReadsNullStringsAsEmpty) {
  const auto request = decode_request(number(OpCode::exists), from_hex("ffffffff 01"));
  ASSERT_TRUE(request.has_value());
  EXPECT_TRUE(*request == (Request{ExistsRequest{"", true}}));
}

TEST(Codec, ServesNoOtherOperation) {
  std::set<std::int32_t> served;
  for (const auto& request : sample_requests()) {
    served.insert(number(op_of(request)));
  }
  for (std::int32_t op = -20; op < 200; ++op) {
    if (!served.contains(op)) {
      EXPECT_EQ(decode_request(op, from_hex("00*64")).error(), ErrorCode::unimplemented) << op;
      EXPECT_EQ(decode_response(OpCode{op}, from_hex("00*64")).error(), ErrorCode::unimplemented)
          << op;
    }
  }
  EXPECT_FALSE(served.contains(number(OpCode::check))) << "check is for multi alone";
}

TEST(Codec, RefusesHeadersThatEndEarly) {
  EXPECT_EQ(split_request(from_hex("00*7")).error(), ErrorCode::marshalling_error);
  EXPECT_EQ(split_request({}).error(), ErrorCode::marshalling_error);
  EXPECT_EQ(split_reply(from_hex("00*15")).error(), ErrorCode::marshalling_error);
}

TEST(Codec, RefusesNullListsOfWatches) {
  for (const auto& lists :
       {"ffffffff 00000000 00000000", "00000000 ffffffff 00000000", "00000000 00000000 ffffffff"}) {
    const Bytes body = from_hex(std::string{"00*8 "} + lists);
    EXPECT_EQ(decode_request(number(OpCode::set_watches), body).error(),
              ErrorCode::marshalling_error);
  }
  EXPECT_TRUE(decode_request(number(OpCode::set_watches), from_hex("00*20")).has_value());

  for (const std::size_t null_list : {0U, 1U, 2U, 3U, 4U}) {
    Bytes body(28);
    std::fill_n(body.begin() + static_cast<std::ptrdiff_t>(8 + 4 * null_list), 4, 0xff);
    EXPECT_EQ(decode_request(number(OpCode::set_watches2), body).error(),
              ErrorCode::marshalling_error)
        << null_list;
  }
  EXPECT_TRUE(decode_request(number(OpCode::set_watches2), from_hex("00*28")).has_value());
}

constexpr std::string_view end_of_multi = "ffffffff 01 ffffffff";

// A list with one operation of this number, whose fields are as many zeros as it wants.
Bytes list_of(std::int32_t op) {
  Bytes body(4);
  body[0] = static_cast<std::uint8_t>(op >> 24);
  body[1] = static_cast<std::uint8_t>(op >> 16);
  body[2] = static_cast<std::uint8_t>(op >> 8);
  body[3] = static_cast<std::uint8_t>(op);
  const Bytes rest = from_hex("00 ffffffff 00*100 " + std::string{end_of_multi});
  body.insert(body.end(), rest.begin(), rest.end());
  return body;
}

TEST(Multi, RefusesOperationsThatMayNotBeInside) {
  for (const std::int32_t op :
       {0, 3, 4, 6, 7, 8, 9, 11, 12, 14, 16, 17, 20, 22, 100, -1, -11, 1000}) {
    EXPECT_EQ(decode_request(number(OpCode::multi), list_of(op)).error(),
              ErrorCode::marshalling_error)
        << op;
  }
}

TEST(MultiRead, RefusesOperationsThatMayNotBeInside) {
  for (const std::int32_t op : {0, 3, 6, 7, 9, 11, 12, 14, 16, 20, 22, 100, -1, -11, 1000}) {
    EXPECT_EQ(decode_request(number(OpCode::multi_read), list_of(op)).error(),
              ErrorCode::marshalling_error)
        << op;
  }
}

TEST(MultiRead, RefusesReadsAndWritesInOneList) {
  const MultiReadRequest mixed{.operations = {GetDataRequest{"/a"}},
                               .writes = {DeleteRequest{"/a"}}};
  Bytes frame;
  append_request(frame, 1, mixed);
  const auto split = split_request(payload_of(frame));
  ASSERT_TRUE(split.has_value());
  EXPECT_EQ(decode_request(split->header.op, split->body).error(), ErrorCode::marshalling_error);
}

TEST(Multi, NeedsItsEnd) {
  EXPECT_EQ(decode_request(number(OpCode::multi), {}).error(), ErrorCode::marshalling_error);
  EXPECT_EQ(decode_response(OpCode::multi, from_hex("00000002 00 00000000")).error(),
            ErrorCode::marshalling_error);
}

TEST(Multi, EndsWhereItsHeaderSaysSoWhateverTheOperation) {
  const auto request = decode_request(number(OpCode::multi), from_hex("0000000e 01 00000000"));
  ASSERT_TRUE(request.has_value());
  EXPECT_TRUE(*request == Request{MultiRequest{}});
}

TEST(Multi, RefusesResultsThatDoNotBelongIntoOne) {
  for (const auto& result : {"00000003", "00000006", "0000000e", "00000013", "fffffffe"}) {
    const Bytes body = from_hex(result + std::string{" 00 00000000 00*100"});
    EXPECT_EQ(decode_response(OpCode::multi, body).error(), ErrorCode::marshalling_error);
  }
}

TEST(Multi, MayHaveAsManyOperationsAsTheLimitSaysAndNoMore) {
  // Deletes are the shortest operations: 17 bytes with an empty path.
  const auto operations = [](std::size_t count) {
    const Bytes one = from_hex("00000002 00 ffffffff 00000000 ffffffff");
    Bytes body;
    for (std::size_t i = 0; i < count; ++i) {
      body.insert(body.end(), one.begin(), one.end());
    }
    const Bytes end = from_hex(end_of_multi);
    body.insert(body.end(), end.begin(), end.end());
    return body;
  };
  const auto full = decode_request(number(OpCode::multi), operations(limits::multi_operations_max));
  ASSERT_TRUE(full.has_value());
  EXPECT_EQ(std::get<MultiRequest>(*full).operations.size(), limits::multi_operations_max);
  const Bytes excess = operations(limits::multi_operations_max + 1);
  EXPECT_EQ(decode_request(number(OpCode::multi), excess).error(), ErrorCode::marshalling_error);
}

TEST(Multi, WritesAFailureAsAnErrorWhateverTheOperationWas) {
  Bytes frame;
  append_reply(frame, {}, MultiResponse{{{OpCode::create, MultiError{ErrorCode::node_exists}}}});
  const auto split = split_reply(payload_of(frame));
  ASSERT_TRUE(split.has_value());
  EXPECT_EQ(to_hex(split->body),
            to_hex(from_hex("ffffffff 00 ffffff92 ffffff92" + std::string{end_of_multi})));
}

}  // namespace
}  // namespace zabfs::replication::protocol
