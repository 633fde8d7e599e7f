// What a replica keeps over crashes: its promises (epochs), its history (log) and its shortcuts
// through it (snapshots), in one directory behind the Disk port.
//
//   recover(sink)        once, blocking: snapshot and log to the sink, or a refusal
//        |
//   is_ready()           what was recovered is synced; only now may anybody be told of it
//        |
//   append, truncate_after, flush  -->  on_disk_done  -->  durable(), is_flushed()   group commit
//   save_epochs    -->  on_disk_done  -->  epochs()
//   begin_snapshot, add_slice..., finish_snapshot  -->  on_disk_done returns the written snapshot
//
// The replica gives every ticket it hears to on_disk_done() and then asks what is true. At most one
// batch is in flight. Whatever is appended meanwhile goes into the next one, which leaves with the
// next flush(): call flush() at the end of every turn, also of the turn of on_disk_done().
//
// The usual batch is one write and one sync. A batch that begins a segment also creates the file
// and syncs the directory.
//
// No call waits for the disk but recover(). This object is the only one to submit jobs.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "replication/model/limits.hpp"
#include "replication/ports/disk.hpp"
#include "replication/store/epochs.hpp"
#include "replication/store/job_queue.hpp"
#include "replication/store/log.hpp"
#include "replication/store/recovery.hpp"
#include "replication/store/refusal.hpp"
#include "replication/store/snapshot_store.hpp"

namespace zabfs::replication::store {

struct StorageOptions {
  std::uint64_t segment_bytes{limits::log_segment_bytes};          // then a new segment begins
  std::uint64_t batch_bytes_max{limits::log_batch_bytes_max};      // written before one sync
  std::uint64_t zeros_ahead_bytes{limits::log_zeros_ahead_bytes};  // written behind a batch
  std::uint64_t snapshots_kept{limits::snapshots_kept_min};        // whole ones; at least 1
};

class Storage {
 public:
  // `disk` outlives the storage.
  Storage(Disk& disk, const StorageOptions& options);
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  // Reads the directory, blocking, and submits what crash recovery has to make durable: the torn
  // tail cut off, the rest of it synced, leftovers removed. To be called once, first. After a
  // refusal the directory is untouched and this object is of no further use.
  Verdict<Recovery> recover(RecoverySink& sink);

  // True once everything that recover() submitted is done. Nothing may be quoted to anybody before:
  // a log that a dead process wrote but never synced can still vanish (ZAB.md, H5).
  bool is_ready() const { return recovered_ && queue_.is_done(*recovered_); }

  // Buffers one transaction for the next batch. `zxid` follows the previous one
  // (Zxid::is_followed_by) and is of no later epoch than the accepted one; `payload` is at most
  // limits::log_record_bytes_max. Everything up to `committed` is known to be committed: a start
  // applies so much of the log, and hands back what is behind it as the tail.
  void append(Zxid zxid, ByteView payload, Zxid committed);

  // True if the log may end at `keep`: it holds that transaction (or begins behind it), and no
  // later one is known to be committed.
  bool may_truncate_after(Zxid keep) const { return log_->may_end_at(keep); }

  // Takes everything behind `keep` back, as a leader orders. A record of it goes into the next
  // batch, and append() goes on behind `keep`. Once is_flushed(), no crash brings any of it back.
  // may_truncate_after(keep).
  void truncate_after(Zxid keep);

  // Where append() goes on: the end of the log, whether durable or not.
  Zxid last() const { return log_->last(); }

  // Submits the next batch, unless one is in flight or nothing is buffered.
  void flush();

  // The last transaction that no crash can take away any more. A truncation takes it back at once,
  // before it is durable itself.
  Zxid durable() const { return log_->durable(); }

  // True if everything appended and every truncation is durable.
  bool is_flushed() const { return is_ready() && log_->is_flushed(); }

  // Replaces the epochs; epochs() says when that is durable. They never go back, and
  // current <= accepted. `accepted` is to be saved before the first transaction of that epoch,
  // without need to wait: jobs are done in order.
  void save_epochs(const Epochs& epochs);

  // The last epochs that are on disk.
  const Epochs& epochs() const { return epochs_; }

  // Begins a snapshot that replaces the log up to `taken_at`, which is durable and committed. One
  // at a time.
  void begin_snapshot(Zxid taken_at);

  // True if a snapshot is open and its previous slice is on disk: slices and batches of the log
  // alternate, so that no batch waits for more than one slice.
  bool wants_slice() const { return snapshots_->wants_slice(); }

  // Appends a slice, which is not empty. Only when wants_slice().
  void add_slice(ByteView slice);

  // Ends the snapshot. `reached` is the last transaction whose effects its slices may hold; it is
  // durable and committed. When it is on disk, what no kept snapshot needs any more is removed.
  void finish_snapshot(Zxid reached);

  // True from begin_snapshot() until on_disk_done() has returned it.
  bool is_writing_snapshot() const { return snapshots_->is_writing(); }

  // Everything submitted up to `ticket` is done. Returns the snapshot that this completed, if any.
  std::optional<WrittenSnapshot> on_disk_done(Ticket ticket);

 private:
  // The epochs once everything in flight is done.
  const Epochs& latest_epochs() const { return saving_.empty() ? epochs_ : saving_.back().epochs; }

  void remove_unneeded();

  struct Saving {
    Ticket ticket{};
    Epochs epochs{};
  };

  Disk& disk_;
  StorageOptions options_;
  JobQueue queue_;
  std::optional<Ticket> recovered_;  // of what recovery submitted; nullopt before recover()
  Generation generation_{};
  Zxid origin_{};                           // of the generation
  std::optional<Log> log_;                  // from recover() on
  std::optional<SnapshotStore> snapshots_;  // likewise
  Epochs epochs_{};                         // on disk
  std::deque<Saving> saving_;               // on their way
};

}  // namespace zabfs::replication::store
