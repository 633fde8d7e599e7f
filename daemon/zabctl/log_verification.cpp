#include "daemon/zabctl/log_verification.hpp"

#include <optional>
#include <utility>

#include "daemon/zabctl/presentation.hpp"
#include "daemon/zabctl/segment_scan.hpp"
#include "replication/tree/transaction.hpp"

namespace zabfs::daemon::zabctl {

using namespace replication::store;
using replication::Zxid;

namespace {

class LogVerification {
 public:
  LogVerification(const ReadOnlyDirectory& directory, VerificationReport& report)
      : directory_(directory), report_(report) {}

  void check(const SegmentId& id, bool is_last) {
    const std::string file = segment_name(id);
    replication::Bytes bytes;
    try {
      bytes = directory_.read(file, 0, directory_.size(file));
    } catch (const Vanished&) {
      return;
    }
    check_place(file, id, decode_segment_header(bytes));
    const auto scan = scan_segment(bytes, [&](const LogEntry& entry, std::size_t offset) {
      check_record(file, entry, offset);
    });
    const std::string complaint = scan.complaint();
    const bool may_be_torn = is_last && scan.ended != SegmentEnd::damaged &&
                             (!scan.header || scan.header->version == segment_version);
    if (!complaint.empty() && may_be_torn) {
      report_.notes.push_back(file + " " + complaint +
                              ": a batch that was being written when the server stopped, or is "
                              "now. It was promised to nobody.");
    } else if (!complaint.empty()) {
      problem(file + " " + complaint +
              ": transactions that were promised to clients are lost on this server.");
    }
    report_.segments.push_back(
        {.file = file, .records = scan.records, .bytes = scan.bytes, .last = scan.last});
    records_ = id.first + scan.records;
    is_whole_so_far_ = complaint.empty();
  }

 private:
  void problem(std::string sentence) {
    report_.problems.push_back({std::move(sentence), replacement_advice(directory_)});
  }

  // Does the segment begin where the one before it ended?
  void check_place(const std::string& file, const SegmentId& id,
                   const std::optional<SegmentHeader>& header) {
    if (header && header->id != id) {
      report_.problems.push_back(
          {file + " says of itself that it is " + segment_name(header->id) + ": it was renamed.",
           "Give it back its name."});
    }
    if (records_ && is_whole_so_far_ && id.first != *records_) {
      problem("Records " + std::to_string(*records_) + " to " + std::to_string(id.first) +
              " of the log are missing before " + file +
              ": a file of the log is gone, or its end.");
    } else if (records_ && is_whole_so_far_ && header && header->previous != last_) {
      problem(file + " continues a log that ended at " + hex(header->previous) +
              ", but the one before it ends at " + hex(last_) + ": two histories are mixed.");
    }
    if (header) {
      last_ = header->previous;
    }
  }

  void check_record(const std::string& file, const LogEntry& entry, std::size_t offset) {
    const std::string where = " in " + file + " at offset " + std::to_string(offset);
    if (entry.kind == RecordKind::truncation) {
      last_ = entry.zxid;
      return;
    }
    if (entry.kind != RecordKind::transaction) {
      problem("The record" + where + " is of a kind that this program does not know.");
      return;
    }
    if (!last_.is_followed_by(entry.zxid)) {
      problem("Transaction " + hex(entry.zxid) + " stands directly after " + hex(last_) + where +
              ", which is no order of transactions.");
    }
    last_ = entry.zxid;
    const auto transaction = replication::tree::decode_transaction(entry.payload);
    if (!transaction || transaction->header.zxid != entry.zxid) {
      problem("Transaction " + hex(entry.zxid) + where + " is none that this program wrote.");
    }
  }

  const ReadOnlyDirectory& directory_;
  VerificationReport& report_;
  std::optional<std::uint64_t> records_{};  // where the segment before ended
  bool is_whole_so_far_{true};
  Zxid last_{};
};

}  // namespace

void verify_log(const ReadOnlyDirectory& directory, const std::vector<SegmentId>& segments,
                VerificationReport& report) {
  LogVerification log(directory, report);
  for (const SegmentId& id : segments) {
    log.check(id, id == segments.back());
  }
}

std::string replacement_advice(const ReadOnlyDirectory& directory) {
  const auto id = directory.server_id();
  if (!id) {
    return "Stop the server, move the directory away, and restore a backup into an empty one "
           "(zabctl restore).";
  }
  const std::string server = "server " + std::to_string(*id);
  return "If a majority of the other servers serves (zabctl status): stop " + server +
         ", move everything but myid out of its directory, and start it; it fetches everything "
         "from "
         "the leader. If not, keep this directory, and restore all servers from a backup (zabctl "
         "restore).";
}

}  // namespace zabfs::daemon::zabctl
