#include "replication/store/storage.hpp"

#include <utility>
#include <vector>

#include "replication/model/check.hpp"

namespace zabfs::replication::store {

Storage::Storage(Disk& disk, const StorageOptions& options)
    : disk_(disk), options_(options), queue_(disk) {
  CHECK(options.snapshots_kept >= 1);
}

Verdict<Recovery> Storage::recover(RecoverySink& sink) {
  CHECK(!recovered_, "recover() is called once");
  auto found = recover_directory(disk_, options_.snapshots_kept, sink);
  if (!found) {
    return found.error();
  }
  recovered_ = queue_.submit(std::move(found->repairs));
  epochs_ = found->recovery.epochs;
  generation_ = found->generation;
  origin_ = found->origin;
  log_.emplace(queue_,
               LogOptions{.segment_bytes = options_.segment_bytes,
                          .batch_bytes_max = options_.batch_bytes_max,
                          .zeros_ahead_bytes = options_.zeros_ahead_bytes},
               generation_, std::move(found->log), *recovered_);
  snapshots_.emplace(queue_, options_.snapshots_kept, generation_);
  snapshots_->resume(std::move(found->snapshots), std::move(found->whole_snapshots));
  return std::move(found->recovery);
}

void Storage::append(Zxid zxid, ByteView payload, Zxid committed) {
  CHECK(zxid.epoch() <= latest_epochs().accepted, "zxid ", zxid, " accepted epoch ",
        latest_epochs().accepted);
  log_->append(zxid, payload, committed);
}

void Storage::truncate_after(Zxid keep) { log_->truncate_after(keep); }

void Storage::flush() { log_->flush(); }

void Storage::save_epochs(const Epochs& epochs) {
  const Epochs& latest = latest_epochs();
  CHECK(recovered_ && latest.accepted <= epochs.accepted && latest.current <= epochs.current &&
            epochs.current <= epochs.accepted,
        "accepted ", latest.accepted, " to ", epochs.accepted, " current ", latest.current, " to ",
        epochs.current);
  const EpochRecord record{.epochs = epochs,
                           .generation = generation_,
                           .origin = origin_,
                           .records = log_->records_submitted()};
  const Ticket ticket = queue_.submit(
      {CreateFile{epochs_draft, 0}, WriteFile{epochs_draft, 0, encode(record)},
       SyncFile{epochs_draft}, RenameFile{epochs_draft, epochs_file}, SyncDirectory{}});
  saving_.push_back({ticket, epochs});
}

void Storage::begin_snapshot(Zxid taken_at) {
  CHECK(taken_at <= durable() && latest_epochs() != Epochs{}, "taken at ", taken_at, " durable ",
        durable());
  snapshots_->begin(taken_at);
}

void Storage::add_slice(ByteView slice) { snapshots_->add(slice); }

void Storage::finish_snapshot(Zxid reached) {
  CHECK(reached <= durable(), "reached ", reached, " durable ", durable());
  snapshots_->finish(reached);
}

// Snapshots go first and surely: one whose log is gone must not come back with the next start.
void Storage::remove_unneeded() {
  const auto oldest = snapshots_->oldest_kept();
  if (!oldest) {
    return;
  }
  auto jobs = snapshots_->forget_before(*oldest);
  if (!jobs.empty()) {
    jobs.emplace_back(SyncDirectory{});
  }
  const auto segments = log_->forget_before(*oldest);
  jobs.insert(jobs.end(), segments.begin(), segments.end());
  if (!jobs.empty()) {
    queue_.submit(std::move(jobs));
  }
}

std::optional<WrittenSnapshot> Storage::on_disk_done(Ticket ticket) {
  queue_.on_disk_done(ticket);
  log_->on_disk_done();
  while (!saving_.empty() && queue_.is_done(saving_.front().ticket)) {
    epochs_ = saving_.front().epochs;
    saving_.pop_front();
  }
  const auto written = snapshots_->on_disk_done();
  if (written) {
    remove_unneeded();
  }
  return written;
}

}  // namespace zabfs::replication::store
