#include "daemon/disk/removed_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

namespace zabfs::daemon::disk {
namespace {

constexpr std::int64_t step_bytes = 256 << 10;

// The kernel grants this lease only if nobody else has the file open (fcntl(2), F_SETLEASE).
bool is_ours_alone(int file) { return ::fcntl(file, F_SETLEASE, F_WRLCK) == 0; }

}  // namespace

void RemovedFiles::add(FileDescriptor file) {
  struct stat found {};
  if (::fstat(file.get(), &found) == 0 && found.st_nlink == 0 && found.st_size > step_bytes &&
      is_ours_alone(file.get())) {
    files_.push_back({.descriptor = std::move(file), .bytes = found.st_size});
  }
}

void RemovedFiles::take_step() {
  RemovedFile& file = files_.back();
  file.bytes = std::max<std::int64_t>(file.bytes - step_bytes, 0);
  if (::ftruncate(file.descriptor.get(), file.bytes) != 0 || file.bytes == 0) {
    files_.pop_back();
  }
}

}  // namespace zabfs::daemon::disk
