// The data directory, and the names in it.
//
//   epochs                               the promises, and which generation counts   (epochs.hpp)
//   log.00000000.0000000000000000        a segment: its generation, and how many records of the log
//                                        stand before it                         (log_format.hpp)
//   log.00000000.000000000000a3f7        the one that is being written
//   snapshot.00000000.0000000100009c40   a snapshot: its generation, and the last transaction that
//                                        is surely in it                    (snapshot_format.hpp)
//   epochs.tmp                           the next one, while it is being made; a crash may leave it
//   snapshot.tmp                         behind, and the next start removes it
//
// A generation is one history of this server. The first is 0; whenever a leader's snapshot replaces
// the whole history, another begins, and files of any but the one that `epochs` names count for
// nothing.
//
// Segments have the position of their first record in the name, not its zxid: behind a truncation
// the log goes on with zxids that it may have held before, but its records only ever become more.
//
// Numbers are lower-case hexadecimal digits, as many as their type can need, so names sort like
// what they name. Other names belong to others and are left alone, except that nobody else may use
// the beginnings "log." and "snapshot.": a directory of Apache ZooKeeper is refused, not added to.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "replication/model/ids.hpp"
#include "replication/ports/disk.hpp"
#include "replication/store/refusal.hpp"

namespace zabfs::replication::store {

inline const FileName epochs_file = "epochs";
inline const FileName epochs_draft = "epochs.tmp";
inline const FileName snapshot_draft = "snapshot.tmp";

// One history of this server, from its beginning or from a leader's snapshot on.
using Generation = Id<struct GenerationTag, std::uint32_t>;

struct SegmentId {
  Generation generation{};
  std::uint64_t first{};  // position of its first record in the log: how many stand before it

  static auto fields(auto& s) { return std::tie(s.generation, s.first); }
  friend auto operator<=>(const SegmentId&, const SegmentId&) = default;
};

struct SnapshotId {
  Generation generation{};
  Zxid taken_at{};

  static auto fields(auto& s) { return std::tie(s.generation, s.taken_at); }
  friend auto operator<=>(const SnapshotId&, const SnapshotId&) = default;
};

FileName segment_name(const SegmentId& segment);
FileName snapshot_name(const SnapshotId& snapshot);

// What a directory holds, ascending.
struct Listing {
  bool has_epochs{};
  std::vector<SegmentId> segments{};
  std::vector<SnapshotId> snapshots{};
  std::vector<FileName> drafts{};

  bool operator==(const Listing&) const = default;
};

Verdict<Listing> classify(const std::vector<FileName>& files);

}  // namespace zabfs::replication::store
