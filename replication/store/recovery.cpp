#include "replication/store/recovery.hpp"

#include <algorithm>
#include <utility>

#include "replication/store/layout.hpp"
#include "replication/store/log_reader.hpp"
#include "replication/store/snapshot_format.hpp"

namespace zabfs::replication::store {
namespace {

constexpr auto advice =
    "Nothing was changed. Restore the data directory from a backup, or empty it and let this "
    "server "
    "begin anew as a copy of the others.";

void add_sentence(std::string& note, const std::string& sentence) {
  if (!note.empty() && !sentence.empty()) {
    note += ' ';
  }
  note += sentence;
}

Verdict<EpochRecord> read_epochs(const Disk& disk, const Listing& listing) {
  if (listing.has_epochs) {
    return decode_epochs(disk.read(epochs_file, 0, disk.size(epochs_file)));
  }
  if (listing.segments.empty() && listing.snapshots.empty()) {
    return EpochRecord{};
  }
  return refusal(
      "The file ", epochs_file,
      " is missing although the data directory is not empty. Without it this server could "
      "break promises that it made to leaders. ",
      advice);
}

struct Snapshots {
  std::vector<Zxid> whole{};  // ascending
  Zxid reached{};             // by the newest whole one
  std::string note{};         // about damaged ones
};

// Looks for the newest whole snapshots, at most `kept` of them.
Snapshots find_whole(const Disk& disk, const std::vector<Zxid>& files, std::uint64_t kept) {
  Snapshots found;
  for (auto file = files.rbegin(); file != files.rend() && found.whole.size() < kept; ++file) {
    const auto reached = read_snapshot(disk, *file, [](ByteView) { return std::nullopt; });
    if (!reached) {
      add_sentence(found.note, reached.error().sentence + " It was passed over.");
      continue;
    }
    if (found.whole.empty()) {
      found.reached = *reached;
    }
    found.whole.push_back(*file);
  }
  std::ranges::reverse(found.whole);
  return found;
}

// What must hold between the three; nullopt if it does.
std::optional<Refusal> disagreement(const EpochRecord& epochs, const Snapshots& snapshots,
                                    Zxid last) {
  if (epochs.epochs.current < last.epoch()) {
    return refusal("The log ends at ", last, " of epoch ", last.epoch(), ", but the file ",
                   epochs_file, " says that only epoch ", epochs.epochs.current,
                   " was entered: it is older than the log. ", advice);
  }
  if (last < snapshots.reached) {
    return refusal("The log ends at ", last, ", but ", snapshot_name(snapshots.whole.back()),
                   " was finished when it had reached ", snapshots.reached,
                   ": the end of the log is gone. ", advice);
  }
  if (last < epochs.history) {
    return refusal("The log ends at ", last, ", but the file ", epochs_file,
                   " was written when it had reached ", epochs.history,
                   ": the end of the log is gone. ", advice);
  }
  return std::nullopt;
}

std::vector<DiskJob> repairs_of(const Listing& listing, std::vector<DiskJob> log_repairs) {
  std::vector<DiskJob> jobs = std::move(log_repairs);
  for (const auto& draft : listing.drafts) {
    jobs.emplace_back(RemoveFile{draft});
  }
  jobs.emplace_back(SyncDirectory{});
  return jobs;
}

// Gives the newest whole snapshot to the sink.
std::optional<Refusal> load(const Disk& disk, const Snapshots& snapshots, RecoverySink& sink) {
  if (snapshots.whole.empty()) {
    return std::nullopt;
  }
  sink.on_snapshot(snapshots.whole.back(), snapshots.reached);
  const auto read = read_snapshot(disk, snapshots.whole.back(),
                                  [&](ByteView slice) { return sink.on_slice(slice); });
  return read ? std::nullopt : std::optional(read.error());
}

}  // namespace

Verdict<RecoveredDirectory> recover_directory(const Disk& disk, std::uint64_t snapshots_kept,
                                              RecoverySink& sink) {
  const auto listing = classify(disk.list());
  if (!listing) {
    return listing.error();
  }
  const auto epochs = read_epochs(disk, *listing);
  if (!epochs) {
    return epochs.error();
  }
  const Snapshots snapshots = find_whole(disk, listing->snapshots, snapshots_kept);
  if (const auto refused = load(disk, snapshots, sink)) {
    return *refused;
  }
  const Zxid base = snapshots.whole.empty() ? Zxid{} : snapshots.whole.back();
  auto log = read_log(disk, listing->segments, base,
                      [&](Zxid zxid, ByteView payload) { return sink.on_entry(zxid, payload); });
  if (!log) {
    return refusal(snapshots.note, snapshots.note.empty() ? "" : " ", log.error().sentence);
  }
  if (const auto refused = disagreement(*epochs, snapshots, log->last)) {
    return *refused;
  }
  RecoveredDirectory recovered{.recovery = {.fresh = !listing->has_epochs,
                                            .epochs = epochs->epochs,
                                            .snapshot = base,
                                            .last = log->last,
                                            .entries = log->entries,
                                            .note = snapshots.note},
                               .segments = std::move(log->segments),
                               .snapshots = listing->snapshots,
                               .whole_snapshots = snapshots.whole,
                               .repairs = repairs_of(*listing, std::move(log->repairs))};
  add_sentence(recovered.recovery.note, log->note);
  return recovered;
}

}  // namespace zabfs::replication::store
