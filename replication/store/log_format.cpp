#include "replication/store/log_format.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "replication/model/check.hpp"
#include "replication/model/limits.hpp"
#include "replication/store/checksum.hpp"

namespace zabfs::replication::store {
namespace {

constexpr std::uint64_t magic = 0x7a61626673'6c6f67U;  // "zabfslog"

constexpr std::size_t length_at = 8;
constexpr std::size_t batch_at = 12;
constexpr std::size_t kind_at = 16;
constexpr std::size_t zxid_at = 20;
constexpr std::size_t committed_at = 28;

struct Header {
  std::uint64_t magic{};
  std::uint32_t version{};
  SegmentId id{};
  Zxid previous{};
  Zxid committed{};

  static auto fields(auto& h) {
    return std::tie(h.magic, h.version, h.id, h.previous, h.committed);
  }
};

template <class T>
void put(std::span<std::uint8_t> record, std::size_t at, T value) {
  for (std::size_t i = sizeof(T); i-- > 0; value = static_cast<T>(std::uint64_t{value} >> 8)) {
    record[at + i] = static_cast<std::uint8_t>(value);
  }
}

template <class T>
T get(ByteView record, std::size_t at) {
  std::uint64_t value = 0;
  for (const auto byte : record.subspan(at, sizeof(T))) {
    value = value << 8 | byte;
  }
  return static_cast<T>(value);
}

// `record` is whole in length.
std::uint64_t checksum_of(ByteView record, const SegmentId& segment, std::size_t offset) {
  std::array<std::uint8_t, 20> place{};
  put(place, 0, segment.generation.value);
  put(place, 4, segment.first);
  put(place, 12, std::uint64_t{offset});
  return checksum(record.subspan(length_at), checksum(place, 0));
}

}  // namespace

Bytes encode(const SegmentHeader& header) {
  return with_checksum(Header{magic, header.version, header.id, header.previous, header.committed},
                       0);
}

std::optional<SegmentHeader> decode_segment_header(ByteView segment) {
  const auto header = checked<Header>(segment, 0);
  if (!header || header->magic != magic) {
    return std::nullopt;
  }
  return SegmentHeader{header->version, header->id, header->previous, header->committed};
}

void append_record(Bytes& batch, const LogEntry& entry) {
  const ByteView payload = entry.payload;
  CHECK(payload.size() <= limits::log_record_bytes_max, "payload ", payload.size());
  const auto at = batch.size();
  batch.resize(at + record_header_bytes);
  const auto header = std::span(batch).subspan(at);
  put(header, length_at, static_cast<std::uint32_t>(payload.size()));
  put(header, kind_at, static_cast<std::uint32_t>(entry.kind));
  put(header, zxid_at, entry.zxid.value);
  put(header, committed_at, entry.committed.value);
  batch.insert(batch.end(), payload.begin(), payload.end());
}

void seal_batch(std::span<std::uint8_t> batch, const Placement& placement) {
  std::size_t offset = placement.offset;
  while (!batch.empty()) {
    const auto record = batch.first(record_header_bytes + get<std::uint32_t>(batch, length_at));
    put(record, batch_at, placement.batch);
    put(record, 0, checksum_of(record, placement.segment, offset));
    offset += record.size();
    batch = batch.subspan(record.size());
  }
}

std::optional<LogRecord> record_at(ByteView segment, const SegmentId& id, std::size_t offset) {
  const ByteView rest = segment.subspan(std::min(offset, segment.size()));
  if (rest.size() < record_header_bytes) {
    return std::nullopt;
  }
  const std::size_t length = get<std::uint32_t>(rest, length_at);
  if (length > rest.size() - record_header_bytes) {
    return std::nullopt;
  }
  const ByteView record = rest.first(record_header_bytes + length);
  if (get<std::uint64_t>(record, 0) != checksum_of(record, id, offset)) {
    return std::nullopt;
  }
  return LogRecord{.entry = {.kind = RecordKind{get<std::uint32_t>(record, kind_at)},
                             .zxid = {get<std::uint64_t>(record, zxid_at)},
                             .committed = {get<std::uint64_t>(record, committed_at)},
                             .payload = record.subspan(record_header_bytes)},
                   .batch = get<std::uint32_t>(record, batch_at),
                   .end = offset + record.size()};
}

std::optional<LogRecord> record_of_later_batch(ByteView segment, const SegmentId& id,
                                               std::size_t damage) {
  for (std::size_t offset = damage + 1; offset + record_header_bytes <= segment.size(); ++offset) {
    // Cheap to ask, and hardly ever true of bytes that are not a record.
    const auto batch = get<std::uint32_t>(segment.subspan(offset), batch_at);
    if (batch <= damage || batch > offset) {
      continue;
    }
    if (const auto record = record_at(segment, id, offset)) {
      return record;
    }
  }
  return std::nullopt;
}

bool is_blank(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace zabfs::replication::store
