// One segment of the log, record by record, and how it ends: what `log` prints and `verify` checks.
//
// Recovery reads the log as a start needs it, and stops at the first doubt. This looks at every
// segment by itself, so that everything that can be read is shown, and each damage is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/zabctl/read_only_directory.hpp"
#include "replication/store/layout.hpp"
#include "replication/store/log_format.hpp"

namespace zabfs::daemon::zabctl {

enum class SegmentEnd {
  clean,    // nothing or zeros stand behind the last record
  torn,     // something does, as a batch that was being written leaves it
  damaged,  // something does that no crash leaves: a whole record of a later batch follows
};

struct SegmentScan {
  std::optional<replication::store::SegmentHeader> header{};  // nothing if it is not whole
  std::uint64_t records{};                                    // truncations included
  std::uint64_t bytes{};                                      // of the file
  std::size_t end{};                                          // offset behind the last whole record
  SegmentEnd ended{SegmentEnd::clean};
  replication::Zxid last{};   // of the last transaction; 0 if there is none
  replication::Zxid later{};  // damaged: the zxid of the record that proves it

  // What is wrong with it, as the end of a sentence; empty if nothing is.
  std::string complaint() const;
};

// Sees every whole record and its offset.
using RecordVisitor =
    std::function<void(const replication::store::LogEntry& entry, std::size_t offset)>;

// Safe on any bytes.
SegmentScan scan_segment(replication::ByteView bytes, const RecordVisitor& visit);

// The segments of the history that counts, ascending; without an `epochs` file that can be read, of
// the newest generation.
std::vector<replication::store::SegmentId> current_segments(const ReadOnlyDirectory& directory);

}  // namespace zabfs::daemon::zabctl
