// The log's reading end: what a crash left of it, or a refusal.
//
//   found                                        meaning                          answer
//   -------------------------------------------  -------------------------------  ----------------
//   zeros behind a record                        never written                    the end
//   bad record in the last segment               the last batch was torn          dropped, noted
//   last segment blank, or its header bad        its first batch was torn         dropped, noted
//   ... but a whole record of a later batch      synced bytes were lost           refusal
//       behind it
//   bad record or header in another segment      synced bytes were lost           refusal
//   segment does not begin where the one         a segment is missing or was      refusal
//   before it ends                               cut
//   log does not contain the snapshot's zxid     a gap between snapshot and log   refusal
//   truncation behind a zxid that is not there,  two histories mixed              refusal
//   or before what is known to be committed
//
// A batch is in flight only while the one before it is synced, so whatever is dropped was promised
// to nobody. (One case no format can tell: damage of the very last batch by the medium looks like a
// torn one. What a snapshot or the epochs file remembers of the end of the log still finds it out.)
//
// What is committed, as the records know, goes to the visitor. What is not is held back: a
// truncation may take it away again, and what is left at the end is the tail. So neither the
// visitor nor anybody behind it ever sees a transaction that is taken back.
//
// Only the segments from the snapshot on are read: from the newest one before which the log ended
// at the snapshot or earlier. Each is read whole: it is bounded by its size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "replication/model/limits.hpp"
#include "replication/ports/disk.hpp"
#include "replication/store/log.hpp"
#include "replication/store/refusal.hpp"

namespace zabfs::replication::store {

// What the log continues.
struct LogStart {
  Zxid origin{};    // where the generation begins
  Zxid snapshot{};  // taken at; the origin of the first generation if there is none
  Zxid reached{};   // by the snapshot: at least so much is committed
  std::size_t tail_bytes_max{limits::log_tail_bytes_max};
};

struct LoggedTransaction {
  Zxid zxid{};
  Bytes payload{};

  bool operator==(const LoggedTransaction&) const = default;
};

struct LogEnd {
  LogContents contents{};                 // once the repairs are done
  std::uint64_t entries{};                // seen by the visitor
  std::vector<LoggedTransaction> tail{};  // after contents.extent.committed(), in order
  std::vector<DiskJob> repairs{};         // cut off what is no record, then sync the rest
  std::string note{};                     // what was dropped; empty if nothing
};

// Sees every committed transaction after the snapshot in order; a returned sentence ends the
// reading with it.
using EntryVisitor = std::function<std::optional<std::string>(Zxid zxid, ByteView payload)>;

// Reads the log of `segments`, which are of one generation and ascending.
Verdict<LogEnd> read_log(const Disk& disk, const std::vector<SegmentId>& segments,
                         const LogStart& start, const EntryVisitor& visit);

}  // namespace zabfs::replication::store
