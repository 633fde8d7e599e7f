// What a replica keeps over crashes: its promises (epochs), its history (log) and its shortcuts
// through it (snapshots), in one directory behind the Disk port.
//
//   recover(sink)        once, blocking: snapshot and log to the sink, or a refusal
//        |
//   is_ready()           what was recovered is synced; only now may anybody be told of it
//        |
//   append, truncate_after, flush  -->  on_disk_done  -->  durable(), is_flushed()   group commit
//   save_epochs    -->  on_disk_done  -->  are_epochs_saved(), epochs()
//   begin_snapshot, add_slice..., finish_snapshot  -->  on_disk_done returns the written snapshot
//
// A leader's snapshot replaces the whole history. The old one stays as it is, and is what a start
// finds, until the epochs file names the new one:
//
//   begin_replacement, slices..., finish_replacement, and meanwhile append, flush
//        |
//   is_flushed()         the new history is whole on the disk
//        |
//   save_epochs     -->  on_disk_done  -->  epochs(): it counts, and the old one is removed
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
#include <memory>
#include <optional>
#include <vector>

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "replication/model/limits.hpp"
#include "replication/ports/disk.hpp"
#include "replication/store/epochs.hpp"
#include "replication/store/history.hpp"
#include "replication/store/job_queue.hpp"
#include "replication/store/recovery.hpp"
#include "replication/store/refusal.hpp"

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
  bool may_truncate_after(Zxid keep) const;

  // Takes everything behind `keep` back, as a leader orders. A record of it goes into the next
  // batch, and append() goes on behind `keep`. Once is_flushed(), no crash brings any of it back.
  // may_truncate_after(keep).
  void truncate_after(Zxid keep);

  // Where append() goes on: the end of the log, whether durable or not.
  Zxid last() const { return log().last(); }

  // Submits the next batch, unless one is in flight or nothing is buffered.
  void flush();

  // The last transaction that no crash can take away any more. A truncation takes it back at once,
  // before it is durable itself. What a replacement brings is not counted before it is adopted, and
  // that is durable.
  Zxid durable() const { return retiring_ ? retiring_->durable : history_->log.durable(); }

  // True if everything appended and every truncation is durable. During a replacement: if the new
  // history is whole on the disk, so that save_epochs() would adopt it. From then on until that is
  // durable: false.
  bool is_flushed() const;

  // Replaces the epochs; epochs() says when that is durable. They never go back, and
  // current <= accepted. `accepted` is to be saved before the first transaction of that epoch,
  // without need to wait: jobs are done in order.
  //
  // Once a replacement is whole (is_replacement_durable_to() says so), this also adopts it: no crash
  // leaves the new history without these epochs, or these epochs with the old history. Before, it is
  // about the old history.
  void save_epochs(const Epochs& epochs);

  // The last epochs that are on disk.
  const Epochs& epochs() const { return epochs_; }

  // True once every save_epochs() is durable, with what it adopted: the same epochs saved again are
  // not, although epochs() has them already.
  bool are_epochs_saved() const { return saving_.empty(); }

  // Begins a snapshot that replaces the log up to `taken_at`, which is durable and
  // committed. Only when may_begin_snapshot().
  void begin_snapshot(Zxid taken_at);

  // True if no other is open, and no replacement is under way or being adopted.
  bool may_begin_snapshot() const {
    return is_ready() && !is_writing_snapshot() && !incoming_ && !retiring_;
  }

  // True if a snapshot is open and its previous slice is on disk: slices and batches of the log
  // alternate, so that no batch waits for more than one slice.
  bool wants_slice() const { return history_->snapshots.wants_slice(); }

  // Appends a slice, which is not empty. Only when wants_slice().
  void add_slice(ByteView slice);

  // Ends the snapshot. `reached` is the last transaction whose effects its slices may hold; it is
  // durable and committed. When it is on disk, what no kept snapshot needs any more is removed.
  void finish_snapshot(Zxid reached);

  // True from begin_snapshot() until on_disk_done() has returned it.
  bool is_writing_snapshot() const { return history_->snapshots.is_writing(); }

  // A leader's snapshot, taken at `taken_at`, begins to replace the whole history. From now on
  // append() continues behind `taken_at`, in the new history, also while slices are still coming. A
  // snapshot of our own that is open is forgotten. is_ready(), the accepted epoch is on its way to
  // the disk and not below that of `taken_at`, and no other replacement is under way or being
  // adopted.
  void begin_replacement(Zxid taken_at);

  // True from begin_replacement() until save_epochs() adopts it or abandon_replacement().
  bool is_replacing() const { return incoming_ != nullptr; }

  // The slices of the leader's snapshot, as wants_slice() and add_slice() take our own.
  bool wants_replacement_slice() const { return incoming_ && incoming_->snapshots.wants_slice(); }
  void add_replacement_slice(ByteView slice);

  // The leader's snapshot is received. None of its slices holds anything behind `reached`, which is
  // committed; the history is whole only with a log that goes so far.
  void finish_replacement(Zxid reached);

  // True if the new history could be adopted and holds everything up to `end`, also if more is on its
  // way: under load there always is.
  bool is_replacement_durable_to(Zxid end) const;

  // Forgets the replacement: append() continues at the end of the old history. is_replacing().
  void abandon_replacement();

  // Everything submitted up to `ticket` is done. Returns the snapshot that this completed, if any.
  std::optional<WrittenSnapshot> on_disk_done(Ticket ticket);

 private:
  // The epochs once everything in flight is done.
  const Epochs& latest_epochs() const { return saving_.empty() ? epochs_ : saving_.back().epochs; }

  // Where append() writes.
  const Log& log() const { return incoming_ ? incoming_->log : history_->log; }
  Log& log() { return incoming_ ? incoming_->log : history_->log; }

  std::unique_ptr<History> make_history(const HistoryId& id, LogContents found, Ticket ticket);
  void adopt_incoming(Ticket adopted);
  void remove_unneeded();

  struct Saving {
    Ticket ticket{};
    Epochs epochs{};
  };

  // A history that was replaced, until that is durable.
  struct Retiring {
    Ticket replaced{};
    Zxid durable{};  // in it
    std::vector<DiskJob> removal{};
  };

  Disk& disk_;
  StorageOptions options_;
  JobQueue queue_;
  std::optional<Ticket> recovered_;    // of what recovery submitted; nullopt before recover()
  std::unique_ptr<History> history_;   // the one that counts; from recover() on
  std::unique_ptr<History> incoming_;  // the one that may replace it
  std::optional<Retiring> retiring_;
  Generation last_generation_{};  // no other is begun under its number
  Epochs epochs_{};               // on disk
  std::deque<Saving> saving_;     // on their way
};

}  // namespace zabfs::replication::store
