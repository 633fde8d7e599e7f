// A file that gets its name when it is whole and durable; until then it is called `name`.tmp.
#pragma once

#include <string>

#include "daemon/disk/file_descriptor.hpp"
#include "replication/model/bytes.hpp"

namespace zabfs::daemon::zabctl {

class NewFile {
 public:
  // Throws Failure if there is such a draft, likewise everything else that cannot be done.
  NewFile(std::string directory, const std::string& name);

  void write(replication::ByteView bytes);

  // Throws Failure if there is a file of that name.
  void finish();

 private:
  std::string directory_;
  std::string path_;
  std::string draft_;
  disk::FileDescriptor file_;
};

// Makes the directory, and those above it. Throws Failure if it cannot, or if anything is in it.
void make_empty_directory(const std::string& path);

// Throws Failure if the path is something else than an empty directory, or nothing.
void check_empty(const std::string& path);

}  // namespace zabfs::daemon::zabctl
