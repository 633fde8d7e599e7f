#include "daemon/zabctl/loaded_state.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "replication/jute/jute_archive.hpp"
#include "replication/rebuild.hpp"
#include "replication/store/recovery.hpp"
#include "replication/store/snapshot_format.hpp"

namespace zabfs::daemon::zabctl {

using namespace replication::store;
using replication::Bytes;
using replication::ByteView;
using replication::FileName;
using replication::Rebuild;
using replication::Zxid;

namespace {

// Offsets of a snapshot's header, as docs/storage_format.md has them.
constexpr std::size_t snapshot_id_at = 12;
constexpr std::size_t snapshot_id_bytes = 12;

// A disk with one file, whatever it is asked for.
class OneFile : public replication::Disk {
 public:
  explicit OneFile(const std::string& path)
      : directory_(std::filesystem::absolute(path).parent_path()),
        name_(std::filesystem::path(path).filename()) {}

  std::vector<FileName> list() const override { return {name_}; }
  std::uint64_t size(const FileName& /*file*/) const override { return directory_.size(name_); }
  Bytes read(const FileName& /*file*/, std::uint64_t offset, std::uint64_t length) const override {
    return directory_.read(name_, offset, length);
  }
  void submit(std::vector<replication::DiskJob> jobs, replication::Ticket ticket) override {
    directory_.submit(std::move(jobs), ticket);
  }

 private:
  ReadOnlyDirectory directory_;
  FileName name_;
};

// What the file says of itself, if it is long enough to say anything. The checksums come later.
SnapshotId stated_id(const OneFile& file) {
  const Bytes raw = file.read({}, snapshot_id_at, snapshot_id_bytes);
  SnapshotId id;
  if (raw.size() == snapshot_id_bytes) {
    replication::jute::JuteReader from{raw};
    from(id);
  }
  return id;
}

// Nothing if the state could be loaded, else why not.
std::optional<std::string> try_to_load(const ReadOnlyDirectory& directory, LoadedState& state) {
  Rebuild rebuild(state.tree, state.sessions);
  // One whole snapshot is enough; the older ones may be going away just now.
  auto recovered = recover_directory(directory, 1, rebuild);
  if (!recovered) {
    return recovered.error().sentence;
  }
  if (auto refusal = rebuild.finish()) {
    return refusal;
  }
  const Recovery& recovery = recovered->recovery;
  if (recovery.fresh) {
    return directory.data() + " is no data directory of zabd: it has no file `epochs`.";
  }
  for (const auto& transaction : recovery.tail) {
    if (auto refusal = rebuild.on_entry(transaction.zxid, transaction.payload)) {
      return refusal;
    }
  }
  state.snapshot = recovery.snapshot;
  state.committed = recovery.committed;
  state.uncommitted = recovery.tail.size();
  state.accepted = recovery.epochs.accepted;
  state.note = recovery.note;
  return std::nullopt;
}

}  // namespace

std::unique_ptr<LoadedState> load_directory(const ReadOnlyDirectory& directory) {
  std::string why;
  auto state = settled(directory, [&] {
    auto loaded = std::make_unique<LoadedState>();
    if (auto refusal = try_to_load(directory, *loaded)) {
      why = *refusal;
      loaded.reset();
    }
    return loaded;
  });
  if (!state) {
    throw Failure(why);
  }
  return state;
}

bool is_snapshot_file(const std::string& path) {
  const Bytes magic = SnapshotEncoder().header({});
  const Bytes begins = OneFile(path).read({}, 0, snapshot_id_at);
  return begins.size() == snapshot_id_at && std::equal(begins.begin(), begins.end(), magic.begin());
}

std::unique_ptr<LoadedState> load_snapshot_file(const std::string& path) {
  const OneFile file(path);
  const SnapshotId id = stated_id(file);
  auto state = std::make_unique<LoadedState>();
  Rebuild rebuild(state->tree, state->sessions);
  rebuild.on_snapshot(id.taken_at, id.taken_at);
  const auto read =
      read_snapshot(file, id, [&](ByteView slice) { return rebuild.on_slice(slice); });
  if (!read) {
    throw Failure(path + " is no whole snapshot of zabd: " + read.error().sentence);
  }
  if (auto refusal = rebuild.finish()) {
    throw Failure(path + ": " + *refusal);
  }
  state->snapshot = state->committed = id.taken_at;
  return state;
}

std::unique_ptr<LoadedState> load_state(const std::string& path, const std::string& log) {
  return std::filesystem::is_directory(path) ? load_directory(ReadOnlyDirectory(path, log))
                                             : load_snapshot_file(path);
}

}  // namespace zabfs::daemon::zabctl
