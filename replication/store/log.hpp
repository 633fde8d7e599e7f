// The log's writing end: batches, segments, and the zeros ahead of them.
//
//   append --> waiting batches --flush--> one batch in flight --> durable
//
// A batch is written only when the one before it is synced; the format's crash story rests on that.
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

namespace zabfs::replication::store {

struct LogOptions {
  std::uint64_t segment_bytes{};
  std::uint64_t batch_bytes_max{};
  std::uint64_t zeros_ahead_bytes{};
};

class Log {
 public:
  // `queue` outlives the log.
  Log(JobQueue& queue, const LogOptions& options) : queue_(queue), options_(options) {}

  // Continues a log of `segments` that ends at `last`, durable once `recovered` is done.
  void resume(std::vector<Zxid> segments, Zxid last, Ticket recovered);

  // Buffers a transaction. It must follow the previous one.
  void append(Zxid zxid, ByteView payload);

  // Submits the next batch, unless one is in flight or nothing is buffered.
  void flush();

  // To be called when the queue has heard from the disk.
  void on_disk_done();

  Zxid durable() const { return durable_; }

  // What is durable once everything submitted so far is done.
  Zxid submitted() const { return flight_ ? flight_->last : durable_; }

  // Jobs that remove the segments without any transaction from `oldest` on. The log forgets them.
  std::vector<DiskJob> forget_before(Zxid oldest);

 private:
  struct Batch {
    Bytes records{};
    Zxid first{};
    Zxid last{};
  };

  struct Flight {
    Ticket ticket{};
    Zxid last{};
  };

  // The segment that is being written.
  struct Segment {
    Zxid first{};
    std::uint64_t bytes{};       // header and records
    std::uint64_t file_bytes{};  // the same and the zeros behind them
  };

  bool fits_into_segment(const Batch& batch) const;
  std::vector<DiskJob> begin_segment(const Batch& batch);
  void add_zeros_ahead(Bytes& records);

  JobQueue& queue_;
  LogOptions options_;
  Zxid durable_{};
  Zxid appended_{};
  std::deque<Batch> waiting_;
  std::optional<Flight> flight_;
  std::vector<Zxid> segments_;  // first zxids, ascending
  std::optional<Segment> segment_;
};

}  // namespace zabfs::replication::store
