// Any bytes as a segment of the log: records lie inside it, one behind the other, and what is
// sealed into it afterwards is read back.
#include <algorithm>

#include "replication/model/check.hpp"
#include "replication/store/log_format.hpp"

namespace zabfs::test {
namespace {

using namespace replication;
using namespace replication::store;

constexpr SegmentId here{.generation = {1}, .first = 7};
constexpr Zxid zxid = Zxid::at({1}, 1);

// The offset behind the last record.
std::size_t check_records(ByteView segment) {
  std::size_t at = segment_header_bytes;
  while (const auto record = record_at(segment, here, at)) {
    CHECK(record->end == at + record_header_bytes + record->entry.payload.size());
    CHECK(record->end <= segment.size());
    at = record->end;
  }
  if (const auto later = record_of_later_batch(segment, here, at)) {
    CHECK(later->batch > at && later->end <= segment.size());
  }
  return at;
}

void check_header(ByteView segment) {
  if (const auto header = decode_segment_header(segment)) {
    const Bytes again = encode(*header);
    CHECK(std::ranges::equal(again, segment.first(again.size())));
  }
}

// The input becomes a payload; a record of a later batch makes its damage provable.
void check_round_trip(ByteView payload) {
  Bytes segment(segment_header_bytes);
  Bytes batch;
  append_record(batch, {.zxid = zxid, .payload = payload});
  seal_batch(batch, {.segment = here, .batch = 0, .offset = segment_header_bytes});
  segment.insert(segment.end(), batch.begin(), batch.end());
  const auto end = static_cast<std::uint32_t>(segment.size());
  CHECK(check_records(segment) == end);

  Bytes next;
  append_record(next, {.kind = RecordKind::truncation, .zxid = zxid, .committed = zxid});
  seal_batch(next, {.segment = here, .batch = end, .offset = end});
  segment.insert(segment.end(), next.begin(), next.end());
  CHECK(check_records(segment) == segment.size());
  segment[segment_header_bytes] ^= 1U;
  const auto later = record_of_later_batch(segment, here, segment_header_bytes);
  CHECK(later && later->entry.kind == RecordKind::truncation && later->entry.zxid == zxid);
}

}  // namespace
}  // namespace zabfs::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const zabfs::replication::ByteView bytes{data, size};
  zabfs::test::check_header(bytes);
  zabfs::test::check_records(bytes);
  zabfs::test::check_round_trip(bytes);
  return 0;
}
