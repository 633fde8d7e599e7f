#include "daemon/disk/posix_disk.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "daemon/disk/io_error.hpp"
#include "replication/model/check.hpp"

namespace zabfs::daemon::disk {

using replication::Bytes;
using replication::ByteView;
using replication::FileName;
using replication::Ticket;

namespace {

constexpr std::size_t zeros_bytes = 1UL << 20;
constexpr std::size_t sync_times_max = 100'000;  // that wait to be asked for

}  // namespace

PosixDisk::PosixDisk(DataDirectories directories, OnDone on_done)
    : directories_(std::move(directories)), on_done_(std::move(on_done)) {
  CHECK(::sem_init(&changed_, 0, 0) == 0);
  thread_ = std::thread([this] { run(); });
}

PosixDisk::~PosixDisk() {
  finish();
  ::sem_destroy(&changed_);
}

void PosixDisk::expect(bool succeeded, const char* operation, const FileName& file) const {
  if (!succeeded) {
    end_process({directories_.path_of(file), operation, errno});
  }
}

std::vector<FileName> PosixDisk::list() const { return directories_.files(); }

std::uint64_t PosixDisk::size(const FileName& file) const {
  struct stat found {};
  expect(::fstatat(directories_.descriptor_of(file), file.c_str(), &found, 0) == 0,
         "look at the size of", file);
  return static_cast<std::uint64_t>(found.st_size);
}

Bytes PosixDisk::read(const FileName& file, std::uint64_t offset, std::uint64_t length) const {
  const FileDescriptor source(
      ::openat(directories_.descriptor_of(file), file.c_str(), O_RDONLY | O_CLOEXEC));
  expect(source.is_open(), "open", file);
  const std::uint64_t bytes = size(file);
  Bytes read(offset >= bytes ? 0 : std::min(length, bytes - offset));
  for (std::size_t done = 0; done < read.size();) {
    const auto got = ::pread(source.get(), read.data() + done, read.size() - done,
                             static_cast<off_t>(offset + done));
    expect(got >= 0 || errno == EINTR, "read", file);
    if (got == 0) {
      read.resize(done);
    }
    done += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  return read;
}

void PosixDisk::submit(std::vector<replication::DiskJob> jobs, Ticket ticket) {
  bool was_empty{};
  {
    const std::scoped_lock lock(mutex_);
    was_empty = queue_.empty();
    queue_.push_back({.jobs = std::move(jobs), .ticket = ticket});
  }
  if (was_empty) {
    ::sem_post(&changed_);
  }
}

std::vector<std::int64_t> PosixDisk::take_sync_times() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(sync_times_us_, {});
}

void PosixDisk::finish() {
  {
    const std::scoped_lock lock(mutex_);
    finishing_ = true;
  }
  ::sem_post(&changed_);
  if (thread_.joinable()) {
    thread_.join();
  }
}

void PosixDisk::run() {
  std::vector<Submission> work;
  while (take(work)) {
    for (const Submission& submission : work) {
      for (const auto& job : submission.jobs) {
        std::visit([this](const auto& j) { perform(j); }, job);
      }
      on_done_(submission.ticket);
    }
    work.clear();
    if (!removed_files_.is_empty()) {
      removed_files_.take_step();
    }
  }
}

bool PosixDisk::take(std::vector<Submission>& work) {
  if (removed_files_.is_empty()) {
    while (::sem_wait(&changed_) != 0) {
      CHECK(errno == EINTR, "errno ", errno);
    }
  }
  const std::scoped_lock lock(mutex_);
  work.swap(queue_);
  return !work.empty() || !finishing_;
}

void PosixDisk::perform(const replication::CreateFile& job) {
  FileDescriptor file(::openat(directories_.descriptor_of(job.file), job.file.c_str(),
                               O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640));
  expect(file.is_open(), "create", job.file);
  open_files_.add(job.file, std::move(file));
  // Written, not only allocated: the first write into merely allocated space changes the file
  // system's own records, which makes the sync behind it several times slower.
  const Bytes zeros(std::min<std::uint64_t>(job.preallocated_bytes, zeros_bytes));
  for (std::uint64_t done = 0; done < job.preallocated_bytes; done += zeros.size()) {
    const auto length = std::min<std::uint64_t>(zeros.size(), job.preallocated_bytes - done);
    write(job.file, ByteView(zeros).first(length), done);
  }
}

void PosixDisk::perform(const replication::WriteFile& job) {
  write(job.file, job.bytes, job.offset);
}

void PosixDisk::write(const FileName& file, ByteView bytes, std::uint64_t offset) {
  const int to = descriptor_of(file);
  while (!bytes.empty()) {
    const auto written = ::pwrite(to, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    expect(written >= 0 || errno == EINTR, "write to", file);
    const auto advanced = written > 0 ? static_cast<std::size_t>(written) : 0;
    bytes = bytes.subspan(advanced);
    offset += advanced;
  }
}

void PosixDisk::perform(const replication::SyncFile& job) {
  const int file = descriptor_of(job.file);
  const auto began = std::chrono::steady_clock::now();
  expect(::fdatasync(file) == 0, "sync", job.file);
  const auto took = std::chrono::steady_clock::now() - began;
  const std::scoped_lock lock(mutex_);
  if (sync_times_us_.size() < sync_times_max) {
    sync_times_us_.push_back(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
  }
}

void PosixDisk::perform(const replication::TruncateFile& job) {
  expect(::ftruncate(descriptor_of(job.file), static_cast<off_t>(job.size)) == 0, "truncate",
         job.file);
}

void PosixDisk::perform(const replication::RenameFile& job) {
  const int directory = directories_.descriptor_of(job.from);
  CHECK(directory == directories_.descriptor_of(job.to), job.from, " and ", job.to,
        " are in different directories");
  expect(::renameat(directory, job.from.c_str(), directory, job.to.c_str()) == 0, "rename",
         job.from);
  open_files_.forget(job.to);
  open_files_.forget(job.from);
}

void PosixDisk::perform(const replication::RemoveFile& job) {
  const int directory = directories_.descriptor_of(job.file);
  FileDescriptor file(::openat(directory, job.file.c_str(), O_WRONLY | O_CLOEXEC));
  expect(::unlinkat(directory, job.file.c_str(), 0) == 0, "remove", job.file);
  open_files_.forget(job.file);
  removed_files_.add(std::move(file));
}

void PosixDisk::perform(const replication::SyncDirectory& /*job*/) {
  for (const int directory : directories_.descriptors()) {
    expect(::fsync(directory) == 0, "sync the directory of", "epochs");
  }
}

int PosixDisk::descriptor_of(const FileName& file) {
  const int open = open_files_.find(file);
  if (open >= 0) {
    return open;
  }
  FileDescriptor opened(
      ::openat(directories_.descriptor_of(file), file.c_str(), O_RDWR | O_CLOEXEC));
  expect(opened.is_open(), "open", file);
  return open_files_.add(file, std::move(opened));
}

}  // namespace zabfs::daemon::disk
