// The bytes of a segment: golden bytes, places, and hostile ones.
#include "replication/store/log_format.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/hex.hpp"
#include "tests/support/hostile_bytes.hpp"

namespace zabfs::replication::store {
namespace {

constexpr Zxid first = Zxid::at({2}, 1);
constexpr Zxid second = Zxid::at({2}, 2);
constexpr Zxid third = Zxid::at({2}, 3);

void append_batch(Bytes& segment, const std::vector<std::pair<Zxid, std::string>>& records) {
  const auto offset = static_cast<std::uint32_t>(segment.size());
  Bytes batch;
  for (const auto& [zxid, payload] : records) {
    append_record(batch, zxid, bytes_of(payload));
  }
  seal_batch(
      batch,
      {.segment = first, .batch = offset == segment_header_bytes ? 0 : offset, .offset = offset});
  segment.insert(segment.end(), batch.begin(), batch.end());
}

// Two batches: one of two records, one of one.
Bytes sample() {
  Bytes segment = encode({.first = first, .previous = Zxid::at({1}, 7)});
  append_batch(segment, {{first, "one"}, {second, "two"}});
  append_batch(segment, {{third, "three"}});
  return segment;
}

TEST(LogFormat, HasItsDocumentedBytes) {
  EXPECT_EQ(sample(),
            test::from_hex("7a616266736c6f67 00000001 0000000200000001 0000000100000007"  // header
                           "90b8a21bed04936c"
                           "c17de5c4d146bf57 00000003 00000000 0000000200000001 6f6e65"
                           "cd1715ca042f2b97 00000003 00000000 0000000200000002 74776f"
                           "37ad6c6595877f57 00000005 0000005a 0000000200000003 7468726565"));
}

TEST(LogFormat, IsReadAsItWasWritten) {
  Bytes segment = sample();
  segment.resize(500);
  EXPECT_EQ(decode_segment_header(segment),
            (SegmentHeader{.first = first, .previous = Zxid::at({1}, 7)}));
  const auto one = record_at(segment, first, segment_header_bytes);
  ASSERT_TRUE(one);
  EXPECT_EQ(one->zxid, first);
  EXPECT_EQ(text_of(one->payload), "one");
  EXPECT_EQ(one->batch, 0U);
  const auto two = record_at(segment, first, one->end);
  ASSERT_TRUE(two);
  EXPECT_EQ(two->zxid, second);
  EXPECT_EQ(two->batch, 0U);
  const auto three = record_at(segment, first, two->end);
  ASSERT_TRUE(three);
  EXPECT_EQ(text_of(three->payload), "three");
  EXPECT_EQ(three->batch, two->end);
  EXPECT_FALSE(record_at(segment, first, three->end));
  EXPECT_TRUE(is_blank(ByteView(segment).subspan(three->end)));
}

TEST(LogFormat, ARecordIsOneOnlyInItsPlace) {
  const Bytes segment = sample();
  EXPECT_FALSE(record_at(segment, second, segment_header_bytes));
  Bytes moved(8);
  moved.insert(moved.end(), segment.begin(), segment.end());
  EXPECT_FALSE(record_at(moved, first, segment_header_bytes + 8));
}

TEST(LogFormat, NoFlippedBitGoesUnnoticed) {
  const Bytes valid = sample();
  const auto end = record_at(valid, first, segment_header_bytes)->end;
  for (std::size_t bit = 0; bit < end * 8; ++bit) {
    Bytes flipped = valid;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const bool is_in_header = bit / 8 < segment_header_bytes;
    EXPECT_EQ(decode_segment_header(flipped).has_value(), !is_in_header) << bit;
    EXPECT_EQ(record_at(flipped, first, segment_header_bytes).has_value(), is_in_header) << bit;
  }
}

TEST(LogFormat, OnlyALaterBatchProvesALoss) {
  const Bytes segment = sample();
  const auto one = record_at(segment, first, segment_header_bytes);
  const auto two = record_at(segment, first, one->end);
  const auto later = record_of_later_batch(segment, first, segment_header_bytes);
  ASSERT_TRUE(later);
  EXPECT_EQ(later->zxid, third) << "the second record is of the damaged batch";
  EXPECT_TRUE(record_of_later_batch(segment, first, 0)) << "the header is of the first batch";
  EXPECT_FALSE(record_of_later_batch(segment, first, two->end));
}

// A client may store anything, also a piece of our own log.
TEST(LogFormat, ALogInsideAPayloadProvesNothing) {
  const Bytes inner = sample();
  Bytes segment = encode({.first = first, .previous = {}});
  append_batch(segment, {{first, std::string(text_of(inner))}});
  segment[segment_header_bytes] ^= 1U;
  EXPECT_FALSE(record_of_later_batch(segment, first, segment_header_bytes));
}

TEST(LogFormat, HostileBytesAreNoRecords) {
  const auto check = [](const Bytes& bytes) {
    decode_segment_header(bytes);
    std::size_t at = segment_header_bytes;
    while (const auto record = record_at(bytes, first, at)) {
      ASSERT_GT(record->end, at);
      ASSERT_LE(record->end, bytes.size());
      at = record->end;
    }
    record_of_later_batch(bytes, first, at);
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
