#include "daemon/zabctl/read_only_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <utility>

#include "daemon/config_value.hpp"
#include "daemon/disk/file_descriptor.hpp"
#include "replication/model/check.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::daemon::zabctl {

using disk::FileDescriptor;
using replication::Bytes;
using replication::FileName;

namespace {

constexpr std::uint64_t piece_bytes = 64UL << 10;

[[noreturn]] void fail(const std::string& path, const char* what, int error) {
  const std::string sentence = path + ": cannot " + what + ": " + std::strerror(error) + ".";
  if (error == ENOENT) {
    throw Vanished(sentence);
  }
  throw Failure(sentence);
}

void check_directory(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    throw Failure(path + (error || !std::filesystem::exists(path) ? ": there is no such directory."
                                                                  : " is no directory."));
  }
}

void add_files(const std::string& path, std::vector<FileName>& files) {
  std::error_code error;
  for (std::filesystem::directory_iterator it(path, error), end; !error && it != end;
       it.increment(error)) {
    if (std::error_code ignored; it->is_regular_file(ignored)) {
      files.push_back(it->path().filename());
    }
  }
  if (error) {
    fail(path, "list it", error.value());
  }
}

FileDescriptor opened(const std::string& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    fail(path, "open it", errno);
  }
  return file;
}

std::uint64_t size_of(const FileDescriptor& file, const std::string& path) {
  struct stat found {};
  if (::fstat(file.get(), &found) != 0) {
    fail(path, "look at its size", errno);
  }
  return static_cast<std::uint64_t>(found.st_size);
}

void read_piece(const FileDescriptor& file, const std::string& path, std::span<std::uint8_t> to,
                std::uint64_t offset) {
  while (!to.empty()) {
    const auto got = ::pread(file.get(), to.data(), to.size(), static_cast<off_t>(offset));
    if (got < 0 && errno != EINTR) {
      fail(path, "read it", errno);
    }
    if (got == 0) {
      throw Vanished(path + " became shorter while it was read.");
    }
    const auto advanced = got > 0 ? static_cast<std::size_t>(got) : 0;
    to = to.subspan(advanced);
    offset += advanced;
  }
}

Bytes read_backwards(const std::string& path, std::uint64_t offset, std::uint64_t length) {
  const FileDescriptor file = opened(path);
  const std::uint64_t size = size_of(file, path);
  Bytes bytes(offset >= size ? 0 : std::min(length, size - offset));
  for (std::uint64_t end = bytes.size(); end > 0;) {
    const std::uint64_t begin = (end - 1) / piece_bytes * piece_bytes;
    read_piece(file, path, std::span(bytes).subspan(begin, end - begin), offset + begin);
    end = begin;
  }
  return bytes;
}

}  // namespace

ReadOnlyDirectory::ReadOnlyDirectory(std::string data, std::string log)
    : data_(std::move(data)), log_(log.empty() ? data_ : std::move(log)) {
  check_directory(data_);
  check_directory(log_);
}

std::vector<FileName> ReadOnlyDirectory::list() const {
  std::vector<FileName> files;
  add_files(data_, files);
  if (log_ != data_) {
    add_files(log_, files);
  }
  std::ranges::sort(files);
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

std::string ReadOnlyDirectory::path_of(const FileName& file) const {
  return (file.starts_with("log.") ? log_ : data_) + "/" + file;
}

std::uint64_t ReadOnlyDirectory::size(const FileName& file) const {
  const std::string path = path_of(file);
  return size_of(opened(path), path);
}

Bytes ReadOnlyDirectory::read(const FileName& file, std::uint64_t offset,
                              std::uint64_t length) const {
  return read_backwards(path_of(file), offset, length);
}

void ReadOnlyDirectory::submit(std::vector<replication::DiskJob> /*jobs*/,
                               replication::Ticket /*ticket*/) {
  CHECK(false, "nothing is written to a directory that is only looked at");
}

// Asks for the lock and gives it back at once. A server that starts in just that moment is told
// that the directory is in use, and has to be started again.
bool ReadOnlyDirectory::is_in_use() const {
  const FileDescriptor file(::open((data_ + "/lock").c_str(), O_RDONLY | O_CLOEXEC));
  return file.is_open() && ::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

std::optional<std::int64_t> ReadOnlyDirectory::server_id() const {
  try {
    const Bytes bytes = bytes_of_file(data_ + "/myid");
    std::string_view text = replication::text_of(bytes);
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
      text.remove_suffix(1);
    }
    return number_in(trimmed(text), {1, replication::limits::server_id_max});
  } catch (const Failure&) {
    return std::nullopt;
  }
}

Bytes bytes_of_file(const std::string& path) {
  const FileDescriptor file = opened(path);
  return read_backwards(path, 0, size_of(file, path));
}

}  // namespace zabfs::daemon::zabctl
