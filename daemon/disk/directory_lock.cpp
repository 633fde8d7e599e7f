#include "daemon/disk/directory_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "daemon/disk/io_error.hpp"

namespace zabfs::daemon::disk {
namespace {

// The process that wrote its number into the file, as digits; empty if there is none.
std::string owner_of(int file) {
  std::array<char, 20> text{};
  const auto length = ::pread(file, text.data(), text.size(), 0);
  const std::string_view read(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  return std::string(read.substr(0, read.find_first_not_of("0123456789")));
}

}  // namespace

std::variant<DirectoryLock, std::string> DirectoryLock::acquire(const std::string& directory) {
  const std::string path = directory + "/lock";
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (!file.is_open()) {
    return sentence({path, "open", errno});
  }
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return sentence({path, "lock", errno});
    }
    const std::string owner = owner_of(file.get());
    return "the data directory " + directory + " is in use by " +
           (owner.empty() ? "another process" : "process " + owner) +
           " (stop that one first, or give this one a dataDir of its own)";
  }
  const std::string number = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file.get(), 0) != 0 || ::pwrite(file.get(), number.data(), number.size(), 0) !=
                                             static_cast<ssize_t>(number.size())) {
    return sentence({path, "write", errno});
  }
  return DirectoryLock(std::move(file));
}

}  // namespace zabfs::daemon::disk
