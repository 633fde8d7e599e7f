// The data directory, and the names in it.
//
//   epochs                      the promises                                     (epochs.hpp)
//   log.0000000100000001        a segment, named after its first transaction     (log_format.hpp)
//   log.000000010000a3f7        the one that is being written
//   snapshot.0000000100009c40   a snapshot, named after the last transaction that is surely in it
//                                                                                (snapshot_format.hpp)
//   epochs.tmp                  the next one, while it is being made; a crash may leave it behind,
//   snapshot.tmp                and the next start removes it
//
// Zxids are 16 lower-case hexadecimal digits, so names sort like history. Other names belong to
// others and are left alone, except that nobody else may use the beginnings "log." and "snapshot.":
// a directory of Apache ZooKeeper is refused, not added to.
#pragma once

#include <string>
#include <vector>

#include "replication/model/ids.hpp"
#include "replication/ports/disk.hpp"
#include "replication/store/refusal.hpp"

namespace zabfs::replication::store {

inline const FileName epochs_file = "epochs";
inline const FileName epochs_draft = "epochs.tmp";
inline const FileName snapshot_draft = "snapshot.tmp";

FileName segment_name(Zxid first);
FileName snapshot_name(Zxid taken_at);

// What a directory holds; zxids ascending.
struct Listing {
  bool has_epochs{};
  std::vector<Zxid> segments{};
  std::vector<Zxid> snapshots{};
  std::vector<FileName> drafts{};

  bool operator==(const Listing&) const = default;
};

Verdict<Listing> classify(const std::vector<FileName>& files);

}  // namespace zabfs::replication::store
