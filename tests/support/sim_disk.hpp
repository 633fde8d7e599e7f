// A disk for tests: it does its jobs when told to, and it can crash like a real one.
//
// Every file exists twice: as processes see it, and as the medium holds it. A write reaches the
// medium for sure with sync_file only, a name with sync_directory only. What a crash makes of the
// rest is drawn from the test's Random, so one seed is one disaster:
//
//   unsynced bytes   each sector (512 bytes) stands as it was after any one of the writes since the
//                    last sync, or before them; a sector that never was on the medium may also hold
//                    garbage; the size is that of any kept change
//   unsynced names   each create, rename and removal is kept or lost on its own; a rename is atomic
//
// Deterministic: files are kept in order, and nothing depends on addresses or time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "replication/ports/disk.hpp"
#include "replication/ports/random.hpp"

namespace zabfs::test {

class SimDisk : public replication::Disk {
 public:
  static constexpr std::size_t sector_bytes = 512;

  std::vector<replication::FileName> list() const override;
  std::uint64_t size(const replication::FileName& file) const override;
  replication::Bytes read(const replication::FileName& file, std::uint64_t offset,
                          std::uint64_t length) const override;
  void submit(std::vector<replication::DiskJob> jobs, replication::Ticket ticket) override;

  // Who hears of finished submissions; nobody after a crash or a kill.
  void on_done(std::function<void(replication::Ticket)> listener) {
    listener_ = std::move(listener);
  }

  // Does the next job; false if there is none.
  virtual bool step();

  // Does every job, also those that the listener submits meanwhile.
  void run();

  std::size_t jobs_waiting() const { return jobs_.size(); }

  // The process dies: jobs not yet done are forgotten. What was done stays visible, and unsynced.
  void kill();

  // The power fails: kill(), and what was not synced is up to `chance`.
  void crash(replication::Random& chance);

  // Another disk that holds what this one would after the worst power failure now: nothing that was
  // not synced. Jobs and listener are not copied.
  SimDisk durable_copy() const;

  // Interventions that are on the medium at once, as damage or an operator's hand would be.
  void put(const replication::FileName& file, const replication::Bytes& bytes);
  void erase(const replication::FileName& file);

 private:
  // A change of a file that no sync has covered yet.
  struct Change {
    std::uint64_t offset{};  // of `bytes`
    replication::Bytes bytes{};
    std::optional<std::uint64_t> size{};  // set: the change is this size, and no bytes
  };

  struct File {
    replication::Bytes visible{};
    replication::Bytes durable{};
    std::vector<Change> unsynced{};
  };

  using Directory = std::map<replication::FileName, std::shared_ptr<File>>;

  // A change of the directory: `removed` goes away, `added` stands for `file`; either may be empty.
  struct DirectoryChange {
    replication::FileName removed{};
    replication::FileName added{};
    std::shared_ptr<File> file{};
  };

  // The last job of a submission carries its ticket.
  struct Job {
    replication::DiskJob job{};
    std::optional<replication::Ticket> ticket{};
  };

  void perform(const replication::CreateFile& job);
  void perform(const replication::WriteFile& job);
  void perform(const replication::SyncFile& job);
  void perform(const replication::TruncateFile& job);
  void perform(const replication::RenameFile& job);
  void perform(const replication::RemoveFile& job);
  void perform(const replication::SyncDirectory& job);

  File& existing(const replication::FileName& file) const;
  void change(File& file, Change change);
  void change_directory(DirectoryChange change);

  static void apply(const Change& change, replication::Bytes& bytes);
  static void apply(const DirectoryChange& change, Directory& directory);
  static void crash_file(File& file, std::uint64_t kept_of_10, replication::Random& chance);

  Directory visible_;
  Directory durable_;
  std::vector<DirectoryChange> unsynced_;
  std::deque<Job> jobs_;
  std::function<void(replication::Ticket)> listener_;
};

}  // namespace zabfs::test
