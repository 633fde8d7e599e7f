#include "replication/protocol/handshake.hpp"

#include <gtest/gtest.h>

#include "replication/protocol/frame.hpp"
#include "tests/support/hex.hpp"

namespace zabfs::replication::protocol {
namespace {

using test::from_hex;

Bytes frame_of(const auto& handshake) {
  Bytes out;
  append_frame(out, handshake);
  return out;
}

ByteView payload_of(const Bytes& frame) { return ByteView{frame}.subspan(frame_header_bytes); }

const ConnectRequest returning{.protocol_version = 1,
                               .last_zxid_seen = 0x100000002,
                               .timeout_ms = 30'000,
                               .session_id = 0x100001,
                               .password = Bytes(16, 7),
                               .read_only = true};

TEST(Handshake, ReturnsARequestAsItWas) {
  EXPECT_EQ(*decode_connect_request(payload_of(frame_of(returning))), returning);
}

TEST(Handshake, ReturnsAResponseAsItWas) {
  const ConnectResponse response{
      .timeout_ms = 4000, .session_id = -1, .password = Bytes(16, 0xfe), .read_only = true};
  EXPECT_EQ(*decode_connect_response(payload_of(frame_of(response))), response);
}

TEST(Handshake, SpeaksWithOldClientsWithoutTheReadOnlyFlag) {
  ConnectRequest request = returning;
  request.read_only = false;
  request.has_read_only_flag = false;
  const Bytes asked = frame_of(request);
  EXPECT_EQ(asked.size(), 4U + 44U);
  EXPECT_EQ(*decode_connect_request(payload_of(asked)), request);

  const ConnectResponse response{.password = Bytes(16), .has_read_only_flag = false};
  const Bytes answered = frame_of(response);
  EXPECT_EQ(answered.size(), 4U + 36U);
  EXPECT_EQ(*decode_connect_response(payload_of(answered)), response);
}

TEST(Handshake, AcceptsPasswordsOfAnyLength) {
  for (const auto& password : {Data{}, Data{Bytes{}}, Data{Bytes(8, 1)}}) {
    ConnectRequest request = returning;
    request.password = password;
    EXPECT_EQ(*decode_connect_request(payload_of(frame_of(request))), request);
  }
}

TEST(Handshake, IgnoresBytesBehindTheFlag) {
  Bytes frame = frame_of(returning);
  frame.push_back(9);
  EXPECT_EQ(*decode_connect_request(payload_of(frame)), returning);
}

TEST(Handshake, RefusesAPasswordBeyondTheFrame) {
  EXPECT_EQ(decode_connect_request(from_hex("00*24 00000010 00*15")).error(),
            ErrorCode::marshalling_error);
  EXPECT_EQ(decode_connect_response(from_hex("00*16 7fffffff 00*16")).error(),
            ErrorCode::marshalling_error);
}

}  // namespace
}  // namespace zabfs::replication::protocol
