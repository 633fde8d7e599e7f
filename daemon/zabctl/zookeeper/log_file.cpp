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

bool is_blank(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

// What stands at `offset` is no record: the end of the log, or damage in it.
LogEnd torn_or_damaged(CheckedStream& from, std::uint64_t offset) {
  if (from.is_blank_to_the_end()) {
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
      return LogEnd::torn;
    }
    const ByteView body = record.first(record_bytes);
    const auto actual = ::adler32_z(::adler32(0, nullptr, 0), body.data(), body.size());
    if (record[record_bytes] != end_mark || checksum != static_cast<std::int64_t>(actual)) {
      return torn_or_damaged(from, offset);
    }
    if (!visit(body)) {
      break;
    }
  }
  return LogEnd::clean;
}

}  // namespace zabfs::daemon::zabctl::zookeeper
