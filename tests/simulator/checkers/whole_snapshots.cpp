#include "tests/simulator/checkers/whole_snapshots.hpp"

#include <optional>
#include <string>

#include "replication/rebuild.hpp"
#include "replication/store/layout.hpp"
#include "replication/store/snapshot_format.hpp"

namespace zabfs::test {

using namespace replication;

namespace {

// What is wrong with the snapshot; nullopt if nothing is.
std::optional<std::string> objection_to(const Disk& disk, const store::SnapshotId& id) {
  tree::DataTree tree;
  session::SessionTable sessions;
  Rebuild rebuild(tree, sessions);
  rebuild.on_snapshot(id.taken_at, id.taken_at);
  const auto read = store::read_snapshot(
      disk, id, [&rebuild](ByteView slice) { return rebuild.on_slice(slice); });
  if (!read) {
    return read.error().sentence;
  }
  if (auto refusal = rebuild.finish()) {
    return refusal;
  }
  return tree.last_applied() == id.taken_at ? std::nullopt
                                            : std::optional<std::string>("it is of another moment");
}

}  // namespace

void WholeSnapshots::on_trace(ServerId at, const TraceEvent& event, const Disk& disk) {
  const auto* finished = std::get_if<SnapshotFinished>(&event);
  if (finished == nullptr) {
    return;
  }
  std::optional<store::SnapshotId> newest;
  if (const auto listing = store::classify(disk.list())) {
    for (const store::SnapshotId& id : listing->snapshots) {
      newest = id.taken_at == finished->zxid ? id : newest;
    }
  }
  const auto objection =
      newest ? objection_to(disk, *newest) : std::optional<std::string>("it is not there");
  if (objection) {
    findings_.add("WholeSnapshots", "server ", at, " has written a snapshot of ", finished->zxid,
                  " that nobody can use: ", *objection);
  }
}

}  // namespace zabfs::test
