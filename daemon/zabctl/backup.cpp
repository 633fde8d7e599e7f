#include "daemon/zabctl/backup.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <filesystem>

#include "daemon/version.hpp"
#include "daemon/zabctl/new_file.hpp"
#include "daemon/zabctl/presentation.hpp"
#include "daemon/zabctl/segment_scan.hpp"
#include "replication/model/limits.hpp"
#include "replication/store/epochs.hpp"
#include "replication/store/layout.hpp"
#include "replication/store/snapshot_format.hpp"

namespace zabfs::daemon::zabctl {

using namespace replication::store;
using replication::Bytes;
using replication::ByteView;
using replication::Zxid;

namespace {

constexpr std::uint64_t piece_bytes = 1UL << 20;

class Backup {
 public:
  Backup(const ReadOnlyDirectory& from, std::string to) : from_(from), to_(std::move(to)) {}

  std::unique_ptr<LoadedState> run() {
    make_empty_directory(to_);
    // The promises first: what they say of the log is then not more than the copy will hold.
    const Bytes epochs = from_.read(epochs_file, 0, from_.size(epochs_file));
    const auto record = decode_epochs(epochs);
    if (!record) {
      throw Failure(record.error().sentence);
    }
    const Zxid snapshot = copy_snapshot(record->generation);
    for (const SegmentId& id : segments_behind(snapshot, record->generation)) {
      copy_segment(id);
    }
    write(epochs_file, epochs);
    auto state = load_directory(ReadOnlyDirectory(to_));
    describe(*state);
    return state;
  }

 private:
  // The newest whole one; zxid 0 if there is none, and the log is all there is.
  Zxid copy_snapshot(Generation generation) {
    const auto listing = classify(from_.list());
    if (!listing) {
      throw Failure(listing.error().sentence);
    }
    for (auto id = listing->snapshots.rbegin(); id != listing->snapshots.rend(); ++id) {
      const bool is_whole = id->generation == generation && read_snapshot(from_, *id, [](ByteView) {
                                                              return std::nullopt;
                                                            }).has_value();
      if (is_whole) {
        copy_file(snapshot_name(*id));
        return id->taken_at;
      }
    }
    return {};
  }

  std::vector<SegmentId> segments_behind(Zxid snapshot, Generation generation) {
    const auto listing = classify(from_.list());
    std::vector<SegmentId> segments = listing ? listing->segments : std::vector<SegmentId>{};
    std::erase_if(segments, [&](const SegmentId& id) { return id.generation != generation; });
    auto first = segments.begin();
    for (auto at = segments.begin(); at != segments.end(); ++at) {
      const auto header =
          decode_segment_header(from_.read(segment_name(*at), 0, segment_header_bytes));
      first = header && header->previous <= snapshot ? at : first;
    }
    segments.erase(segments.begin(), first);
    return segments;
  }

  // Up to its last whole record: what is behind is zeros, or a batch under way.
  void copy_segment(const SegmentId& id) {
    const auto name = segment_name(id);
    const Bytes bytes = from_.read(name, 0, from_.size(name));
    const auto scan = scan_segment(bytes, [](const LogEntry&, std::size_t) {});
    if (scan.ended == SegmentEnd::damaged) {
      throw Failure(
          from_.path_of(name) + " " + scan.complaint() +
          ". Back up another server of the ensemble; zabctl verify says what to do here.");
    }
    if (scan.records > 0) {
      write(name, ByteView(bytes).first(scan.end));
    }
  }

  void copy_file(const std::string& name) {
    NewFile file(to_, name);
    const std::uint64_t size = from_.size(name);
    for (std::uint64_t offset = 0; offset < size; offset += piece_bytes) {
      file.write(from_.read(name, offset, piece_bytes));
    }
    file.finish();
  }

  void write(const std::string& name, ByteView bytes) {
    NewFile file(to_, name);
    file.write(bytes);
    file.finish();
  }

  void describe(const LoadedState& state) {
    boost::json::object files;
    for (const auto& entry : std::filesystem::directory_iterator(to_)) {
      files[entry.path().filename().string()] = entry.file_size();
    }
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    const auto id = from_.server_id();
    const boost::json::object described{
        {"zabctl", version()},
        {"time", time_text(now.count())},
        {"from", from_.data()},
        {"server", id ? boost::json::value(*id) : boost::json::value(nullptr)},
        {"zxid", hex(state.tree.last_applied())},
        {"znodes", state.tree.node_count()},
        {"sessions", state.sessions.size()},
        {"digest", hex(state.tree.digest())},
        {"files", std::move(files)}};
    write("backup.json", replication::bytes_of(boost::json::serialize(described) + "\n"));
  }

  const ReadOnlyDirectory& from_;
  std::string to_;
};

}  // namespace

std::unique_ptr<LoadedState> back_up(const ReadOnlyDirectory& from, const std::string& to) {
  check_empty(to);
  for (int attempt = 1;; ++attempt) {
    try {
      return Backup(from, to).run();
    } catch (const Vanished&) {
      // The running server has purged what was being copied: a newer snapshot is there.
      if (attempt == replication::limits::looks_at_running_max || !from.is_in_use()) {
        throw;
      }
      for (const auto& entry : std::filesystem::directory_iterator(to)) {
        std::filesystem::remove(entry.path());
      }
    }
  }
}

}  // namespace zabfs::daemon::zabctl
