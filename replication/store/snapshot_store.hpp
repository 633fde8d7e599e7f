// Writes snapshots, one at a time, and knows which ones must stay.
//
//   begin      create snapshot.tmp, write the header
//   add        write a slice, sync the file: so no sync is long, and batches of the log go between
//   finish     write the trailer, sync, rename to its name, sync the directory
//
// A crash before the rename leaves a draft that the next start removes; after it, a whole snapshot.
//
// What stays: the newest `kept` snapshots that are known to be whole, and everything between them.
// A damaged one never counts, so it can not push out a good one (ZOOKEEPER-3231).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "replication/ports/disk.hpp"
#include "replication/store/job_queue.hpp"
#include "replication/store/layout.hpp"
#include "replication/store/snapshot_format.hpp"

namespace zabfs::replication::store {

struct WrittenSnapshot {
  Zxid zxid{};
  std::uint64_t bytes{};
};

class SnapshotStore {
 public:
  // Of one generation. `queue` outlives the store; `kept` is at least 1.
  SnapshotStore(JobQueue& queue, std::uint64_t kept, Generation generation)
      : queue_(queue), kept_(kept), generation_(generation) {}

  // Continues with the snapshots that recovery found: all files, and which of the newest are whole.
  void resume(std::vector<Zxid> files, std::vector<Zxid> whole);

  void begin(Zxid taken_at);
  void add(ByteView slice);
  void finish(Zxid reached);

  // Forgets the snapshot that is open, if any: it will not be.
  void abandon();

  bool is_writing() const { return draft_.has_value(); }

  // True if a snapshot is open and everything written of it so far is on disk.
  bool wants_slice() const;

  // To be called when the queue has heard from the disk. Returns the snapshot that became durable.
  std::optional<WrittenSnapshot> on_disk_done();

  // The oldest snapshot that must stay; nullopt while there are too few to do without any.
  std::optional<Zxid> oldest_kept() const;

  // Jobs that remove every file, also of a snapshot that is being written. The store is of no
  // further use.
  std::vector<DiskJob> remove_all() const;

  // Jobs that remove the snapshots before `oldest`. The store forgets them.
  std::vector<DiskJob> forget_before(Zxid oldest);

 private:
  struct Draft {
    Zxid taken_at{};
    SnapshotEncoder encoder{};
    Ticket last{};
    bool is_finished{};
  };

  JobQueue& queue_;
  std::uint64_t kept_;
  Generation generation_;
  std::vector<Zxid> files_;  // ascending, likewise the next
  std::vector<Zxid> whole_;
  std::optional<Draft> draft_;
};

}  // namespace zabfs::replication::store
