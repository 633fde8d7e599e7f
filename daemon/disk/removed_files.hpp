// Files that have lost their name, while their blocks are given back to the file system.
//
// Giving back a large file at once can take a tenth of a second (a snapshot of 160 MB, on ext4 that
// tells the device of every free block), and every sync on that disk waits for it. So it is done in
// steps, between the jobs.
//
// A file that somebody else still reads, or knows by another name, is left to him as it is: the
// backup of a snapshot may take its time.
#pragma once

#include <cstdint>
#include <vector>

#include "daemon/disk/file_descriptor.hpp"

namespace zabfs::daemon::disk {

class RemovedFiles {
 public:
  // `file` is open for writing, and its name was just removed.
  void add(FileDescriptor file);

  bool is_empty() const { return files_.empty(); }

  // Gives back a little; not when it is empty. Every error is the file system's to clear up: the
  // kernel gives back what is left when the file is closed.
  void take_step();

 private:
  struct RemovedFile {
    FileDescriptor descriptor{};
    std::int64_t bytes{};
  };

  std::vector<RemovedFile> files_;
};

}  // namespace zabfs::daemon::disk
