#include "fusefs/continuity/mapping.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>
#include <utility>

namespace zabfs::fusefs::continuity {
namespace {

// Gives all of the first `size` bytes memory, and the file at least that size.
bool allocate(int file, std::size_t size) {
  int failed = 0;
  do {
    failed = ::fallocate(file, 0, 0, static_cast<off_t>(size));
  } while (failed != 0 && errno == EINTR);
  return failed == 0;
}

}  // namespace

Mapping::Mapping(Mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  if (this != &other) {
    clear();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

bool Mapping::extend(int file, std::size_t size) {
  if (size <= size_) {
    return true;
  }
  if (!allocate(file, size)) {
    return false;
  }
  void* mapped = data_ == nullptr
                     ? ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
                     : ::mremap(data_, size_, size, MREMAP_MAYMOVE);
  if (mapped == MAP_FAILED) {
    return false;
  }
  data_ = static_cast<std::uint8_t*>(mapped);
  // At once instead of page by page while somebody waits; where it is refused (Linux before 5.14),
  // page by page it is.
  static_cast<void>(::madvise(data_ + size_, size - size_, MADV_POPULATE_WRITE));
  size_ = size;
  return true;
}

void Mapping::clear() {
  if (data_ != nullptr) {
    ::munmap(data_, size_);
  }
  data_ = nullptr;
  size_ = 0;
}

}  // namespace zabfs::fusefs::continuity
