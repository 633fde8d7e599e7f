// One history of this server, whole: the log and the snapshots of a generation (layout.hpp).
//
// There is one that counts. While a leader's snapshot replaces it there is a second, which nobody
// asks until the epochs file names it: it is `complete` only with its snapshot and with a log that
// goes on from it as far as the snapshot's slices may.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "replication/model/ids.hpp"
#include "replication/ports/disk.hpp"
#include "replication/store/layout.hpp"
#include "replication/store/log.hpp"
#include "replication/store/snapshot_store.hpp"

namespace zabfs::replication::store {

struct HistoryId {
  Generation generation{};
  Zxid origin{};  // the snapshot that it begins with; 0 for the beginning of history
};

struct History {
  // Continues `found`, which is durable once `ticket` is done. `queue` outlives this.
  History(JobQueue& queue, const LogOptions& log_options, std::uint64_t snapshots_kept,
          const HistoryId& history, LogContents found, Ticket ticket)
      : id(history),
        log(queue, log_options, history.generation, std::move(found), ticket),
        snapshots(queue, snapshots_kept, history.generation) {}

  // Jobs that remove every file of it.
  std::vector<DiskJob> remove_all() {
    auto jobs = snapshots.remove_all();
    for (auto& job : log.remove_all()) {
      jobs.push_back(std::move(job));
    }
    return jobs;
  }

  // True if the snapshot it begins with is durable, and the log as far as that needs it: enough to
  // start from, whatever else is on its way behind.
  bool is_whole() const { return reached && !snapshots.is_writing() && *reached <= log.durable(); }

  HistoryId id;
  Log log;
  SnapshotStore snapshots;
  std::optional<Zxid> reached{};  // by the leader's snapshot, once it has been received
};

}  // namespace zabfs::replication::store
