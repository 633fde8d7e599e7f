// The few files that are being written stay open: opening one costs as much as writing to it.
//
// At most `open_max` descriptors, the least recently used goes first. A name that is renamed or
// removed must be forgotten here.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "daemon/disk/file_descriptor.hpp"
#include "replication/ports/disk.hpp"

namespace zabfs::daemon::disk {

class OpenFiles {
 public:
  static constexpr std::size_t open_max = 8;

  // The descriptor of `file`; -1 if it is not open.
  int find(std::string_view file) {
    const auto found = std::ranges::find(files_, file, &OpenFile::name);
    if (found == files_.end()) {
      return -1;
    }
    std::rotate(found, found + 1, files_.end());
    return files_.back().descriptor.get();
  }

  int add(const replication::FileName& file, FileDescriptor descriptor) {
    if (files_.size() == open_max) {
      files_.erase(files_.begin());
    }
    files_.push_back({.name = file, .descriptor = std::move(descriptor)});
    return files_.back().descriptor.get();
  }

  void forget(std::string_view file) {
    std::erase_if(files_, [&](const OpenFile& open) { return open.name == file; });
  }

 private:
  struct OpenFile {
    replication::FileName name{};
    FileDescriptor descriptor{};
  };

  std::vector<OpenFile> files_;  // most recently used last
};

}  // namespace zabfs::daemon::disk
