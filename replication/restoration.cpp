#include "replication/restoration.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "replication/jute/jute_archive.hpp"
#include "replication/model/check.hpp"
#include "replication/model/limits.hpp"
#include "replication/rebuild.hpp"
#include "replication/store/layout.hpp"
#include "replication/store/snapshot_format.hpp"
#include "replication/store/storage.hpp"
#include "replication/tree/snapshot_writer.hpp"

namespace zabfs::replication {
namespace {

// Where a snapshot says what it is of, as docs/storage_format.md has it.
constexpr std::uint64_t snapshot_id_at = 12;
constexpr std::uint64_t snapshot_id_bytes = 12;

const FileName file_name = "The snapshot";

// One file in memory, to be read only.
class OneFile : public Disk {
 public:
  explicit OneFile(ByteView bytes) : bytes_(bytes) {}

  std::vector<FileName> list() const override { return {file_name}; }
  std::uint64_t size(const FileName& /*file*/) const override { return bytes_.size(); }
  Bytes read(const FileName& /*file*/, std::uint64_t offset, std::uint64_t length) const override {
    const auto from = std::min<std::uint64_t>(offset, bytes_.size());
    const auto part = bytes_.subspan(from, std::min<std::uint64_t>(length, bytes_.size() - from));
    return {part.begin(), part.end()};
  }
  void submit(std::vector<DiskJob> /*jobs*/, Ticket /*ticket*/) override {
    CHECK(false, "a file in memory is not written");
  }

 private:
  ByteView bytes_;
};

// What the file says of itself, if it is long enough to say anything. The checksums come later.
store::SnapshotId stated_id(const OneFile& file) {
  const Bytes raw = file.read(file_name, snapshot_id_at, snapshot_id_bytes);
  store::SnapshotId id;
  if (raw.size() == snapshot_id_bytes) {
    jute::JuteReader from(raw);
    from(id);
  }
  return id;
}

// What is replaced is of no interest.
class Forgotten : public store::RecoverySink {
 public:
  void on_snapshot(Zxid /*taken_at*/, Zxid /*reached*/) override {}
  std::optional<std::string> on_slice(ByteView /*slice*/) override { return std::nullopt; }
  std::optional<std::string> on_entry(Zxid /*zxid*/, ByteView /*payload*/) override {
    return std::nullopt;
  }
};

// The state as of `zxid`, which is higher than anything in it.
void begin_history(tree::DataTree& tree, Zxid zxid) {
  constexpr const char* config = "/zookeeper/config";
  const tree::Node* node = tree.find(config);
  tree::Transaction transaction{.header = {.zxid = zxid}, .body = tree::OpenSession{}};
  if (node != nullptr && node->data_length > 0) {
    transaction.header.time_ms = node->mtime;
    transaction.body = tree::SetData{config, Bytes{}, 0};  // as in a fresh tree
  }
  tree::Applied applied;
  tree.apply(transaction, applied);
}

}  // namespace

std::variant<RestorableState, std::string> read_state(ByteView bytes) {
  const OneFile file(bytes);
  const store::SnapshotId id = stated_id(file);
  RestorableState state;
  Rebuild rebuild(state.tree, state.sessions);
  rebuild.on_snapshot(id.taken_at, id.taken_at);
  const auto read =
      store::read_snapshot(file, id, [&](ByteView slice) { return rebuild.on_slice(slice); });
  if (!read) {
    return read.error().sentence;
  }
  if (auto refusal = rebuild.finish()) {
    return std::move(*refusal);
  }
  if (state.tree.last_applied().epoch().value > limits::restored_epoch_max) {
    return "Its epoch is beyond all that a server could count on from.";
  }
  return state;
}

std::variant<Zxid, std::string> replace_state(Disk& disk, RestorableState state,
                                              const std::function<Ticket()>& await) {
  store::Storage storage(disk, {});
  Forgotten forgotten;
  const auto recovered = storage.recover(forgotten);
  if (!recovered) {
    return recovered.error().sentence;
  }
  const auto until = [&](auto is_true) {
    while (!is_true()) {
      storage.on_disk_done(await());
      storage.flush();
    }
  };
  until([&] { return storage.is_ready(); });

  const store::Epochs before = storage.epochs();
  const Epoch epoch{std::max(before.accepted, state.tree.last_applied().epoch()).value + 1};
  const Zxid zxid = Zxid::at(epoch, 1);
  begin_history(state.tree, zxid);
  storage.save_epochs({.accepted = epoch, .current = before.current});
  storage.begin_replacement(zxid);
  tree::SnapshotWriter writer(state.tree, state.sessions.to_bytes());
  for (bool has_more = true; has_more;) {
    until([&] { return storage.wants_replacement_slice(); });
    Bytes slice;
    has_more = writer.next_slice(slice);
    storage.add_replacement_slice(slice);
  }
  storage.finish_replacement(zxid);
  until([&] { return storage.is_replacement_durable_to(zxid); });
  storage.save_epochs({.accepted = epoch, .current = epoch});
  until([&] { return storage.are_epochs_saved(); });
  return zxid;
}

}  // namespace zabfs::replication
