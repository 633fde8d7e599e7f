// The two promises of Zab about epochs, and which history counts, in one small file that is
// replaced as a whole.
//
//   accepted     the highest epoch whose leader this server has promised to follow
//   current      the epoch of the leader whose history this server has taken over
//   generation   the history that counts (layout.hpp)
//
// All stand in one record, so no crash can separate them: a history that a leader's snapshot
// brought and the claim to hold it become true in one moment. The file is written beside, synced,
// renamed, and its directory synced: a crash anywhere leaves the old record or the new one.
//
//   offset  field        survives
//   0       magic        a file that is something else
//   8       version      a file of another version of this program
//   12      accepted
//   16      current
//   20      generation
//   24      origin       the loss of a whole log: the zxid at which this generation begins, 0 for
//   the
//                        beginning of history
//   32      records      the loss of the end of the log: it held at least as many records when this
//                        was saved. Truncations are records too, so the number never shrinks, also
//                        when the zxids do.
//   40      checksum     damage of the medium (over everything before it)
//
// A missing file beside a log or a snapshot is a refusal, never a reason to guess: a server that
// forgets a promise may make it twice, and then two leaders reign in one epoch.
#pragma once

#include <cstdint>
#include <tuple>

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "replication/store/layout.hpp"
#include "replication/store/refusal.hpp"

namespace zabfs::replication::store {

struct Epochs {
  Epoch accepted{};
  Epoch current{};

  static auto fields(auto& e) { return std::tie(e.accepted, e.current); }
  bool operator==(const Epochs&) const = default;
};

// What the file holds.
struct EpochRecord {
  Epochs epochs{};
  Generation generation{};
  Zxid origin{};
  std::uint64_t records{};

  static auto fields(auto& r) { return std::tie(r.epochs, r.generation, r.origin, r.records); }
  bool operator==(const EpochRecord&) const = default;
};

Bytes encode(const EpochRecord& record);

// The record, or the reason why `bytes` are not one. Safe on any input.
Verdict<EpochRecord> decode_epochs(ByteView bytes);

}  // namespace zabfs::replication::store
