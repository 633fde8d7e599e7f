// The bytes of a segment: golden bytes, places, and hostile ones.
#include "replication/store/log_format.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/hex.hpp"
#include "tests/support/hostile_bytes.hpp"

namespace zabfs::replication::store {
namespace {

constexpr Zxid before = Zxid::at({1}, 7);
constexpr Zxid first = Zxid::at({2}, 1);
constexpr Zxid second = Zxid::at({2}, 2);
constexpr Zxid third = Zxid::at({2}, 3);
constexpr SegmentId here{.generation = {5}, .first = 0x4711};

void append_batch(Bytes& segment, const std::vector<LogEntry>& entries) {
  const auto offset = static_cast<std::uint32_t>(segment.size());
  Bytes batch;
  for (const auto& entry : entries) {
    append_record(batch, entry);
  }
  seal_batch(
      batch,
      {.segment = here, .batch = offset == segment_header_bytes ? 0 : offset, .offset = offset});
  segment.insert(segment.end(), batch.begin(), batch.end());
}

LogEntry transaction(Zxid zxid, Zxid committed, std::string_view payload) {
  return {.zxid = zxid, .committed = committed, .payload = bytes_of(payload)};
}

// Two batches: one of two transactions, one of a truncation that takes the second of them back.
Bytes sample() {
  Bytes segment = encode({.id = here, .previous = before, .committed = Zxid::at({1}, 6)});
  append_batch(segment, {transaction(first, before, "one"), transaction(second, before, "two")});
  append_batch(segment, {{.kind = RecordKind::truncation, .zxid = first, .committed = before}});
  return segment;
}

TEST(LogFormat, HasItsDocumentedBytes) {
  EXPECT_EQ(sample(), test::from_hex(
                          // the header
                          "7a616266736c6f67 00000002 00000005 0000000000004711"
                          "0000000100000007 0000000100000006 fe998c9c59b957cf"
                          // two transactions
                          "f0efb7760e65d409 00000003 00000000 00000001"
                          "0000000200000001 0000000100000007 6f6e65"
                          "33c66b0263d95527 00000003 00000000 00000001"
                          "0000000200000002 0000000100000007 74776f"
                          // the truncation
                          "df65d87e4262dd2f 00000000 0000007e 00000002"
                          "0000000200000001 0000000100000007"));
}

TEST(LogFormat, IsReadAsItWasWritten) {
  Bytes segment = sample();
  segment.resize(500);
  EXPECT_EQ(decode_segment_header(segment),
            (SegmentHeader{.id = here, .previous = before, .committed = Zxid::at({1}, 6)}));
  const auto one = record_at(segment, here, segment_header_bytes);
  ASSERT_TRUE(one);
  EXPECT_EQ(one->entry.kind, RecordKind::transaction);
  EXPECT_EQ(one->entry.zxid, first);
  EXPECT_EQ(one->entry.committed, before);
  EXPECT_EQ(text_of(one->entry.payload), "one");
  EXPECT_EQ(one->batch, 0U);
  const auto two = record_at(segment, here, one->end);
  ASSERT_TRUE(two);
  EXPECT_EQ(two->entry.zxid, second);
  EXPECT_EQ(two->batch, 0U);
  const auto three = record_at(segment, here, two->end);
  ASSERT_TRUE(three);
  EXPECT_EQ(three->entry.kind, RecordKind::truncation);
  EXPECT_EQ(three->entry.zxid, first);
  EXPECT_TRUE(three->entry.payload.empty());
  EXPECT_EQ(three->batch, two->end);
  EXPECT_FALSE(record_at(segment, here, three->end));
  EXPECT_TRUE(is_blank(ByteView(segment).subspan(three->end)));
}

TEST(LogFormat, ARecordIsOneOnlyInItsPlace) {
  const Bytes segment = sample();
  EXPECT_FALSE(record_at(segment, {here.generation, here.first + 1}, segment_header_bytes));
  EXPECT_FALSE(record_at(segment, {{here.generation.value + 1}, here.first}, segment_header_bytes));
  Bytes moved(8);
  moved.insert(moved.end(), segment.begin(), segment.end());
  EXPECT_FALSE(record_at(moved, here, segment_header_bytes + 8));
}

TEST(LogFormat, NoFlippedBitGoesUnnoticed) {
  const Bytes valid = sample();
  const auto end = record_at(valid, here, segment_header_bytes)->end;
  for (std::size_t bit = 0; bit < end * 8; ++bit) {
    Bytes flipped = valid;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const bool is_in_header = bit / 8 < segment_header_bytes;
    EXPECT_EQ(decode_segment_header(flipped).has_value(), !is_in_header) << bit;
    EXPECT_EQ(record_at(flipped, here, segment_header_bytes).has_value(), is_in_header) << bit;
  }
}

TEST(LogFormat, OnlyALaterBatchProvesALoss) {
  const Bytes segment = sample();
  const auto one = record_at(segment, here, segment_header_bytes);
  const auto two = record_at(segment, here, one->end);
  const auto later = record_of_later_batch(segment, here, segment_header_bytes);
  ASSERT_TRUE(later);
  EXPECT_EQ(later->entry.kind, RecordKind::truncation)
      << "the second record is of the damaged batch";
  EXPECT_TRUE(record_of_later_batch(segment, here, 0)) << "the header is of the first batch";
  EXPECT_FALSE(record_of_later_batch(segment, here, two->end));
}

// A client may store anything, also a piece of our own log.
TEST(LogFormat, ALogInsideAPayloadProvesNothing) {
  const Bytes inner = sample();
  Bytes segment = encode({.id = here});
  append_batch(segment, {transaction(third, before, text_of(inner))});
  segment[segment_header_bytes] ^= 1U;
  EXPECT_FALSE(record_of_later_batch(segment, here, segment_header_bytes));
}

TEST(LogFormat, HostileBytesAreNoRecords) {
  const auto check = [](const Bytes& bytes) {
    decode_segment_header(bytes);
    std::size_t at = segment_header_bytes;
    while (const auto record = record_at(bytes, here, at)) {
      ASSERT_GT(record->end, at);
      ASSERT_LE(record->end, bytes.size());
      at = record->end;
    }
    record_of_later_batch(bytes, here, at);
  };
  for (const auto& bytes : test::truncations_of(sample())) {
    check(bytes);
  }
  for (const auto& bytes : test::lies_about_counts_of(sample())) {
    check(bytes);
  }
  for (const auto& bytes : test::mutations_of(sample(), 1, 2'000)) {
    check(bytes);
  }
  for (const auto& bytes : test::random_runs(2, 2'000, 200)) {
    check(bytes);
  }
}

}  // namespace
}  // namespace zabfs::replication::store
