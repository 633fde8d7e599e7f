// What broken and hostile peers send: nothing may be read beyond the message (the address sanitizer
// watches), and whatever decodes must be a value like any other, which survives another round trip.
#include <gtest/gtest.h>

#include <functional>

#include "replication/model/limits.hpp"
#include "replication/protocol/codec.hpp"
#include "replication/protocol/frame.hpp"
#include "replication/protocol/handshake.hpp"
#include "tests/replication/protocol/samples.hpp"
#include "tests/support/hex.hpp"
#include "tests/support/hostile_bytes.hpp"
#include "tests/support/hostile_round_trip.hpp"

namespace zabfs::replication::protocol {
namespace {

using test::expect_harmless;
using test::expect_harmless_when_damaged;
using test::from_hex;
using test::random_runs;
using test::truncations_of;

constexpr std::int32_t number(OpCode op) { return static_cast<std::int32_t>(op); }

// The bytes behind the header of the frame that `append` makes.
Bytes body_behind(std::size_t header_bytes, const std::function<void(Bytes&)>& append) {
  Bytes frame;
  append(frame);
  return {frame.begin() + static_cast<std::ptrdiff_t>(frame_header_bytes + header_bytes),
          frame.end()};
}

Bytes body_of(const Request& request) {
  return body_behind(8, [&](Bytes& out) { append_request(out, 1, request); });
}

Bytes body_of(const Response& response) {
  return body_behind(16, [&](Bytes& out) { append_reply(out, {}, response); });
}

Bytes body_of(const WatcherEvent& event) {
  return body_behind(16, [&](Bytes& out) { append_event(out, event, 1); });
}

Bytes payload_of(const auto& handshake) {
  return body_behind(0, [&](Bytes& out) { append_frame(out, handshake); });
}

TEST(HostileRequest, EndsEarly) {
  for (const auto& request : sample_requests()) {
    SCOPED_TRACE(name_of(op_of(request)));
    for (const auto& truncated : truncations_of(body_of(request))) {
      EXPECT_EQ(decode_request(number(op_of(request)), truncated).error(),
                ErrorCode::marshalling_error)
          << truncated.size();
    }
  }
}

TEST(HostileRequest, IsDamaged) {
  for (const auto& request : sample_requests()) {
    const auto op = op_of(request);
    SCOPED_TRACE(name_of(op));
    expect_harmless_when_damaged<Request>(
        body_of(request), [op](ByteView bytes) { return decode_request(number(op), bytes); },
        [](const Request& decoded) { return body_of(decoded); });
  }
}

TEST(HostileResponse, EndsEarly) {
  for (const auto& [op, response] : sample_responses()) {
    SCOPED_TRACE(name_of(op));
    for (const auto& truncated : truncations_of(body_of(response))) {
      EXPECT_EQ(decode_response(op, truncated).error(), ErrorCode::marshalling_error)
          << truncated.size();
    }
  }
}

TEST(HostileResponse, IsDamaged) {
  for (const auto& sample : sample_responses()) {
    const auto op = sample.op;
    SCOPED_TRACE(name_of(op));
    expect_harmless_when_damaged<Response>(
        body_of(sample.response), [op](ByteView bytes) { return decode_response(op, bytes); },
        [](const Response& decoded) { return body_of(decoded); });
  }
}

TEST(HostileEvent, EndsEarlyOrIsDamaged) {
  const Bytes valid = body_of(WatcherEvent{3, 3, "/grüße"});
  for (const auto& truncated : truncations_of(valid)) {
    EXPECT_EQ(decode_event(truncated).error(), ErrorCode::marshalling_error);
  }
  expect_harmless_when_damaged<WatcherEvent>(
      valid, decode_event, [](const WatcherEvent& decoded) { return body_of(decoded); });
}

TEST(HostileHandshake, EndsEarly) {
  // One octet less is not short: it is a message without the read-only flag.
  auto requests = truncations_of(payload_of(ConnectRequest{.password = Bytes(16, 1)}));
  auto responses = truncations_of(payload_of(ConnectResponse{.password = Bytes(16, 1)}));
  requests.pop_back();
  responses.pop_back();
  for (const auto& truncated : requests) {
    EXPECT_EQ(decode_connect_request(truncated).error(), ErrorCode::marshalling_error);
  }
  for (const auto& truncated : responses) {
    EXPECT_EQ(decode_connect_response(truncated).error(), ErrorCode::marshalling_error);
  }
}

TEST(HostileHandshake, IsDamaged) {
  expect_harmless_when_damaged<ConnectRequest>(
      payload_of(ConnectRequest{.password = Bytes(16, 1)}), decode_connect_request,
      [](const ConnectRequest& decoded) { return payload_of(decoded); });
  expect_harmless_when_damaged<ConnectResponse>(
      payload_of(ConnectResponse{.password = Bytes(16, 1)}), decode_connect_response,
      [](const ConnectResponse& decoded) { return payload_of(decoded); });
}

// Every count of a create in turn: of the path, the data, the ACL, its scheme and its identity.
TEST(HostileRequest, LiesAboutACount) {
  const Bytes valid = body_of(CreateRequest{"/a", Bytes{'x'}, open_acl(), 0});
  for (const std::size_t at : {0U, 6U, 11U, 19U, 28U}) {
    for (const std::string_view lie : {"fffffffe", "80000000", "7fffffff", "0000002b"}) {
      Bytes damaged = valid;
      std::ranges::copy(from_hex(lie), damaged.begin() + static_cast<std::ptrdiff_t>(at));
      const bool empty_list = at == 11 && (lie == "fffffffe" || lie == "80000000");
      EXPECT_EQ(decode_request(number(OpCode::create), damaged).has_value(), empty_list)
          << lie << " at " << at;
    }
  }
}

TEST(HostileRequest, CostsNoMoreMemoryThanItsBytesCanHold) {
  Bytes body = from_hex("00*8 000ffff0");
  body.resize(limits::client_frame_bytes_max);
  EXPECT_EQ(decode_request(number(OpCode::set_watches), body).error(),
            ErrorCode::marshalling_error);
}

}  // namespace
}  // namespace zabfs::replication::protocol
