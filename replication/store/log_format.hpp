// The bytes of a log segment. Integers are big-endian; offsets are from the beginning of the file.
//
//   segment   header, record..., zeros
//
//   header    offset  field
//             0       magic
//             8       version
//             12      generation
//             16      first      how many records of the log stand before this segment; both as in
//                                the file's name
//             24      previous   zxid at which the log ended before this segment: 0 at the very
//                                beginning of history
//             32      committed  zxid up to which that was known to be committed
//             40      checksum   of the above
//
//   record    0       checksum   of the rest of the record, seeded with `generation`, `first` and
//   its
//                                own offset
//             8       length     of the payload
//             12      batch      offset where the batch of this record begins; 0 for the batch that
//                                began the segment and wrote its header
//             16      kind       1: a transaction; 2: a truncation, which has no payload
//             20      zxid       of the transaction; or the last one that a truncation leaves
//             28      committed  zxid up to which the log was known to be committed
//             36      payload
//
// A truncation takes back what a leader of the past had proposed and nobody committed. It is a
// record like any other: nothing is cut or removed, so a crash leaves the history before it or the
// one behind it.
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
//   first      a segment that is missing, or was cut off, before this one.
//   previous   the same, where the segment before this one need not be read.
//   zxid       anything that breaks the order in spite of all checksums: two histories mixed.
//   committed  the crash before whatever is behind it was committed: that may have to be taken
//   back,
//              and everything up to it never.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "replication/store/layout.hpp"

namespace zabfs::replication::store {

inline constexpr std::uint32_t segment_version = 2;
inline constexpr std::size_t segment_header_bytes = 48;
inline constexpr std::size_t record_header_bytes = 36;

struct SegmentHeader {
  std::uint32_t version{segment_version};
  SegmentId id{};
  Zxid previous{};
  Zxid committed{};

  bool operator==(const SegmentHeader&) const = default;
};

Bytes encode(const SegmentHeader& header);

// The header at the beginning of `segment`, of whatever version; nullopt if it is not whole.
std::optional<SegmentHeader> decode_segment_header(ByteView segment);

// Where a batch lies.
struct Placement {
  SegmentId segment{};
  std::uint32_t batch{};   // what its records carry as `batch`
  std::uint32_t offset{};  // of its first record
};

enum class RecordKind : std::uint32_t { transaction = 1, truncation = 2 };

// What a record says.
struct LogEntry {
  RecordKind kind{RecordKind::transaction};
  Zxid zxid{};
  Zxid committed{};
  ByteView payload{};
};

// Appends a record that is complete but for what depends on its place.
void append_record(Bytes& batch, const LogEntry& entry);

// Completes the records of a batch, once its place is known.
void seal_batch(std::span<std::uint8_t> batch, const Placement& placement);

struct LogRecord {
  LogEntry entry{};
  std::uint32_t batch{};
  std::size_t end{};  // offset behind it
};

// The record at `offset` of the segment `id`; nullopt if none is whole there. Safe on any bytes, so
// its kind may be none of the known. The payload is a view into `segment`.
std::optional<LogRecord> record_at(ByteView segment, const SegmentId& id, std::size_t offset);

// The first whole record behind `damage` that belongs to a later batch than what stood there.
std::optional<LogRecord> record_of_later_batch(ByteView segment, const SegmentId& id,
                                               std::size_t damage);

// True if every byte is zero.
bool is_blank(ByteView bytes);

}  // namespace zabfs::replication::store
