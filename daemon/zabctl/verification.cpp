#include "daemon/zabctl/verification.hpp"

#include <map>
#include <optional>
#include <utility>

#include "daemon/zabctl/loaded_state.hpp"
#include "daemon/zabctl/log_verification.hpp"
#include "daemon/zabctl/presentation.hpp"
#include "replication/rebuild.hpp"
#include "replication/store/epochs.hpp"
#include "replication/store/log_reader.hpp"
#include "replication/store/snapshot_format.hpp"

namespace zabfs::daemon::zabctl {

using namespace replication::store;
using replication::ByteView;
using replication::Rebuild;
using replication::Zxid;

namespace {

class Verification {
 public:
  explicit Verification(const ReadOnlyDirectory& directory) : directory_(directory) {}

  VerificationReport run() {
    const auto listing = classify(directory_.list());
    if (!listing) {
      throw Failure(listing.error().sentence);
    }
    if (!listing->has_epochs && listing->segments.empty() && listing->snapshots.empty()) {
      throw Failure(directory_.data() +
                    " is no data directory of zabd: it has no epochs, no snapshot and no log.");
    }
    read_epochs(*listing);
    note_leftovers(*listing);
    for (const auto& id : listing->snapshots) {
      if (id.generation == epochs_.generation) {
        check_snapshot(id);
      }
    }
    advise_on_snapshots();
    const std::size_t problems_so_far = report_.problems.size();
    check_log(*listing);
    if (report_.problems.size() == problems_so_far && has_epochs_) {
      try {
        replay_between_snapshots(*listing);
      } catch (const Vanished&) {
        report_.notes.push_back(
            "The server removed an old snapshot while it was read, so it was not compared with the "
            "log behind it.");
      }
    }
    check_start();
    return std::move(report_);
  }

 private:
  void problem(std::string sentence, std::string advice) {
    report_.problems.push_back({std::move(sentence), std::move(advice)});
  }

  void read_epochs(const Listing& listing) {
    if (!listing.has_epochs) {
      problem("The file epochs is missing: the server's promises to leaders are lost.",
              replacement_advice(directory_));
    } else {
      const auto record =
          decode_epochs(directory_.read(epochs_file, 0, directory_.size(epochs_file)));
      if (record) {
        epochs_ = *record;
        has_epochs_ = true;
        return;
      }
      problem(record.error().sentence, replacement_advice(directory_));
    }
    if (!listing.segments.empty()) {
      epochs_.generation = listing.segments.back().generation;
    } else if (!listing.snapshots.empty()) {
      epochs_.generation = listing.snapshots.back().generation;
    }
  }

  void note_leftovers(const Listing& listing) {
    std::size_t others = 0;
    for (const auto& id : listing.segments) {
      others += id.generation == epochs_.generation ? 0U : 1U;
    }
    for (const auto& id : listing.snapshots) {
      others += id.generation == epochs_.generation ? 0U : 1U;
    }
    others += listing.drafts.size();
    if (others > 0) {
      report_.notes.push_back(
          counted(others, "file") +
          (directory_.is_in_use() ? " of a snapshot or a replacement that the server is working on."
                                  : " left by a crash or a replacement that was not finished; the "
                                    "next start removes them."));
    }
  }

  void check_snapshot(const SnapshotId& id) {
    CheckedSnapshot checked{.file = snapshot_name(id), .zxid = id.taken_at};
    try {
      checked.bytes = directory_.size(checked.file);
      const auto state = load_snapshot_file(directory_.path_of(checked.file));
      checked.is_whole = state->tree.last_applied() == id.taken_at;
      checked.znodes = state->tree.node_count();
      checked.sessions = state->sessions.size();
      checked.digest = state->tree.digest();
      checked.sessions_digest = state->sessions.digest();
      if (!checked.is_whole) {
        damaged_.push_back(checked.file + " holds the state after " +
                           hex(state->tree.last_applied()) + ", which is not what its name says.");
      }
    } catch (const Vanished&) {
      return;
    } catch (const Failure& failure) {
      damaged_.push_back(failure.what());
    }
    report_.snapshots.push_back(std::move(checked));
  }

