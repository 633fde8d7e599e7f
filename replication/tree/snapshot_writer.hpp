// Writes the tree as it was at one moment, slice by slice, while transactions go on.
//
//   SnapshotWriter writer{tree, sessions.to_bytes()};
//   while (writer.next_slice(out)) { ... apply transactions, hand `out` to the disk ... }
//
// Nodes are visited in the order of their slots. A transaction that is about to change or delete a
// node which has not been visited makes the writer record it first, as it still is; nodes created
// after the beginning were never part of it. So the snapshot is exactly the tree after zxid(), and
// replaying the log from there needs no tolerance (docs/decisions/0002-consistent-snapshots.md).
//
// Beside the tree it needs one bit per slot, the sessions and the distinct ACLs until they are
// written, and the records that transactions forced and no slice has carried away yet: at most the
// tree once more, in the common case next to nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "replication/model/limits.hpp"
#include "replication/tree/data_tree.hpp"
#include "replication/tree/node.hpp"

namespace zabfs::replication::tree {

// A slice ends when it has reached either of the first two; it exceeds the second by at most one
// node. What is longer than the third comes in parts, each a slice that is not.
struct SliceBounds {
  std::size_t nodes{limits::snapshot_slice_nodes};
  std::size_t bytes{limits::snapshot_slice_bytes};
  std::size_t bytes_max{limits::snapshot_slice_bytes_max};
};

class SnapshotWriter : public ChangeObserver {
 public:
  // Begins the snapshot of `tree` as it is now. `sessions` is kept and given back by the reader as
  // it is. The tree must outlive the writer, must not be moved, and can have one writer at a time.
  SnapshotWriter(DataTree& tree, Bytes sessions, SliceBounds bounds = {});
  ~SnapshotWriter() override;
  SnapshotWriter(const SnapshotWriter&) = delete;
  SnapshotWriter& operator=(const SnapshotWriter&) = delete;

  // The last transaction the snapshot contains.
  Zxid zxid() const { return zxid_; }

  // Appends the next slice, which is never empty and never longer than `bytes_max`. False if it was
  // the last; do not call it then.
  bool next_slice(Bytes& out);

  void before_change(Slot slot) override;

 private:
  enum class Stage { header, nodes, end };

  // Records that go into one slice.
  struct Batch {
    Bytes bytes{};
    std::size_t nodes{};
  };

  void number_acls();
  bool write_whole(Bytes& out);
  void write_part(Bytes& out);
  void write_header(Bytes& out);
  void write_nodes(Bytes& out);
  void record(Bytes& out, Slot slot);
  bool is_full(std::size_t nodes, std::size_t bytes) const;
  std::uint32_t rank_of(Slot slot) const;
  Slot next_awaited();

  DataTree& tree_;
  const Zxid zxid_;
  const std::uint64_t digest_;
  const std::size_t node_count_;
  Bytes sessions_;
  const SliceBounds bounds_;
  Stage stage_{Stage::header};

  std::vector<std::uint64_t> part_;          // one bit per slot: part of the snapshot
  std::vector<std::uint64_t> awaited_;       // of those, not recorded yet
  std::vector<std::uint32_t> ranks_{};       // set bits of part_ before each of its words
  std::vector<std::uint32_t> acl_places_{};  // AclId to place in the header
  std::vector<Acl> acls_{};
  std::size_t cursor_{};        // words of awaited_ before it are zero
  std::deque<Batch> forced_{};  // recorded by transactions; only the last may grow
  Bytes cut_{};                 // a slice that is too long; empty if there is none
  std::size_t cut_written_{};   // of it
};

}  // namespace zabfs::replication::tree
