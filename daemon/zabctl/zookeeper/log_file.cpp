#include "daemon/zabctl/zookeeper/log_file.hpp"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "replication/model/limits.hpp"

namespace zabfs::daemon::zabctl::zookeeper {

using replication::ByteView;

namespace {

constexpr std::int32_t magic = 0x5a4b4c47;  // "ZKLG"
constexpr std::int32_t known_version = 2;
constexpr std::size_t header_bytes = 16;
constexpr std::size_t record_header_bytes = 12;
constexpr std::uint8_t end_mark = 'B';

std::int64_t number(ByteView bytes) {
  std::uint64_t value = 0;
  for (const auto byte : bytes) {
    value = value << 8 | byte;
  }
  return static_cast<std::int64_t>(value);
}

std::int64_t checksum_of(ByteView bytes) {
  return static_cast<std::int64_t>(
      ::adler32_z(::adler32(0, nullptr, 0), bytes.data(), bytes.size()));
}

// True if a whole record stands somewhere in `bytes`: then what is in front of it is not the part
// of the last one that a crash leaves.
bool holds_record(ByteView bytes) {
  std::size_t checked = 0;
  for (std::size_t at = 0; at + record_header_bytes < bytes.size(); ++at) {
    const auto length = static_cast<std::int32_t>(number(bytes.subspan(at + 8, 4)));
    const ByteView rest = bytes.subspan(at + record_header_bytes);
    const auto body_bytes = static_cast<std::size_t>(std::max(length, 0));
    if (body_bytes == 0 || body_bytes >= rest.size() || rest[body_bytes] != end_mark) {
      continue;
    }
    checked += body_bytes;
    if (checked > replication::limits::zookeeper_value_bytes_max) {
      return false;
    }
    if (checksum_of(rest.first(body_bytes)) == number(bytes.subspan(at, 8))) {
      return true;
    }
  }
  return false;
}

bool is_blank(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

// What stands at `offset` is no record: the end of the log, or damage in it. `taken` is what its
// length claims, as far as it is there.
LogEnd torn_or_damaged(CheckedStream& from, std::uint64_t offset, ByteView taken = {}) {
  if (!holds_record(taken) && from.is_blank_to_the_end()) {
    return LogEnd::torn;
  }
  throw Damaged("is damaged at offset " + std::to_string(offset) +
                ", and more of the log follows: transactions would be lost");
}

}  // namespace

LogEnd read_log(Source source, const RecordVisitor& visit) {
  CheckedStream from(std::move(source));
  const ByteView header = from.take_at_most(header_bytes);
  if (is_blank(header)) {
    // A crash left a file that was never begun.
    return from.is_blank_to_the_end() ? LogEnd::clean : torn_or_damaged(from, 0);
  }
  if (header.size() < header_bytes || number(header.first(4)) != magic) {
    throw Damaged("is no log of ZooKeeper");
  }
  if (const auto version = number(header.subspan(4, 4)); version != known_version) {
    throw Damaged("has format " + std::to_string(version) + ", which this program does not know");
  }
  while (!from.is_at_end()) {
    const std::uint64_t offset = from.offset();
    const ByteView start = from.take_at_most(record_header_bytes);
    if (start.size() < record_header_bytes) {
      return is_blank(start) ? LogEnd::clean : LogEnd::torn;
    }
    const std::int64_t checksum = number(start.first(8));
    const auto length = static_cast<std::int32_t>(number(start.subspan(8)));
    if (length == 0 && checksum == 0) {
      return from.is_blank_to_the_end() ? LogEnd::clean : torn_or_damaged(from, offset);
    }
    if (length <= 0 ||
        static_cast<std::size_t>(length) > replication::limits::zookeeper_value_bytes_max) {
      return torn_or_damaged(from, offset);
    }
    const auto record_bytes = static_cast<std::size_t>(length);
    const ByteView record = from.take_at_most(record_bytes + 1);
    if (record.size() <= record_bytes) {
      return torn_or_damaged(from, offset, record);
    }
    const ByteView body = record.first(record_bytes);
    if (record[record_bytes] != end_mark || checksum != checksum_of(body)) {
      return torn_or_damaged(from, offset, record);
    }
    if (!visit(body)) {
      break;
    }
  }
  return LogEnd::clean;
}

}  // namespace zabfs::daemon::zabctl::zookeeper
