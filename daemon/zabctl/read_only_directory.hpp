// A data directory to look at: the Disk port's reading half, without a lock and without a change.
//
// The server that the directory belongs to may be running. It only ever appends to its log,
// replaces small files as a whole, and removes what it does not need any more. So
//
//   - a file is read from its end to its beginning: what stands later in it was written later, and
//     whoever sees the end of a batch then finds everything before it whole;
//   - a file that went away between two looks is `Vanished`; settled() looks again.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/zabctl/failure.hpp"
#include "replication/model/limits.hpp"
#include "replication/ports/disk.hpp"

namespace zabfs::daemon::zabctl {

// A file was there and is not any more.
class Vanished : public Failure {
 public:
  using Failure::Failure;
};

class ReadOnlyDirectory : public replication::Disk {
 public:
  // `log` is where log.* are, if that is elsewhere; empty if not. Throws Failure if either is no
  // directory that can be read.
  explicit ReadOnlyDirectory(std::string data, std::string log = {});

  std::vector<replication::FileName> list() const override;
  std::uint64_t size(const replication::FileName& file) const override;
  replication::Bytes read(const replication::FileName& file, std::uint64_t offset,
                          std::uint64_t length) const override;

  // Ends the process: nobody writes here.
  void submit(std::vector<replication::DiskJob> jobs, replication::Ticket ticket) override;

  std::string path_of(const replication::FileName& file) const;
  const std::string& data() const { return data_; }
  const std::string& log() const { return log_; }

  // True while a server holds the directory's lock.
  bool is_in_use() const;

  // The server's number, if the directory has a `myid` with one.
  std::optional<std::int64_t> server_id() const;

 private:
  std::string data_;
  std::string log_;
};

// The bytes of any file. Throws Failure if it cannot be read.
replication::Bytes bytes_of_file(const std::string& path);

// `look` may return what is wrong as it saw it, and is then asked again, as long as a running
// server may have changed the directory meanwhile: at most a few times. The last answer counts.
template <class Look>
auto settled(const ReadOnlyDirectory& directory, Look look) {
  for (int attempt = 1;; ++attempt) {
    const bool may_try_again =
        attempt < replication::limits::looks_at_running_max && directory.is_in_use();
    try {
      auto seen = look();
      if (seen || !may_try_again) {
        return seen;
      }
    } catch (const Vanished&) {
      if (!may_try_again) {
        throw;
      }
    }
  }
}

}  // namespace zabfs::daemon::zabctl
