#include "replication/store/log.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "replication/model/check.hpp"
#include "replication/store/layout.hpp"
#include "replication/store/log_format.hpp"

namespace zabfs::replication::store {

void Log::resume(std::vector<Zxid> segments, Zxid last, Ticket recovered) {
  segments_ = std::move(segments);
  appended_ = last;
  flight_ = Flight{recovered, last};
}

void Log::append(Zxid zxid, ByteView payload) {
  CHECK(appended_.is_followed_by(zxid), "appended ", appended_, " next ", zxid);
  const auto bytes = record_header_bytes + payload.size();
  if (waiting_.empty() || waiting_.back().records.size() + bytes > options_.batch_bytes_max) {
    waiting_.push_back({.records = {}, .first = zxid, .last = {}});
  }
  append_record(waiting_.back().records, zxid, payload);
  waiting_.back().last = zxid;
  appended_ = zxid;
}

void Log::flush() {
  if (flight_ || waiting_.empty()) {
    return;
  }
  Batch batch = std::move(waiting_.front());
  waiting_.pop_front();

  const bool fits = fits_into_segment(batch);
  auto jobs = fits ? std::vector<DiskJob>{} : begin_segment(batch);
  const FileName file = segment_name(segment_->first);
  const auto offset = segment_->bytes;
  segment_->bytes += batch.records.size();
  CHECK(segment_->bytes <= std::numeric_limits<std::uint32_t>::max(), "bytes ", segment_->bytes);
  seal_batch(batch.records, {.segment = segment_->first,
                             .batch = fits ? static_cast<std::uint32_t>(offset) : 0,
                             .offset = static_cast<std::uint32_t>(offset)});
  add_zeros_ahead(batch.records);
  jobs.push_back(WriteFile{file, offset, std::move(batch.records)});
  jobs.push_back(SyncFile{file});
  if (!fits) {
    jobs.push_back(SyncDirectory{});
  }
  flight_ = Flight{queue_.submit(std::move(jobs)), batch.last};
}

bool Log::fits_into_segment(const Batch& batch) const {
  return segment_ && segment_->bytes + batch.records.size() <= options_.segment_bytes;
}

std::vector<DiskJob> Log::begin_segment(const Batch& batch) {
  const FileName file = segment_name(batch.first);
  segments_.push_back(batch.first);
  segment_ = Segment{
      .first = batch.first, .bytes = segment_header_bytes, .file_bytes = segment_header_bytes};
  return {CreateFile{file, 0},
          WriteFile{file, 0, encode({.first = batch.first, .previous = durable_})}};
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
    durable_ = flight_->last;
    flight_.reset();
  }
}

std::vector<DiskJob> Log::forget_before(Zxid oldest) {
  std::vector<DiskJob> jobs;
  auto kept = segments_.begin();
  while (segments_.end() - kept >= 2 && *(kept + 1) <= oldest) {
    jobs.push_back(RemoveFile{segment_name(*kept)});
    ++kept;
  }
  segments_.erase(segments_.begin(), kept);
  return jobs;
}

}  // namespace zabfs::replication::store
