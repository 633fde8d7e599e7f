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
  last_generation_ = found->generation;
  history_ = make_history({found->generation, found->origin}, std::move(found->log), *recovered_);
  history_->snapshots.resume(std::move(found->snapshots), std::move(found->whole_snapshots));
  return std::move(found->recovery);
}

std::unique_ptr<History> Storage::make_history(const HistoryId& id, LogContents found,
                                               Ticket ticket) {
  return std::make_unique<History>(queue_,
                                   LogOptions{.segment_bytes = options_.segment_bytes,
                                              .batch_bytes_max = options_.batch_bytes_max,
                                              .zeros_ahead_bytes = options_.zeros_ahead_bytes},
                                   options_.snapshots_kept, id, std::move(found), ticket);
}

void Storage::append(Zxid zxid, ByteView payload, Zxid committed) {
  CHECK(zxid.epoch() <= latest_epochs().accepted, "zxid ", zxid, " accepted epoch ",
        latest_epochs().accepted);
  log().append(zxid, payload, committed);
}

// What a leader's snapshot may hold is committed, although the log behind it does not say so.
bool Storage::may_truncate_after(Zxid keep) const {
  const bool is_below_reached = incoming_ && incoming_->reached && keep < *incoming_->reached;
  return !is_below_reached && log().may_end_at(keep);
}

void Storage::truncate_after(Zxid keep) {
  CHECK(may_truncate_after(keep), "keep ", keep, " last ", last());
  log().truncate_after(keep);
}

// During a replacement both logs go on: what was appended before it is part of the old history.
void Storage::flush() {
  history_->log.flush();
  if (incoming_) {
    incoming_->log.flush();
  }
}

bool Storage::is_flushed() const {
  return is_ready() && !retiring_ &&
         (incoming_ ? incoming_->is_whole() && incoming_->log.is_flushed()
                    : history_->log.is_flushed());
}

bool Storage::is_replacement_durable_to(Zxid end) const {
  return incoming_ && !retiring_ && incoming_->is_whole() && incoming_->log.durable() >= end;
}

void Storage::save_epochs(const Epochs& epochs) {
  const Epochs& latest = latest_epochs();
  CHECK(recovered_ && latest.accepted <= epochs.accepted && latest.current <= epochs.current &&
            epochs.current <= epochs.accepted,
        "accepted ", latest.accepted, " to ", epochs.accepted, " current ", latest.current, " to ",
        epochs.current);
  const bool adopts = incoming_ && !retiring_ && incoming_->is_whole();
  const History& history = adopts ? *incoming_ : *history_;
  const EpochRecord record{.epochs = epochs,
                           .generation = history.id.generation,
                           .origin = history.id.origin,
                           .records = history.log.records_submitted()};
  const Ticket ticket = queue_.submit(
      {CreateFile{epochs_draft, 0}, WriteFile{epochs_draft, 0, encode(record)},
       SyncFile{epochs_draft}, RenameFile{epochs_draft, epochs_file}, SyncDirectory{}});
  saving_.push_back({ticket, epochs});
  if (adopts) {
    adopt_incoming(ticket);
  }
}

void Storage::adopt_incoming(Ticket adopted) {
  retiring_ = Retiring{
      .replaced = adopted, .durable = history_->log.durable(), .removal = history_->remove_all()};
  history_ = std::move(incoming_);
  history_->log.commit(*history_->reached);
}

void Storage::begin_replacement(Zxid taken_at) {
  CHECK(is_ready() && !incoming_ && !retiring_ && latest_epochs() != Epochs{} &&
            taken_at.epoch() <= latest_epochs().accepted,
        "taken at ", taken_at, " accepted epoch ", latest_epochs().accepted);
  history_->snapshots.abandon();
  ++last_generation_.value;
  incoming_ = make_history({last_generation_, taken_at}, {.extent = LogExtent(taken_at, taken_at)},
                           Ticket{});
  incoming_->snapshots.begin(taken_at);
}

void Storage::add_replacement_slice(ByteView slice) {
  CHECK(wants_replacement_slice());
  incoming_->snapshots.add(slice);
}

void Storage::finish_replacement(Zxid reached) {
  CHECK(incoming_ && !incoming_->reached, "reached ", reached);
  incoming_->reached = reached;
  incoming_->snapshots.finish(reached);
}

void Storage::abandon_replacement() {
  CHECK(incoming_);
  queue_.submit(incoming_->remove_all());
  incoming_.reset();
}

void Storage::begin_snapshot(Zxid taken_at) {
  CHECK(may_begin_snapshot() && taken_at <= durable() && latest_epochs() != Epochs{}, "taken at ",
        taken_at, " durable ", durable());
  history_->log.commit(taken_at);
  history_->snapshots.begin(taken_at);
}

void Storage::add_slice(ByteView slice) { history_->snapshots.add(slice); }

void Storage::finish_snapshot(Zxid reached) {
  CHECK(reached <= durable(), "reached ", reached, " durable ", durable());
  history_->log.commit(reached);
  history_->snapshots.finish(reached);
}

// Snapshots go first and surely: one whose log is gone must not come back with the next start.
void Storage::remove_unneeded() {
  const auto oldest = history_->snapshots.oldest_kept();
  if (!oldest) {
    return;
  }
  auto jobs = history_->snapshots.forget_before(*oldest);
  if (!jobs.empty()) {
    jobs.emplace_back(SyncDirectory{});
  }
  const auto segments = history_->log.forget_before(*oldest);
  jobs.insert(jobs.end(), segments.begin(), segments.end());
  if (!jobs.empty()) {
    queue_.submit(std::move(jobs));
  }
}

std::optional<WrittenSnapshot> Storage::on_disk_done(Ticket ticket) {
  queue_.on_disk_done(ticket);
  history_->log.on_disk_done();
  if (incoming_) {
    incoming_->log.on_disk_done();
    incoming_->snapshots.on_disk_done();
  }
  while (!saving_.empty() && queue_.is_done(saving_.front().ticket)) {
    epochs_ = saving_.front().epochs;
    saving_.pop_front();
  }
  if (retiring_ && queue_.is_done(retiring_->replaced)) {
    if (!retiring_->removal.empty()) {
      queue_.submit(std::move(retiring_->removal));
    }
    retiring_.reset();
  }
  const auto written = history_->snapshots.on_disk_done();
  if (written) {
    remove_unneeded();
  }
  return written;
}

}  // namespace zabfs::replication::store
