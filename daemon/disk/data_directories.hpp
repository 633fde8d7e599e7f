// The two directories of a replica, open and locked: where its files are.
//
//   log      the transaction log: log.*
//   data     everything else: snapshots, epochs, the lock
//
// They may be one and the same. A log beside the data although another directory was given for it
// (or the reverse) means that the configuration has changed without the files: going on would
// forget history, so it is refused.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "daemon/disk/directory_lock.hpp"
#include "daemon/disk/file_descriptor.hpp"

namespace zabfs::daemon::disk {

class DataDirectories {
 public:
  // Opens and locks both, and makes what is missing; or says why that cannot be.
  static std::variant<DataDirectories, std::string> open(const std::string& data,
                                                         const std::string& log);

  // The directory that `file` belongs into: its descriptor, and the path of the file for messages.
  int descriptor_of(const std::string& file) const;
  std::string path_of(const std::string& file) const;

  // Both descriptors; one if they are the same directory.
  std::vector<int> descriptors() const;

  // The regular files of both, sorted by name.
  std::vector<std::string> files() const;

 private:
  struct Directory {
    std::string path{};
    FileDescriptor descriptor{};
    DirectoryLock lock;
  };

  explicit DataDirectories(std::vector<Directory> directories)
      : directories_(std::move(directories)) {}

  static std::variant<Directory, std::string> open_one(const std::string& path);
  const Directory& directory_of(const std::string& file) const;
  std::string misplaced_file() const;

  std::vector<Directory> directories_;  // of the data; then of the log, if it has its own
};

}  // namespace zabfs::daemon::disk
