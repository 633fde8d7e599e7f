// The bytes of a log segment. Integers are big-endian; offsets are from the beginning of the file.
//
//   segment   header, record..., zeros
//
//   header    offset  field
//             0       magic
//             8       version
//             12      first      zxid of the first record, as in the file's name
//             20      previous   zxid before it: the end of the previous segment, or 0 at the very
//                                beginning of history
//             28      checksum   of the above
//
//   record    0       checksum   of the rest of the record, seeded with `first` and its own offset
//             8       length     of the payload
//             12      batch      offset where the batch of this record begins; 0 for the batch that
//                                began the segment and wrote its header
//             16      zxid
//             24      payload
//
// Which crash or damage each field survives:
//
//   zeros      are written ahead of the records: one that was never written is told from a damaged
//              one.
//   checksum   a record of which a crash kept only some sectors. Its seed survives bytes that once
//              were a record elsewhere, also when they are now the payload of another.
//   batch      a batch is written only after the one before it is synced. So behind a bad record, a
//              whole one of the same batch may be the whim of a crash, and both were promised to
//              nobody; but a whole one of a later batch proves that synced bytes were lost.
//   previous   a segment that is missing, or was cut off, before this one.
//   zxid       anything that breaks the order in spite of all checksums: two histories mixed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"

namespace zabfs::replication::store {

inline constexpr std::uint32_t segment_version = 1;
inline constexpr std::size_t segment_header_bytes = 36;
inline constexpr std::size_t record_header_bytes = 24;

struct SegmentHeader {
  std::uint32_t version{segment_version};
  Zxid first{};
  Zxid previous{};

  bool operator==(const SegmentHeader&) const = default;
};

Bytes encode(const SegmentHeader& header);

// The header at the beginning of `segment`, of whatever version; nullopt if it is not whole.
std::optional<SegmentHeader> decode_segment_header(ByteView segment);

// Where a batch lies.
struct Placement {
  Zxid segment{};          // its first zxid
  std::uint32_t batch{};   // what its records carry as `batch`
  std::uint32_t offset{};  // of its first record
};

// Appends a record that is complete but for what depends on its place.
void append_record(Bytes& batch, Zxid zxid, ByteView payload);

// Completes the records of a batch, once its place is known.
void seal_batch(std::span<std::uint8_t> batch, const Placement& placement);

struct LogRecord {
  Zxid zxid{};
  ByteView payload{};
  std::uint32_t batch{};
  std::size_t end{};  // offset behind it
};

// The record at `offset` of the segment that begins with `first`; nullopt if none is whole there.
// Safe on any bytes. The payload is a view into `segment`.
std::optional<LogRecord> record_at(ByteView segment, Zxid first, std::size_t offset);

// The first whole record behind `damage` that belongs to a later batch than what stood there.
std::optional<LogRecord> record_of_later_batch(ByteView segment, Zxid first, std::size_t damage);

// True if every byte is zero.
bool is_blank(ByteView bytes);

}  // namespace zabfs::replication::store
