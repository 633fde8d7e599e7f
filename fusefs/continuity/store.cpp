#include "fusefs/continuity/store.hpp"

#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "fusefs/continuity/limits.hpp"
#include "fusefs/continuity/records.hpp"

namespace zabfs::fusefs::continuity {

using replication::Bytes;
using replication::ByteView;

// Both ends are programs of one machine, so numbers lie as they do in memory.
struct Store::Header {
  std::uint64_t magic{};
  std::uint64_t version{};
  std::uint64_t generation{};
  std::uint64_t checksum{};

  std::uint64_t sum() const { return XXH3_64bits(this, offsetof(Header, checksum)); }
};

namespace {

constexpr std::uint64_t magic = 0x7a61'6266'7320'6c67;  // "zabfs lg"

struct GroupHead {
  std::uint32_t size{};
  std::uint32_t unused{};
  std::uint64_t checksum{};
};

std::uint64_t sum_of(ByteView group, std::uint64_t generation) {
  return XXH3_64bits_withSeed(group.data(), group.size(), generation);
}

// False at the end of the file, and if the system refuses.
bool read_exactly(int file, void* to, std::size_t size, std::uint64_t at) {
  auto* bytes = static_cast<std::uint8_t*>(to);
  for (std::size_t done = 0; done < size;) {
    const ssize_t got = ::pread(file, bytes + done, size - done, static_cast<off_t>(at + done));
    if (got <= 0 && !(got < 0 && errno == EINTR)) {
      return false;
    }
    done += static_cast<std::size_t>(std::max<ssize_t>(got, 0));
  }
  return true;
}

bool write_exactly(int file, std::array<iovec, 2> parts, std::uint64_t at) {
  const std::size_t size = parts[0].iov_len + parts[1].iov_len;
  ssize_t done = 0;
  do {
    done = ::pwritev(file, parts.data(), parts.size(), static_cast<off_t>(at));
  } while (done < 0 && errno == EINTR);
  return done == static_cast<ssize_t>(size);
}

std::uint64_t size_of(int file) {
  struct stat values {};
  return ::fstat(file, &values) == 0 ? static_cast<std::uint64_t>(values.st_size) : 0;
}

}  // namespace

Store::Found Store::header_of(int file, Header& header) const {
  if (size_of(file) < sizeof(Header)) {
    return Found::nothing;
  }
  if (!read_exactly(file, &header, sizeof(header), 0)) {
    return Found::unreadable;
  }
  if (header.magic == 0) {
    return Found::nothing;  // Its writing was interrupted.
  }
  if (header.magic != magic || header.checksum != header.sum()) {
    return Found::damaged;
  }
  return header.version == ledger_version ? Found::whole : Found::other_version;
}

Store::Found Store::read(const std::function<void(ByteView)>& group) {
  std::array<Header, 2> headers{};
  std::array<Found, 2> found{};
  for (std::size_t i = 0; i < 2; ++i) {
    found[i] = header_of(files_[i], headers[i]);
  }
  const bool second = found[1] != Found::nothing &&
                      (found[0] == Found::nothing || headers[1].generation > headers[0].generation);
  current_ = second ? 1 : 0;
  if (found[current_] != Found::whole) {
    return found[current_];
  }
  generation_ = headers[current_].generation;
  const std::uint64_t size = size_of(current());
  Bytes bytes;
  for (end_ = sizeof(Header); size - end_ >= sizeof(GroupHead);) {
    GroupHead head;
    if (!read_exactly(current(), &head, sizeof(head), end_)) {
      return Found::unreadable;
    }
    if (head.size > size - end_ - sizeof(head)) {
      break;
    }
    bytes.resize(head.size);
    if (!read_exactly(current(), bytes.data(), bytes.size(), end_ + sizeof(head))) {
      return Found::unreadable;
    }
    if (head.size == 0 || head.checksum != sum_of(bytes, generation_)) {
      return Found::damaged;
    }
    group(bytes);
    end_ += sizeof(head) + head.size;
  }
  static_cast<void>(::ftruncate(current(), static_cast<off_t>(end_)));
  return Found::whole;
}

bool Store::write_group(int file, std::uint64_t at, ByteView group) const {
  if (group.empty() ||
      group.size() > limits::ledger_bytes_max - std::min(at, limits::ledger_bytes_max)) {
    return false;
  }
  GroupHead head{.size = static_cast<std::uint32_t>(group.size()),
                 .checksum = sum_of(group, generation_)};
  return write_exactly(
      file,
      {iovec{&head, sizeof(head)}, iovec{const_cast<std::uint8_t*>(group.data()), group.size()}},
      at);
}

bool Store::append(ByteView group) {
  if (generation_ == 0) {
    return replace(group);
  }
  if (!write_group(current(), end_, group)) {
    static_cast<void>(::ftruncate(current(), static_cast<off_t>(end_)));
    return false;
  }
  end_ += sizeof(GroupHead) + group.size();
  return true;
}

bool Store::replace(ByteView group) {
  const std::size_t next = 1 - current_;
  const int file = files_[next];
  ++generation_;
  Header header{.magic = magic, .version = ledger_version, .generation = generation_};
  header.checksum = header.sum();
  const bool is_written =
      ::ftruncate(file, 0) == 0 && write_group(file, sizeof(header), group) &&
      write_exactly(file, {iovec{&header, sizeof(header)}, iovec{nullptr, 0}}, 0);
  if (!is_written) {
    static_cast<void>(::ftruncate(file, 0));
    --generation_;
    return false;
  }
  static_cast<void>(::ftruncate(current(), 0));
  current_ = next;
  end_ = sizeof(header) + sizeof(GroupHead) + group.size();
  return true;
}

void Store::clear() {
  for (const int file : files_) {
    static_cast<void>(::ftruncate(file, 0));
  }
  generation_ = 0;
  end_ = 0;
}

}  // namespace zabfs::fusefs::continuity
