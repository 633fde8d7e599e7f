// The log's writing end: batches, segments, and the zeros ahead of them.
//
//   append --> waiting batches --flush--> one batch in flight --> durable
//
// A batch is written only when the one before it is synced; the format's crash story rests on that.
// A truncation is a record in it, so it goes the same way.
//
// A start never writes into a segment of an earlier start: its first batch begins a new one.
//
// Which jobs make a batch durable:
//
//   usually            write, sync file
//   a new segment      create file, write header, write, sync file, sync directory: a crash in
//                      between leaves a last segment that is missing, blank or torn, and nobody was
//                      promised anything in it
//
// Whenever a batch is about to make its file longer, the same write takes along a stretch of zeros
// for the batches behind it. Writing into a stretch that is there spares the file system the work
// of growing the file at each sync, and no batch waits for more than one stretch.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "replication/ports/disk.hpp"
#include "replication/store/job_queue.hpp"
#include "replication/store/layout.hpp"
#include "replication/store/log_extent.hpp"
#include "replication/store/log_format.hpp"

namespace zabfs::replication::store {

struct LogOptions {
  std::uint64_t segment_bytes{};
  std::uint64_t batch_bytes_max{};
  std::uint64_t zeros_ahead_bytes{};
};

// A segment on disk: the position of its first record, and the zxid at which the log ended before.
struct LogSegment {
  std::uint64_t first{};
  Zxid previous{};

  bool operator==(const LogSegment&) const = default;
};

// A log as recovery found it, or one without any record.
struct LogContents {
  LogExtent extent{};
  std::uint64_t records{};
  std::vector<LogSegment> segments{};  // ascending by `first`
};

class Log {
 public:
  // Continues the log `found` of `generation`, which is durable once `ticket` is done. `queue`
  // outlives the log.
  Log(JobQueue& queue, const LogOptions& options, Generation generation, LogContents found,
      Ticket ticket);

  // Buffers a transaction. It must follow last(). Everything up to `committed` is known to be
  // committed; what of that the log does not hold, it does not remember.
  void append(Zxid zxid, ByteView payload, Zxid committed);

  // True if the log may be truncated behind `keep`.
  bool may_end_at(Zxid keep) const { return extent_.may_end_at(keep); }

  // Buffers a truncation: nothing behind `keep` counts any more. may_end_at(keep).
  void truncate_after(Zxid keep);

  // The last transaction, whether durable or not.
  Zxid last() const { return extent_.last(); }

  // Submits the next batch, unless one is in flight or nothing is buffered.
  void flush();

  // True if everything buffered so far is durable.
  bool is_flushed() const { return waiting_.empty() && !flight_; }

  // To be called when the queue has heard from the disk.
  void on_disk_done();

  // The last transaction that no crash takes away, be it one before or behind a truncation that is
  // on its way.
  Zxid durable() const { return durable_; }

  // How many records are durable once everything submitted so far is done.
  std::uint64_t records_submitted() const { return flight_ ? flight_->records : durable_records_; }

  // Everything up to `zxid`, at most last(), is known to be committed.
  void commit(Zxid zxid) { extent_.commit(zxid); }

  // Jobs that remove all segments. The log is of no further use.
  std::vector<DiskJob> remove_all() const;

  // Jobs that remove the segments without any transaction behind `oldest`. The log forgets them.
  std::vector<DiskJob> forget_before(Zxid oldest);

 private:
  struct Batch {
    Bytes bytes{};
    std::uint64_t first{};    // position of its first record
    Zxid previous{};          // last() before it
    Zxid committed{};         // known before it
    Zxid durable{};           // what durable() is once it is synced
    std::uint64_t records{};  // how many there are then
  };

  struct Flight {
    Ticket ticket{};
    Zxid durable{};
    std::uint64_t records{};
  };

  // The segment that is being written.
  struct Segment {
    SegmentId id{};
    std::uint64_t bytes{};       // header and records
    std::uint64_t file_bytes{};  // the same and the zeros behind them
  };

  void buffer(const LogEntry& entry);
  bool fits_into_segment(const Batch& batch) const;
  std::vector<DiskJob> begin_segment(const Batch& batch);
  void add_zeros_ahead(Bytes& records);

  JobQueue& queue_;
  LogOptions options_;
  Generation generation_;
  LogExtent extent_;         // with what is buffered
  std::uint64_t records_{};  // likewise
  Zxid durable_{};
  std::uint64_t durable_records_{};
  std::deque<Batch> waiting_;
  std::optional<Flight> flight_;
  std::vector<LogSegment> segments_;  // ascending
  std::optional<Segment> segment_;
};

}  // namespace zabfs::replication::store
