#include "replication/protocol/peer_frame.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "replication/model/limits.hpp"
#include "tests/support/hostile_bytes.hpp"

namespace zabfs::replication::protocol {
namespace {

using State = PeerFrameSplit::State;

void append(Bytes& out, ByteView payload) {
  const auto start = begin_peer_frame(out);
  out.insert(out.end(), payload.begin(), payload.end());
  end_peer_frame(out, start);
}

Bytes frame(std::string_view payload) {
  Bytes out;
  append(out, bytes_of(payload));
  return out;
}

PeerFrameSplit split(ByteView stream) {
  return split_peer_frame(stream, limits::peer_frame_bytes_max);
}

TEST(PeerFrame, TheBytesAreAsTheHeaderSays) {
  EXPECT_EQ(frame(""), (Bytes{0, 0, 0, 0, 0x2d, 0x06, 0x80, 0x05, 0x38, 0xd3, 0x94, 0xc2}));
  const Bytes one = frame("abc");
  EXPECT_EQ(one.size(), peer_frame_header_bytes + 3);
  EXPECT_EQ(Bytes(one.begin(), one.begin() + 4), (Bytes{0, 0, 0, 3}));
  EXPECT_EQ(text_of(ByteView(one).subspan(peer_frame_header_bytes)), "abc");
}

TEST(PeerFrame, FramesBehindEachOtherComeInOrder) {
  Bytes stream = frame("one");
  append(stream, {});
  append(stream, bytes_of("three"));
  ByteView rest = stream;
  for (const std::string_view expected : {"one", "", "three"}) {
    const auto got = split(rest);
    ASSERT_EQ(got.state, State::whole);
    EXPECT_EQ(text_of(got.payload), expected);
    rest = rest.subspan(got.consumed);
  }
  EXPECT_TRUE(rest.empty());
}

TEST(PeerFrame, ABeginningIsIncompleteAndSaysWhatItWants) {
  const Bytes whole = frame("hello");
  for (const auto& part : test::truncations_of(whole)) {
    const auto got = split(part);
    EXPECT_EQ(got.state, State::incomplete) << part.size();
    EXPECT_EQ(got.wanted, part.size() < 4 ? 0 : whole.size()) << part.size();
  }
}

TEST(PeerFrame, OneByteTooLongIsTooLongAtOnce) {
  const Bytes length{0, 0, 1, 1};
  EXPECT_EQ(split_peer_frame(length, 257).state, State::incomplete);
  EXPECT_EQ(split_peer_frame(length, 256).state, State::too_long);
  EXPECT_EQ(split(Bytes{0xff, 0xff, 0xff, 0xff}).state, State::too_long);
}

TEST(PeerFrame, AnyChangedBitIsNoticed) {
  const Bytes whole = frame("hello");
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    Bytes changed = whole;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << bit % 8));
    EXPECT_NE(split(changed).state, State::whole) << bit;
  }
  EXPECT_EQ(split(Bytes(100)).state, State::damaged) << "zeros are no frames";
}

TEST(PeerFrame, TheLargestFrameHoldsARecordOfTheLog) {
  Bytes stream;
  append(stream, Bytes(limits::peer_frame_bytes_max, 7));
  EXPECT_EQ(split(stream).state, State::whole);
  EXPECT_GE(limits::peer_frame_bytes_max, limits::log_record_bytes_max + 1024);
}

TEST(PeerFrame, HostileBytesAreSurvived) {
  const Bytes valid = frame("a payload of some length");
  auto inputs = test::random_runs(3, 5000, 100);
  std::ranges::move(test::lies_about_counts_of(valid), std::back_inserter(inputs));
  std::ranges::move(test::mutations_of(valid, 5, 5000), std::back_inserter(inputs));
  for (const auto& input : inputs) {
    const auto got = split(input);
    if (got.state == State::whole) {
      Bytes again;
      append(again, got.payload);
      EXPECT_TRUE(std::ranges::equal(again, ByteView(input).first(got.consumed)));
    }
  }
}

}  // namespace
}  // namespace zabfs::replication::protocol
