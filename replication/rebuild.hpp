// The replicated state, built again from what the store reads: a snapshot, if there is one, then
// the log behind it. A replica that starts does this, and whoever inspects a data directory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "replication/session/session_table.hpp"
#include "replication/store/recovery.hpp"
#include "replication/tree/data_tree.hpp"
#include "replication/tree/snapshot_reader.hpp"

namespace zabfs::replication {

class Rebuild : public store::RecoverySink {
 public:
  // Both are those of a fresh replica, and outlive this.
  Rebuild(tree::DataTree& tree, session::SessionTable& sessions)
      : tree_(tree), sessions_(sessions) {}

  void on_snapshot(Zxid taken_at, Zxid reached) override;
  std::optional<std::string> on_slice(ByteView slice) override;
  std::optional<std::string> on_entry(Zxid zxid, ByteView payload) override;

  // To be called once everything has been read. Returns what is wrong with it, as on_entry does.
  std::optional<std::string> finish() { return finish_snapshot(); }

  // Of the log behind the snapshot.
  std::uint64_t bytes_applied() const { return bytes_applied_; }

 private:
  std::optional<std::string> finish_snapshot();

  tree::DataTree& tree_;
  session::SessionTable& sessions_;
  std::optional<tree::SnapshotReader> reader_;  // while the snapshot is being read
  tree::Applied applied_;
  std::uint64_t bytes_applied_{};
};

}  // namespace zabfs::replication
