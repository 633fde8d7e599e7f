#include "daemon/zabctl/segment_scan.hpp"

#include <algorithm>

#include "daemon/zabctl/presentation.hpp"
#include "replication/store/epochs.hpp"

namespace zabfs::daemon::zabctl {

using namespace replication::store;
using replication::ByteView;

std::string SegmentScan::complaint() const {
  if (!header) {
    return bytes == 0 ? "is empty" : "has no header that can be read";
  }
  if (header->version != segment_version) {
    return "has format " + std::to_string(header->version) + "; this program knows format " +
           std::to_string(segment_version);
  }
  const std::string where = " at offset " + std::to_string(end) + ", after " +
                            (last == replication::Zxid{} ? "its header" : hex(last));
  switch (ended) {
    case SegmentEnd::clean:
      return "";
    case SegmentEnd::torn:
      return "ends in the middle of a batch" + where;
    case SegmentEnd::damaged:
      return "is damaged" + where + ": a record of a later batch, " + hex(later) + ", is whole";
  }
  return "";
}

SegmentScan scan_segment(ByteView bytes, const RecordVisitor& visit) {
  SegmentScan scan;
  scan.bytes = bytes.size();
  scan.header = decode_segment_header(bytes);
  if (!scan.header || scan.header->version != segment_version) {
    return scan;
  }
  const SegmentId id = scan.header->id;
  scan.end = segment_header_bytes;
  while (const auto record = record_at(bytes, id, scan.end)) {
    visit(record->entry, scan.end);
    if (record->entry.kind == RecordKind::transaction) {
      scan.last = record->entry.zxid;
    }
    ++scan.records;
    scan.end = record->end;
  }
  if (is_blank(bytes.subspan(scan.end))) {
    return scan;
  }
  const auto later = record_of_later_batch(bytes, id, scan.end);
  scan.ended = later ? SegmentEnd::damaged : SegmentEnd::torn;
  if (later) {
    scan.later = later->entry.zxid;
  }
  return scan;
}

std::vector<SegmentId> current_segments(const ReadOnlyDirectory& directory) {
  const auto listing = classify(directory.list());
  if (!listing) {
    throw Failure(listing.error().sentence);
  }
  std::vector<SegmentId> segments = listing->segments;
  if (segments.empty()) {
    return segments;
  }
  Generation generation = segments.back().generation;
  if (listing->has_epochs) {
    const auto record = decode_epochs(directory.read(epochs_file, 0, directory.size(epochs_file)));
    generation = record ? record->generation : generation;
  }
  std::erase_if(segments, [&](const SegmentId& id) { return id.generation != generation; });
  return segments;
}

}  // namespace zabfs::daemon::zabctl
