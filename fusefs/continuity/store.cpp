#include "fusefs/continuity/store.hpp"

#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <atomic>
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
  std::uint64_t end{};  // of the last group; changes with each

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

GroupHead head_of(ByteView group, std::uint64_t generation) {
  return {.size = static_cast<std::uint32_t>(group.size()), .checksum = sum_of(group, generation)};
}

// Whether a file that ends at `end` may have this group too.
bool fits(ByteView group, std::uint64_t end) {
  return !group.empty() &&
         group.size() <= limits::ledger_bytes_max - std::min(end, limits::ledger_bytes_max);
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
  const std::uint64_t end = headers[current_].end;
  if (end < sizeof(Header) || end > size_of(current())) {
    return Found::damaged;
  }
  Bytes bytes;
  for (end_ = sizeof(Header); end_ < end;) {
    GroupHead head;
    if (end - end_ < sizeof(head)) {
      return Found::damaged;
    }
    if (!read_exactly(current(), &head, sizeof(head), end_)) {
      return Found::unreadable;
    }
    if (head.size == 0 || head.size > end - end_ - sizeof(head)) {
      return Found::damaged;
    }
    bytes.resize(head.size);
    if (!read_exactly(current(), bytes.data(), bytes.size(), end_ + sizeof(head))) {
      return Found::unreadable;
    }
    if (head.checksum != sum_of(bytes, generation_)) {
      return Found::damaged;
    }
    group(bytes);
    end_ += sizeof(head) + head.size;
  }
  return Found::whole;
}

// That the first `end` bytes of the current file are mapped.
bool Store::make_room(std::uint64_t end) {
  if (end <= mapped_.size()) {
    return true;
  }
  constexpr std::uint64_t step = limits::ledger_step_bytes;
  return mapped_.extend(current(), (end + step - 1) / step * step);
}

bool Store::append(ByteView group) {
  if (generation_ == 0) {
    return replace(group);
  }
  if (!fits(group, end_) || !make_room(end_ + sizeof(GroupHead) + group.size())) {
    return false;
  }
  const GroupHead head = head_of(group, generation_);
  std::uint8_t* to = mapped_.data() + end_;
  std::memcpy(to, &head, sizeof(head));
  std::memcpy(to + sizeof(head), group.data(), group.size());
  end_ += sizeof(head) + group.size();
  // Not before its bytes, for whoever looks after this process was killed.
  static_assert(offsetof(Header, end) % std::atomic_ref<std::uint64_t>::required_alignment == 0);
  auto* end = static_cast<void*>(mapped_.data() + offsetof(Header, end));
  std::atomic_ref(*static_cast<std::uint64_t*>(end)).store(end_, std::memory_order_release);
  return true;
}

// A file with this group alone, its header last.
bool Store::write_whole(int file, ByteView group) const {
  if (!fits(group, sizeof(Header))) {
    return false;
  }
  GroupHead head = head_of(group, generation_);
  Header header{.magic = magic,
                .version = ledger_version,
                .generation = generation_,
                .end = sizeof(Header) + sizeof(GroupHead) + group.size()};
  header.checksum = header.sum();
  return ::ftruncate(file, 0) == 0 &&
         write_exactly(file,
                       {iovec{&head, sizeof(head)},
                        iovec{const_cast<std::uint8_t*>(group.data()), group.size()}},
                       sizeof(header)) &&
         write_exactly(file, {iovec{&header, sizeof(header)}, iovec{nullptr, 0}}, 0);
}

bool Store::replace(ByteView group) {
  const std::size_t next = 1 - current_;
  ++generation_;
  if (!write_whole(files_[next], group)) {
    static_cast<void>(::ftruncate(files_[next], 0));
    --generation_;
    return false;
  }
  mapped_.clear();
  static_cast<void>(::ftruncate(current(), 0));
  current_ = next;
  end_ = sizeof(Header) + sizeof(GroupHead) + group.size();
  return true;
}

void Store::clear() {
  mapped_.clear();
  for (const int file : files_) {
    static_cast<void>(::ftruncate(file, 0));
  }
  generation_ = 0;
  end_ = 0;
}

}  // namespace zabfs::fusefs::continuity
