#include "daemon/zabctl/zookeeper/checked_stream.hpp"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "replication/model/limits.hpp"

namespace zabfs::daemon::zabctl::zookeeper {

using replication::ByteView;

namespace {

constexpr std::size_t buffer_bytes = 256UL << 10;

}  // namespace

Source source_of_file(const std::string& path) {
  errno = 0;
  const std::shared_ptr<gzFile_s> file(::gzopen(path.c_str(), "rb"), [](gzFile_s* opened) {
    if (opened != nullptr) {
      ::gzclose(opened);
    }
  });
  if (!file) {
    throw Damaged(std::string("cannot be opened: ") + std::strerror(errno));
  }
  ::gzbuffer(file.get(), buffer_bytes);
  return [file](std::span<std::uint8_t> to) {
    const int got = ::gzread(file.get(), to.data(), static_cast<unsigned>(to.size()));
    int error = Z_OK;
    const char* why = ::gzerror(file.get(), &error);
    if (got < 0 || error == Z_BUF_ERROR) {
      throw Damaged(std::string("cannot be read: ") +
                    (error == Z_ERRNO ? std::strerror(errno) : why));
    }
    return static_cast<std::size_t>(got);
  };
}

Source source_of_bytes(ByteView bytes) {
  return [bytes](std::span<std::uint8_t> to) mutable {
    const std::size_t size = std::min(to.size(), bytes.size());
    std::copy_n(bytes.begin(), size, to.begin());
    bytes = bytes.subspan(size);
    return size;
  };
}

CheckedStream::CheckedStream(Source source)
    : source_(std::move(source)),
      buffer_(buffer_bytes),
      checksum_(static_cast<std::uint32_t>(::adler32(0, nullptr, 0))) {}

bool CheckedStream::fill() {
  if (begin_ == end_) {
    begin_ = 0;
    end_ = source_(buffer_);
  }
  return begin_ < end_;
}

bool CheckedStream::is_at_end() { return !fill(); }

bool CheckedStream::is_blank_to_the_end() {
  bool is_blank = true;
  while (is_blank && fill()) {
    const std::uint8_t* first = buffer_.data() + begin_;
    const std::size_t size = end_ - begin_;
    is_blank = *first == 0 && std::memcmp(first, first + 1, size - 1) == 0;
    offset_ += size;
    begin_ = end_;
  }
  return is_blank;
}

ByteView CheckedStream::take_at_most(std::size_t size) {
  taken_.clear();
  while (taken_.size() < size && fill()) {
    const std::size_t piece = std::min(size - taken_.size(), end_ - begin_);
    const auto from = buffer_.begin() + static_cast<std::ptrdiff_t>(begin_);
    taken_.insert(taken_.end(), from, from + static_cast<std::ptrdiff_t>(piece));
    begin_ += piece;
  }
  offset_ += taken_.size();
  checksum_ = static_cast<std::uint32_t>(::adler32_z(checksum_, taken_.data(), taken_.size()));
  return taken_;
}

ByteView CheckedStream::take(std::size_t size) {
  const ByteView taken = take_at_most(size);
  if (taken.size() < size) {
    throw Damaged("ends too early, after " + std::to_string(offset_) + " bytes");
  }
  return taken;
}

std::optional<ByteView> CheckedStream::counted() {
  const auto count = integer<std::int32_t>();
  if (count == -1) {
    return std::nullopt;
  }
  if (count < 0 ||
      static_cast<std::size_t>(count) > replication::limits::zookeeper_value_bytes_max) {
    throw Damaged("says at offset " + std::to_string(offset_ - sizeof count) + " that " +
                  std::to_string(count) + " bytes follow, which cannot be");
  }
  return take(static_cast<std::size_t>(count));
}

std::string CheckedStream::string() {
  const auto bytes = counted();
  return bytes ? std::string(replication::text_of(*bytes)) : std::string();
}

}  // namespace zabfs::daemon::zabctl::zookeeper
