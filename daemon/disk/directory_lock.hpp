// One process per data directory: two replicas that write one log would destroy it.
//
// The file `lock` in the directory is held with flock for as long as this object lives, so the
// kernel releases it whatever way the process ends. The file stays; it holds the number of the
// process that has it, or had it last.
#pragma once

#include <string>
#include <variant>

#include "daemon/disk/file_descriptor.hpp"

namespace zabfs::daemon::disk {

class DirectoryLock {
 public:
  // Takes the lock of an existing directory, or says why not.
  static std::variant<DirectoryLock, std::string> acquire(const std::string& directory);

 private:
  explicit DirectoryLock(FileDescriptor file) : file_(std::move(file)) {}

  FileDescriptor file_;
};

}  // namespace zabfs::daemon::disk
