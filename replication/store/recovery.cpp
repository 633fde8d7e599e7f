#include "replication/store/recovery.hpp"

#include <algorithm>
#include <utility>

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
  std::vector<Zxid> files{};  // ascending, likewise the next
  std::vector<Zxid> whole{};
  Zxid reached{};      // by the newest whole one
  std::string note{};  // about damaged ones
};

// Looks for the newest whole snapshots of `generation`, at most `kept` of them.
Snapshots find_whole(const Disk& disk, const Listing& listing, Generation generation,
                     std::uint64_t kept) {
  Snapshots found;
  for (const auto& id : listing.snapshots) {
    if (id.generation == generation) {
      found.files.push_back(id.taken_at);
    }
  }
  for (auto file = found.files.rbegin(); file != found.files.rend() && found.whole.size() < kept;
       ++file) {
    const auto reached =
        read_snapshot(disk, {generation, *file}, [](ByteView) { return std::nullopt; });
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

// What must hold between the two; nullopt if it does.
std::optional<Refusal> disagreement(const EpochRecord& epochs, const LogContents& log) {
  const Zxid last = log.extent.last();
  if (epochs.epochs.accepted < last.epoch()) {
    return refusal("The log ends at ", last, " of epoch ", last.epoch(), ", but the file ",
                   epochs_file, " says that only epoch ", epochs.epochs.accepted,
                   " was accepted: it is older than the log. ", advice);
  }
  if (log.records < epochs.records) {
    return refusal("The log ends at ", last, " after ", log.records, " records, but the file ",
                   epochs_file, " was written when it had ", epochs.records,
                   ": the end of the log is gone. ", advice);
  }
  return std::nullopt;
}

// Everything that is not of `generation`, and drafts, is what a crash left behind.
std::vector<DiskJob> repairs_of(const Listing& listing, Generation generation,
                                std::vector<DiskJob> log_repairs) {
  std::vector<DiskJob> jobs = std::move(log_repairs);
  for (const auto& draft : listing.drafts) {
    jobs.emplace_back(RemoveFile{draft});
  }
  for (const auto& segment : listing.segments) {
    if (segment.generation != generation) {
      jobs.emplace_back(RemoveFile{segment_name(segment)});
    }
  }
  for (const auto& snapshot : listing.snapshots) {
    if (snapshot.generation != generation) {
      jobs.emplace_back(RemoveFile{snapshot_name(snapshot)});
    }
  }
  jobs.emplace_back(SyncDirectory{});
  return jobs;
}

std::vector<SegmentId> segments_of(const Listing& listing, Generation generation) {
  std::vector<SegmentId> segments = listing.segments;
  std::erase_if(segments, [&](const SegmentId& id) { return id.generation != generation; });
  return segments;
}

// Gives the newest whole snapshot to the sink.
std::optional<Refusal> load(const Disk& disk, const Snapshots& snapshots, Generation generation,
                            RecoverySink& sink) {
  if (snapshots.whole.empty()) {
    return std::nullopt;
  }
  sink.on_snapshot(snapshots.whole.back(), snapshots.reached);
  const auto read = read_snapshot(disk, {generation, snapshots.whole.back()},
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
  const auto record = read_epochs(disk, *listing);
  if (!record) {
    return record.error();
  }
  const Generation generation = record->generation;
  const Snapshots snapshots = find_whole(disk, *listing, generation, snapshots_kept);
  if (const auto refused = load(disk, snapshots, generation, sink)) {
    return *refused;
  }
  const Zxid base = snapshots.whole.empty() ? Zxid{} : snapshots.whole.back();
  auto log = read_log(disk, segments_of(*listing, generation),
                      {.origin = record->origin, .snapshot = base, .reached = snapshots.reached},
                      [&](Zxid zxid, ByteView payload) { return sink.on_entry(zxid, payload); });
  if (!log) {
    return refusal(snapshots.note, snapshots.note.empty() ? "" : " ", log.error().sentence);
  }
  if (const auto refused = disagreement(*record, log->contents)) {
    return *refused;
  }
  const LogExtent& extent = log->contents.extent;
  RecoveredDirectory recovered{
      .recovery = {.fresh = !listing->has_epochs,
                   .epochs = record->epochs,
                   .snapshot = base,
                   .committed = extent.committed(),
                   .last = extent.last(),
                   .entries = log->entries,
                   .tail = std::move(log->tail),
                   .note = snapshots.note},
      .generation = generation,
      .origin = record->origin,
      .log = log->contents,
      .snapshots = snapshots.files,
      .whole_snapshots = snapshots.whole,
      .repairs = repairs_of(*listing, generation, std::move(log->repairs))};
  Epoch& current = recovered.recovery.epochs.current;
  current = std::max(current, extent.last().epoch());
  add_sentence(recovered.recovery.note, log->note);
  return recovered;
}

}  // namespace zabfs::replication::store
