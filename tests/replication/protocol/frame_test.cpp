#include "replication/protocol/frame.hpp"

#include <gtest/gtest.h>

#include "tests/support/hex.hpp"

namespace zabfs::replication::protocol {
namespace {

using test::from_hex;
using State = FrameSplit::State;

TEST(SplitFrame, WaitsForTheLength) {
  for (std::size_t size = 0; size < frame_header_bytes; ++size) {
    const Bytes stream(size);
    const auto split = split_frame(stream, 100);
    EXPECT_EQ(split.state, State::incomplete);
    EXPECT_EQ(split.wanted, 0U);
  }
}

TEST(SplitFrame, SaysHowMuchItWaitsFor) {
  const Bytes stream = from_hex("00000003 0102");
  const auto split = split_frame(stream, 100);
  EXPECT_EQ(split.state, State::incomplete);
  EXPECT_EQ(split.wanted, 7U);
}

TEST(SplitFrame, FindsTheFirstOfSeveral) {
  const Bytes stream = from_hex("00000001 aa 00000002 bbcc");
  const auto first = split_frame(stream, 100);
  ASSERT_EQ(first.state, State::whole);
  EXPECT_EQ(first.consumed, 5U);
  EXPECT_EQ(first.payload.data(), stream.data() + 4);
  const auto second = split_frame(ByteView{stream}.subspan(first.consumed), 100);
  ASSERT_EQ(second.state, State::whole);
  EXPECT_EQ(second.payload.size(), 2U);
  EXPECT_EQ(second.consumed, 6U);
}

TEST(SplitFrame, FindsAnEmptyFrame) {
  const auto split = split_frame(from_hex("00000000"), 100);
  EXPECT_EQ(split.state, State::whole);
  EXPECT_EQ(split.payload.size(), 0U);
  EXPECT_EQ(split.consumed, 4U);
}

TEST(SplitFrame, RefusesLengthsAboveTheLimitBeforeTheyArrive) {
  EXPECT_EQ(split_frame(from_hex("00000003 010203"), 3).state, State::whole);
  EXPECT_EQ(split_frame(from_hex("00000003"), 3).state, State::incomplete);
  EXPECT_EQ(split_frame(from_hex("00000004"), 3).state, State::too_long);
  EXPECT_EQ(split_frame(from_hex("7fffffff"), 3).state, State::too_long);
}

TEST(SplitFrame, RefusesNegativeLengthsWhateverTheLimit) {
  for (const auto& length : {"ffffffff", "fffffffe", "80000000"}) {
    EXPECT_EQ(split_frame(from_hex(length), SIZE_MAX).state, State::too_long);
  }
}

TEST(FrameWriter, WritesTheLengthOfWhatWasAppended) {
  Bytes out{9};
  {
    const FrameWriter frame{out};
    out.insert(out.end(), {1, 2, 3});
  }
  EXPECT_EQ(out, from_hex("09 00000003 010203"));
}

TEST(FrameWriter, MakesAnEmptyFrame) {
  Bytes out;
  { const FrameWriter frame{out}; }
  EXPECT_EQ(out, from_hex("00000000"));
}

TEST(FrameWriter, WritesLengthsOfMoreThanOneOctet) {
  Bytes out;
  {
    const FrameWriter frame{out};
    out.resize(out.size() + 0x012345);
  }
  EXPECT_EQ(Bytes(out.begin(), out.begin() + 4), from_hex("00012345"));
  EXPECT_EQ(split_frame(out, out.size()).state, State::whole);
}

}  // namespace
}  // namespace zabfs::replication::protocol
