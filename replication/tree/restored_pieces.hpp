// A snapshot that goes through the log, to take the place of the tree: as znodes, each with a piece
// of it, below a znode that nobody but the leader writes to.
//
//   /zookeeper/restoration                     its data: the name of the last restore that was done
//   /zookeeper/restoration/NAME-0000000000     a piece of the restore NAME
//   /zookeeper/restoration/NAME-0000000001     ...
//
// So the pieces are part of the tree like everything else: snapshots and learners have them without
// knowing of them, and every replica that applies the transaction `Restore` puts the same whole
// together. What the pieces hold, one behind the other: the slices of SnapshotWriter, each behind
// its length.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "replication/model/acl.hpp"
#include "replication/model/bytes.hpp"
#include "replication/tree/data_tree.hpp"
#include "replication/tree/snapshot_reader.hpp"
#include "replication/tree/snapshot_writer.hpp"

namespace zabfs::replication::tree {

// The ACL of a piece: sessions' passwords are in there.
inline Acl sealed_acl() { return {{0, {"world", "anyone"}}}; }

std::string piece_path(std::string_view name, std::int32_t number);

// True for the paths of all pieces of the restore `name`.
bool is_piece_of(std::string_view path, std::string_view name);

// The name of the restore that was the last to be done; empty if none ever was.
std::string last_restored(const DataTree& tree);

// Cuts a state into pieces, all but the last of `piece_bytes`.
class PieceWriter {
 public:
  // As of SnapshotWriter.
  PieceWriter(DataTree& tree, Bytes sessions, std::size_t piece_bytes, SliceBounds bounds = {});

  // The next piece, which is not empty; nullopt behind the last.
  std::optional<Bytes> next();

 private:
  SnapshotWriter writer_;
  const std::size_t piece_bytes_;
  Bytes ready_{};
  std::size_t taken_{};  // of what is ready
  bool has_more_{true};
};

// The state whose pieces are in `tree`, or a sentence about what is wrong with them: never so
// behind a Restore in the log, which its leader has tried before.
std::variant<LoadedSnapshot, std::string> put_together(const DataTree& tree,
                                                       const Restore& restore);

}  // namespace zabfs::replication::tree
