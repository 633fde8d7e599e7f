#include "replication/store/log.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "replication/model/check.hpp"

namespace zabfs::replication::store {

Log::Log(JobQueue& queue, const LogOptions& options, Generation generation, LogContents found,
         Ticket ticket)
    : queue_(queue),
      options_(options),
      generation_(generation),
      extent_(std::move(found.extent)),
      records_(found.records),
      flight_(Flight{.ticket = ticket, .durable = extent_.last(), .records = records_}),
      segments_(std::move(found.segments)) {
  on_disk_done();  // there may be nothing to wait for
}

void Log::append(Zxid zxid, ByteView payload, Zxid committed) {
  CHECK(last().is_followed_by(zxid), "appended ", last(), " next ", zxid);
  const Zxid mark = extent_.mark_beside(zxid, committed);
  buffer({.zxid = zxid, .committed = mark, .payload = payload});
  extent_.append(zxid);
  extent_.commit(mark);
  waiting_.back().durable = zxid;
}

void Log::truncate_after(Zxid keep) {
  CHECK(may_end_at(keep), "keep ", keep, " committed ", extent_.committed(), " last ", last());
  if (keep == last()) {
    return;
  }
  buffer({.kind = RecordKind::truncation, .zxid = keep, .committed = extent_.committed()});
  extent_.truncate_after(keep);
  // From now on it is the history behind the truncation that is asked for. What both have in common
  // stays durable.
  waiting_.back().durable = keep;
  for (auto& batch : waiting_) {
    batch.durable = std::min(batch.durable, keep);
  }
  if (flight_) {
    flight_->durable = std::min(flight_->durable, keep);
  }
  durable_ = std::min(durable_, keep);
}

void Log::buffer(const LogEntry& entry) {
  const auto bytes = record_header_bytes + entry.payload.size();
  if (waiting_.empty() || waiting_.back().bytes.size() + bytes > options_.batch_bytes_max) {
    waiting_.push_back({.first = records_, .previous = last(), .committed = extent_.committed()});
  }
  append_record(waiting_.back().bytes, entry);
  waiting_.back().records = ++records_;
}

void Log::flush() {
  if (flight_ || waiting_.empty()) {
    return;
  }
  Batch batch = std::move(waiting_.front());
  waiting_.pop_front();

  const bool fits = fits_into_segment(batch);
  auto jobs = fits ? std::vector<DiskJob>{} : begin_segment(batch);
  const FileName file = segment_name(segment_->id);
  const auto offset = segment_->bytes;
  segment_->bytes += batch.bytes.size();
  CHECK(segment_->bytes <= std::numeric_limits<std::uint32_t>::max(), "bytes ", segment_->bytes);
  seal_batch(batch.bytes, {.segment = segment_->id,
                           .batch = fits ? static_cast<std::uint32_t>(offset) : 0,
                           .offset = static_cast<std::uint32_t>(offset)});
  add_zeros_ahead(batch.bytes);
  jobs.push_back(WriteFile{file, offset, std::move(batch.bytes)});
  jobs.push_back(SyncFile{file});
  if (!fits) {
    jobs.push_back(SyncDirectory{});
  }
  flight_ = Flight{
      .ticket = queue_.submit(std::move(jobs)), .durable = batch.durable, .records = batch.records};
}

bool Log::fits_into_segment(const Batch& batch) const {
  return segment_ && segment_->bytes + batch.bytes.size() <= options_.segment_bytes;
}

std::vector<DiskJob> Log::begin_segment(const Batch& batch) {
  const SegmentId id{generation_, batch.first};
  segments_.push_back({.first = batch.first, .previous = batch.previous});
  segment_ = Segment{.id = id, .bytes = segment_header_bytes, .file_bytes = segment_header_bytes};
  return {CreateFile{segment_name(id), 0},
          WriteFile{segment_name(id), 0,
                    encode({.id = id, .previous = batch.previous, .committed = batch.committed})}};
}

// `records` are the last of the segment and about to be written.
void Log::add_zeros_ahead(Bytes& records) {
  if (segment_->bytes <= segment_->file_bytes) {
    return;
  }
  const auto end = std::min(segment_->bytes + options_.zeros_ahead_bytes, options_.segment_bytes);
  segment_->file_bytes = std::max(segment_->bytes, end);
  records.resize(records.size() + (segment_->file_bytes - segment_->bytes));
}

void Log::on_disk_done() {
  if (flight_ && queue_.is_done(flight_->ticket)) {
    durable_ = flight_->durable;
    durable_records_ = flight_->records;
    flight_.reset();
  }
}

std::vector<DiskJob> Log::remove_all() const {
  std::vector<DiskJob> jobs;
  for (const auto& segment : segments_) {
    jobs.push_back(RemoveFile{segment_name({generation_, segment.first})});
  }
  return jobs;
}

// A segment before which the log ended at `oldest` or earlier holds all that is behind it, in spite
// of any truncation; so does every segment after that one together with it.
std::vector<DiskJob> Log::forget_before(Zxid oldest) {
  const auto needed =
      std::find_if(segments_.rbegin(), segments_.rend(),
                   [&](const LogSegment& segment) { return segment.previous <= oldest; });
  const auto kept = needed == segments_.rend() ? segments_.begin() : needed.base() - 1;
  std::vector<DiskJob> jobs;
  for (auto segment = segments_.begin(); segment != kept; ++segment) {
    jobs.push_back(RemoveFile{segment_name({generation_, segment->first})});
  }
  segments_.erase(segments_.begin(), kept);
  return jobs;
}

}  // namespace zabfs::replication::store
