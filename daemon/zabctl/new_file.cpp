#include "daemon/zabctl/new_file.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "daemon/zabctl/failure.hpp"

namespace zabfs::daemon::zabctl {

using disk::FileDescriptor;
using replication::ByteView;

namespace {

void expect(bool succeeded, const std::string& path, const char* what) {
  if (!succeeded) {
    throw Failure(path + ": cannot " + what + ": " + std::strerror(errno) +
                  ". Remove what was made of its directory before you try again.");
  }
}

void sync_directory(const std::string& path) {
  const FileDescriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  expect(directory.is_open() && ::fsync(directory.get()) == 0, path, "sync the directory");
}

}  // namespace

NewFile::NewFile(std::string directory, const std::string& name)
    : directory_(std::move(directory)),
      path_(directory_ + "/" + name),
      draft_(path_ + ".tmp"),
      file_(::open(draft_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640)) {
  expect(file_.is_open(), draft_, "create it");
}

void NewFile::write(ByteView bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(file_.get(), bytes.data(), bytes.size());
    expect(written >= 0 || errno == EINTR, draft_, "write to it");
    bytes = bytes.subspan(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
}

void NewFile::finish() {
  expect(::fdatasync(file_.get()) == 0, draft_, "sync it");
  // Unlike a rename, a link never replaces anything.
  expect(::link(draft_.c_str(), path_.c_str()) == 0, path_, "give the file its name");
  expect(::unlink(draft_.c_str()) == 0, draft_, "remove it");
  sync_directory(directory_);
}

void check_empty(const std::string& path) {
  std::error_code error;
  const bool is_there = std::filesystem::exists(path, error);
  if (is_there && !std::filesystem::is_directory(path, error)) {
    throw Failure(path + " is no directory.");
  }
  if (is_there && !std::filesystem::is_empty(path, error)) {
    throw Failure(path +
                  " is not empty, and nothing is ever overwritten: move what is in it away, "
                  "or name another directory.");
  }
}

void make_empty_directory(const std::string& path) {
  check_empty(path);
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    throw Failure(path + ": cannot make the directory: " + error.message() + ".");
  }
  const auto parent = std::filesystem::absolute(path).lexically_normal().parent_path();
  sync_directory(parent);
}

}  // namespace zabfs::daemon::zabctl