  void advise_on_snapshots() {
    const CheckedSnapshot* newest = nullptr;
    for (const auto& snapshot : report_.snapshots) {
      newest = snapshot.is_whole ? &snapshot : newest;
    }
    for (auto& sentence : damaged_) {
      problem(
          std::move(sentence),
          newest != nullptr
              ? newest->file +
                    " is whole: with the log behind it the server can do without the damaged one. "
                    "Look after the disk, then remove the damaged file while the server is stopped."
              : "There is no other whole snapshot. " + replacement_advice(directory_));
    }
  }

  void check_log(const Listing& listing) {
    std::vector<SegmentId> segments;
    for (const auto& id : listing.segments) {
      if (id.generation == epochs_.generation) {
        segments.push_back(id);
      }
    }
    verify_log(directory_, segments, report_);
    if (has_epochs_ && !segments.empty() && segments.front().first == 0 &&
        !report_.segments.empty()) {
      note_records(segments);
    }
  }

  // A log that is whole from its first record on shows by itself whether its end is there.
  void note_records(const std::vector<SegmentId>& segments) {
    const std::uint64_t records = segments.back().first + report_.segments.back().records;
    if (records < epochs_.records) {
      problem("The log has " + std::to_string(records) + " records, but had at least " +
                  std::to_string(epochs_.records) +
                  " when the file epochs was written: its end is "
                  "gone.",
              replacement_advice(directory_));
    }
  }

  // From the oldest whole snapshot on through all of the log: at every later snapshot, the
  // transactions must have led to the state that it holds.
  void replay_between_snapshots(const Listing& listing) {
    std::map<Zxid, const CheckedSnapshot*> whole;
    for (const auto& snapshot : report_.snapshots) {
      if (snapshot.is_whole) {
        whole[snapshot.zxid] = &snapshot;
      }
    }
    if (whole.size() < 2) {
      return;
    }
    const Zxid base = whole.begin()->first;
    LoadedState state;
    Rebuild rebuild(state.tree, state.sessions);
    rebuild.on_snapshot(base, base);
    auto reached = read_snapshot(directory_, {epochs_.generation, base},
                                 [&](ByteView slice) { return rebuild.on_slice(slice); });
    if (!reached) {
      return;  // It has just been purged.
    }
    auto next = std::next(whole.begin());
    std::vector<SegmentId> segments = listing.segments;
    std::erase_if(segments, [&](const auto& id) { return id.generation != epochs_.generation; });
    const auto read = read_log(directory_, segments,
                               {.origin = epochs_.origin, .snapshot = base, .reached = *reached},
                               [&](Zxid zxid, ByteView payload) -> std::optional<std::string> {
                                 auto refusal = rebuild.on_entry(zxid, payload);
                                 if (!refusal && next != whole.end() && zxid == next->first) {
                                   compare(state, *next->second, base);
                                   ++next;
                                 }
                                 return refusal;
                               });
    if (!read) {
      problem("The log cannot be replayed from the oldest snapshot on: " + read.error().sentence,
              "As long as a start is possible (see below), the older snapshots are only no help.");
    }
  }

  void compare(const LoadedState& state, const CheckedSnapshot& snapshot, Zxid base) {
    if (state.tree.digest() != snapshot.digest ||
        state.sessions.digest() != snapshot.sessions_digest) {
      problem("Replaying the log from " + hex(base) + " to " + hex(snapshot.zxid) +
                  " does not lead to the state in " + snapshot.file +
                  ": this server's memory and its log had come apart.",
              "Compare with the other servers (zabctl snapshot --diff) before you trust either. " +
                  replacement_advice(directory_));
    }
  }

  void check_start() {
    try {
      const auto state = load_directory(directory_);
      report_.can_start = true;
      report_.snapshot = state->snapshot;
      report_.last = state->tree.last_applied();
      report_.committed = state->committed;
      report_.accepted = state->accepted;
      report_.znodes = state->tree.node_count();
      report_.sessions = state->sessions.size();
      report_.digest = state->tree.digest();
    } catch (const Failure& failure) {
      problem(std::string("A start is refused: ") + failure.what(), replacement_advice(directory_));
    }
  }

  const ReadOnlyDirectory& directory_;
  VerificationReport report_{};
  EpochRecord epochs_{};
  bool has_epochs_{};
  std::vector<std::string> damaged_{};  // about snapshots, sentence by sentence
};

}  // namespace

VerificationReport verify(const ReadOnlyDirectory& directory) {
  return settled(directory, [&] { return Verification(directory).run(); });
}

}  // namespace zabfs::daemon::zabctl
