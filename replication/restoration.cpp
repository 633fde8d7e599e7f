#include "replication/restoration.hpp"

#include <algorithm>
#include <utility>

#include "replication/jute/jute_archive.hpp"
#include "replication/model/check.hpp"
#include "replication/model/limits.hpp"
#include "replication/rebuild.hpp"
#include "replication/store/layout.hpp"
#include "replication/store/snapshot_format.hpp"

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

}  // namespace zabfs::replication
