// The Disk port by system calls, on one thread of its own.
//
//   loop's thread:  submit() --> queue --> disk's thread: the jobs, in order --> on_done(ticket)
//
// The queue between them is the only lock of the program, and never held while the other side wants
// it for long: a semaphore says that it has become non-empty. (A condition variable would cost two
// system calls more for each lone write.) A thread with nothing to do sleeps: to look
// at the queue for some microseconds first was measured, and with two processors it kept the loop
// or the client from running, at the cost of the slowest tenth of the writes.
//
// An I/O error ends the process (io_error.hpp); a failed sync is never tried again.
#pragma once

#include <semaphore.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "daemon/disk/data_directories.hpp"
#include "daemon/disk/open_files.hpp"
#include "daemon/disk/removed_files.hpp"
#include "replication/ports/disk.hpp"

namespace zabfs::daemon::disk {

class PosixDisk : public replication::Disk {
 public:
  // Called on the disk's thread when everything up to that ticket is done. Must not block.
  using OnDone = std::function<void(replication::Ticket)>;

  PosixDisk(DataDirectories directories, OnDone on_done);

  // Ends as finish() does.
  ~PosixDisk() override;

  // These three block, and may be used only while no job is in flight.
  std::vector<replication::FileName> list() const override;
  std::uint64_t size(const replication::FileName& file) const override;
  replication::Bytes read(const replication::FileName& file, std::uint64_t offset,
                          std::uint64_t length) const override;

  void submit(std::vector<replication::DiskJob> jobs, replication::Ticket ticket) override;

  // How long each sync took since the last call, in microseconds. Those that nobody has asked for in
  // time are forgotten.
  std::vector<std::int64_t> take_sync_times();

  // Does what was submitted, then ends the thread. What is submitted afterwards is never done.
  void finish();

 private:
  struct Submission {
    std::vector<replication::DiskJob> jobs{};
    replication::Ticket ticket{};
  };

  void run();

  // Waits for work, of which there may be none while removed files are left; false if there will be
  // no more.
  bool take(std::vector<Submission>& work);

  void perform(const replication::CreateFile& job);
  void perform(const replication::WriteFile& job);
  void perform(const replication::SyncFile& job);
  void perform(const replication::TruncateFile& job);
  void perform(const replication::RenameFile& job);
  void perform(const replication::RemoveFile& job);
  void perform(const replication::SyncDirectory& job);

  // The descriptor of an existing file, which stays open.
  int descriptor_of(const replication::FileName& file);

  // Writes all of `bytes`, however many calls that takes.
  void write(const replication::FileName& file, replication::ByteView bytes, std::uint64_t offset);

  // Ends the process, naming the file and errno, unless a system call has succeeded.
  void expect(bool succeeded, const char* operation, const replication::FileName& file) const;

  DataDirectories directories_;
  OnDone on_done_;
  OpenFiles open_files_;  // the disk's thread only, likewise the next
  RemovedFiles removed_files_;

  std::mutex mutex_;
  std::vector<Submission> queue_;  // guarded by mutex_
  bool finishing_{};               // guarded by mutex_
  std::vector<std::int64_t> sync_times_us_;  // guarded by mutex_
  sem_t changed_{};                // the queue is not empty any more, or it is the end
  std::thread thread_;
};

}  // namespace zabfs::daemon::disk
