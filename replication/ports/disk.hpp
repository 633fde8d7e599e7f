// The door to durable storage: one directory of files, and jobs that are done in order.
//
// Before a replica serves, it reads (list, size, read: they block). From then on it only submits
// jobs. Jobs are done strictly in the order of submission; when the last job of a submission is
// done, the owner of the disk tells the replica the ticket, and by then everything submitted before
// is done too.
//
// What is durable after which job:
//
//   write        nothing: a crash may keep any part of it, in units of a sector
//   sync_file    every write, truncation and the size of that file so far
//   create, rename, remove     nothing, until
//   sync_directory             all of them so far
//
// There are no errors to handle: an I/O error ends the process with a sentence (the daemon) or
// counts as a crash (the simulator). Carrying on after one has lost data elsewhere.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "replication/model/bytes.hpp"

namespace zabfs::replication {

// A name in the data directory, without '/'.
using FileName = std::string;

// Makes a new file of `preallocated_bytes` zeros. The name must not exist yet.
struct CreateFile {
  FileName file{};
  std::uint64_t preallocated_bytes{};
};

struct WriteFile {
  FileName file{};
  std::uint64_t offset{};
  Bytes bytes{};
};

struct SyncFile {
  FileName file{};
};

struct TruncateFile {
  FileName file{};
  std::uint64_t size{};
};

// Replaces `to` if it exists, atomically.
struct RenameFile {
  FileName from{};
  FileName to{};
};

struct RemoveFile {
  FileName file{};
};

struct SyncDirectory {};

using DiskJob = std::variant<CreateFile, WriteFile, SyncFile, TruncateFile, RenameFile, RemoveFile,
                             SyncDirectory>;

// Names one submission; chosen by the submitter, ascending.
struct Ticket {
  std::uint64_t value{};
  friend constexpr auto operator<=>(Ticket, Ticket) = default;
};

class Disk {
 public:
  virtual ~Disk() = default;

  // Every file, sorted by name.
  virtual std::vector<FileName> list() const = 0;

  // Bytes of an existing file.
  virtual std::uint64_t size(const FileName& file) const = 0;

  // At most `length` bytes from `offset`; fewer only at the end of the file.
  virtual Bytes read(const FileName& file, std::uint64_t offset, std::uint64_t length) const = 0;

  // Queues `jobs`; the replica hears `ticket` when the last of them is done.
  virtual void submit(std::vector<DiskJob> jobs, Ticket ticket) = 0;
};

}  // namespace zabfs::replication
