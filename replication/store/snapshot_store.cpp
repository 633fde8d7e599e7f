#include "replication/store/snapshot_store.hpp"

#include <algorithm>
#include <utility>

#include "replication/model/check.hpp"

namespace zabfs::replication::store {
namespace {

void insert_once(std::vector<Zxid>& ascending, Zxid zxid) {
  const auto at = std::ranges::lower_bound(ascending, zxid);
  if (at == ascending.end() || *at != zxid) {
    ascending.insert(at, zxid);
  }
}

}  // namespace

void SnapshotStore::resume(std::vector<Zxid> files, std::vector<Zxid> whole) {
  files_ = std::move(files);
  whole_ = std::move(whole);
}

void SnapshotStore::begin(Zxid taken_at) {
  CHECK(!draft_, "snapshot of ", draft_->taken_at, " is still being written");
  draft_ = Draft{.taken_at = taken_at};
  draft_->last = queue_.submit(
      {CreateFile{snapshot_draft, 0},
       WriteFile{snapshot_draft, 0, draft_->encoder.header({generation_, taken_at})}});
}

bool SnapshotStore::wants_slice() const {
  return draft_ && !draft_->is_finished && queue_.is_done(draft_->last);
}

void SnapshotStore::add(ByteView slice) {
  CHECK(wants_slice());
  const auto offset = draft_->encoder.bytes();
  draft_->last = queue_.submit(
      {WriteFile{snapshot_draft, offset, draft_->encoder.slice(slice)}, SyncFile{snapshot_draft}});
}

void SnapshotStore::finish(Zxid reached) {
  CHECK(draft_ && !draft_->is_finished && draft_->taken_at <= reached, "reached ", reached);
  const auto offset = draft_->encoder.bytes();
  draft_->last =
      queue_.submit({WriteFile{snapshot_draft, offset, draft_->encoder.trailer(reached)},
                     SyncFile{snapshot_draft},
                     RenameFile{snapshot_draft, snapshot_name({generation_, draft_->taken_at})},
                     SyncDirectory{}});
  draft_->is_finished = true;
}

void SnapshotStore::abandon() {
  if (draft_ && !draft_->is_finished) {
    queue_.submit({RemoveFile{snapshot_draft}});
    draft_.reset();
  }
}

std::vector<DiskJob> SnapshotStore::remove_all() const {
  std::vector<DiskJob> jobs;
  for (const Zxid file : files_) {
    jobs.push_back(RemoveFile{snapshot_name({generation_, file})});
  }
  if (draft_) {
    jobs.push_back(RemoveFile{draft_->is_finished ? snapshot_name({generation_, draft_->taken_at})
                                                  : snapshot_draft});
  }
  return jobs;
}

std::optional<WrittenSnapshot> SnapshotStore::on_disk_done() {
  if (!draft_ || !draft_->is_finished || !queue_.is_done(draft_->last)) {
    return std::nullopt;
  }
  const WrittenSnapshot written{draft_->taken_at, draft_->encoder.bytes()};
  draft_.reset();
  insert_once(files_, written.zxid);
  insert_once(whole_, written.zxid);
  return written;
}

std::optional<Zxid> SnapshotStore::oldest_kept() const {
  return whole_.size() < kept_ ? std::nullopt : std::optional(whole_[whole_.size() - kept_]);
}

std::vector<DiskJob> SnapshotStore::forget_before(Zxid oldest) {
  std::vector<DiskJob> jobs;
  for (const Zxid file : files_) {
    if (file < oldest) {
      jobs.push_back(RemoveFile{snapshot_name({generation_, file})});
    }
  }
  std::erase_if(files_, [&](Zxid file) { return file < oldest; });
  std::erase_if(whole_, [&](Zxid file) { return file < oldest; });
  return jobs;
}

}  // namespace zabfs::replication::store
