// Jute from a file that is too large to be held, with the checksum (Adler-32) of what was read so
// far.
//
// Safe on any bytes: memory grows with what is really there, never with what a length claims.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "daemon/zabctl/zookeeper/damaged.hpp"
#include "replication/model/bytes.hpp"

namespace zabfs::daemon::zabctl::zookeeper {

// Fills the beginning of the span and says how much; 0 at the end.
using Source = std::function<std::size_t(std::span<std::uint8_t>)>;

// The contents of a file, decompressed if it is gzip's. Throws Damaged if it cannot be opened; the
// source throws it if it cannot be read on.
Source source_of_file(const std::string& path);

// For tests: bytes that must outlive the source.
Source source_of_bytes(replication::ByteView bytes);

class CheckedStream {
 public:
  explicit CheckedStream(Source source);

  // True if nothing follows.
  bool is_at_end();

  // Everything up to here.
  std::uint64_t offset() const { return offset_; }
  std::uint32_t checksum() const { return checksum_; }

  // Reads to the end; true if there were only zeros. Logs have many of them, so this is quick, and
  // does not count for the checksum.
  bool is_blank_to_the_end();

  // Exactly `size` bytes, good until the next call. Throws Damaged if there are fewer.
  replication::ByteView take(std::size_t size);

  // At most `size` bytes; fewer at the end only.
  replication::ByteView take_at_most(std::size_t size);

  template <std::integral T>
  T integer() {
    std::uint64_t value = 0;
    for (const auto byte : take(sizeof(T))) {
      value = value << 8 | byte;
    }
    return static_cast<T>(value);
  }

  // A counted run of bytes, good until the next call; nothing for null.
  std::optional<replication::ByteView> counted();

  // A string; a null one is empty.
  std::string string();

 private:
  bool fill();

  Source source_;
  replication::Bytes buffer_;
  std::size_t begin_{};  // of what is not taken yet, in buffer_
  std::size_t end_{};
  replication::Bytes taken_{};
  std::uint64_t offset_{};
  std::uint32_t checksum_;
};

}  // namespace zabfs::daemon::zabctl::zookeeper
