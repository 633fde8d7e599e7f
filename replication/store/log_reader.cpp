#include "replication/store/log_reader.hpp"

#include <algorithm>
#include <deque>
#include <limits>
#include <utility>

#include "replication/store/log_format.hpp"

namespace zabfs::replication::store {
namespace {

constexpr auto advice =
    "Nothing was changed. Restore the data directory from a backup, or empty it and let this "
    "server begin anew as a copy of the others.";

using MaybeRefusal = std::optional<Refusal>;

// Where a record stands, as part of a sentence.
struct Place {
  SegmentId segment{};
  std::size_t offset{};

  friend std::ostream& operator<<(std::ostream& out, const Place& place) {
    return out << " in " << segment_name(place.segment) << " at offset " << place.offset;
  }
};

// The transactions of a log, record by record: what is committed is passed on, the rest held back.
class Replay {
 public:
  Replay(const LogStart& start, const EntryVisitor& visit)
      : start_(start), visit_(visit), extent_(start.origin, start.origin) {}

  // The first segment that is read begins here.
  void begin(Zxid committed, Zxid previous) { extent_ = LogExtent(committed, previous); }

  // The next record, which stands at `where`.
  MaybeRefusal take(const LogEntry& entry, const Place& where) {
    const bool is_known = entry.kind == RecordKind::transaction ||
                          (entry.kind == RecordKind::truncation && entry.payload.empty());
    if (!is_known) {
      return refusal("The record", where, " is of a kind that this program does not know. ",
                     advice);
    }
    return entry.kind == RecordKind::transaction ? append(entry, where) : truncate(entry, where);
  }

  // Passes on what is committed up to `zxid`.
  MaybeRefusal commit(Zxid zxid) {
    extent_.commit(zxid);
    while (!held_.empty() && held_.front().transaction.zxid <= zxid) {
      const auto& [next, place] = held_.front();
      ++entries_;
      if (const auto objection = visit_(next.zxid, next.payload)) {
        return refusal("Transaction ", next.zxid, place, " makes no sense: ", *objection);
      }
      held_bytes_ -= bytes_of_record(next);
      held_.pop_front();
    }
    return std::nullopt;
  }

  const LogExtent& extent() const { return extent_; }
  std::uint64_t entries() const { return entries_; }
  std::vector<LoggedTransaction> take_tail() {
    std::vector<LoggedTransaction> tail;
    for (auto& held : held_) {
      tail.push_back(std::move(held.transaction));
    }
    return tail;
  }

 private:
  struct Held {
    LoggedTransaction transaction{};
    Place place{};
  };

  static std::size_t bytes_of_record(const LoggedTransaction& transaction) {
    return record_header_bytes + transaction.payload.size();
  }

  MaybeRefusal append(const LogEntry& entry, const Place& where) {
    const Zxid last = extent_.last();
    if (!last.is_followed_by(entry.zxid)) {
      return refusal("Transaction ", entry.zxid, " stands directly after ", last, where,
                     ", which is no order of transactions. ", advice);
    }
    if (entry.zxid > start_.snapshot && last < start_.snapshot) {
      return refusal("The log goes from ", last, " to ", entry.zxid, where,
                     " and so does not contain ", start_.snapshot,
                     ", where the snapshot was taken. ", advice);
    }
    if (entry.committed != extent_.mark_beside(entry.zxid, entry.committed)) {
      return refusal("Transaction ", entry.zxid, where, " says that ", entry.committed,
                     " was committed, although the log went from ", extent_.committed(), " to ",
                     last, ". ", advice);
    }
    extent_.append(entry.zxid);
    if (entry.zxid > start_.snapshot) {
      held_.push_back({{entry.zxid, {entry.payload.begin(), entry.payload.end()}}, where});
      held_bytes_ += bytes_of_record(held_.back().transaction);
    }
    if (auto refused = commit(entry.committed)) {
      return refused;
    }
    if (held_bytes_ > start_.tail_bytes_max) {
      return refusal("The log holds more than ", start_.tail_bytes_max, " bytes after ",
                     extent_.committed(), where,
                     " of which it does not say that they were committed: no server ever has so "
                     "many in flight. ",
                     advice);
    }
    return std::nullopt;
  }

  MaybeRefusal truncate(const LogEntry& entry, const Place& where) {
    if (entry.committed < extent_.committed() || entry.zxid < entry.committed ||
        !extent_.may_end_at(entry.zxid)) {
      return refusal("The log is truncated behind ", entry.zxid, where, ", although it ended at ",
                     extent_.last(), " and was committed up to ", extent_.committed(),
                     ": two histories are mixed. ", advice);
    }
    if (auto refused = commit(entry.committed)) {
      return refused;
    }
    extent_.truncate_after(entry.zxid);
    while (!held_.empty() && held_.back().transaction.zxid > entry.zxid) {
      held_bytes_ -= bytes_of_record(held_.back().transaction);
      held_.pop_back();
    }
    return std::nullopt;
  }

  LogStart start_;
  const EntryVisitor& visit_;
  LogExtent extent_;
  std::uint64_t entries_{};
  std::deque<Held> held_;     // after the snapshot, not known to be committed
  std::size_t held_bytes_{};  // with their headers
};

class Reading {
 public:
  Reading(const Disk& disk, const LogStart& start, const EntryVisitor& visit)
      : disk_(disk), start_(start), replay_(start, visit) {}

  Verdict<LogEnd> run(const std::vector<SegmentId>& segments) {
    for (auto at = find_first(segments); at != segments.end(); ++at) {
      if (const auto refused = read_segment(*at, at + 1 == segments.end())) {
        return *refused;
      }
    }
    const Zxid last = replay_.extent().last();
    if (last < start_.snapshot) {
      return refusal("The log ends at ", last, ", before the snapshot of ", start_.snapshot,
                     " that it must contain. ", advice);
    }
    if (last < start_.reached) {
      return refusal("The log ends at ", last, ", but the snapshot of ", start_.snapshot,
                     " was finished when it had reached ", start_.reached,
                     ": the end of the log is gone. ", advice);
    }
    if (const auto refused = replay_.commit(start_.reached)) {
      return *refused;
    }
    end_.contents.extent = replay_.extent();
    end_.contents.records = records_;
    end_.entries = replay_.entries();
    end_.tail = replay_.take_tail();
    return end_;
  }

 private:
  using Segments = std::vector<SegmentId>;

  // Notes all segments, and returns the one to begin with: the newest that continues the snapshot
  // or something before it, or the first of all.
  Segments::const_iterator find_first(const Segments& segments) {
    auto first = segments.begin();
    for (auto at = segments.begin(); at != segments.end(); ++at) {
      const auto header =
          decode_segment_header(disk_.read(segment_name(*at), 0, segment_header_bytes));
      // One whose header is gone is never a place to begin at.
      const Zxid previous =
          header ? header->previous : Zxid{std::numeric_limits<std::uint64_t>::max()};
      end_.contents.segments.push_back({.first = at->first, .previous = previous});
      if (previous <= start_.snapshot) {
        first = at;
      }
    }
    return first;
  }

  MaybeRefusal read_segment(const SegmentId& id, bool is_last) {
    const FileName file = segment_name(id);
    const auto size = disk_.size(file);
    if (size > std::numeric_limits<std::uint32_t>::max()) {
      return refusal(file, " has ", size, " bytes, more than a segment can have. ", advice);
    }
    const Bytes bytes = disk_.read(file, 0, size);
    const auto header = decode_segment_header(bytes);
    if (header && header->version != segment_version) {
      return refusal(file, " has format ", header->version, "; this program knows format ",
                     segment_version, ". Start the version of the program that wrote it.");
    }
    if (const auto refused = check_beginning(id, header)) {
      return refused;
    }
    std::size_t end = 0;
    if (header) {
      if (!is_any_read_) {
        replay_.begin(header->committed, header->previous);
        records_ = id.first;
        is_any_read_ = true;
      } else if (const auto refused = replay_.commit(header->committed)) {
        return refused;
      }
      end = segment_header_bytes;
      if (const auto refused = read_records(bytes, id, end)) {
        return refused;
      }
    }
    const bool is_torn = !header || !is_blank(ByteView(bytes).subspan(end));
    if (is_torn) {
      const auto later = record_of_later_batch(bytes, id, end);
      if (!is_last || later) {
        return lost(file, end, later);
      }
      note_torn_tail(file, end);
    }
    if (is_last) {
      repair(file, end, size);
    }
    return std::nullopt;
  }

  // `header` is what the segment says of itself, if that can be read.
  MaybeRefusal check_beginning(const SegmentId& id,
                               const std::optional<SegmentHeader>& header) const {
    const FileName file = segment_name(id);
    if (header && header->id != id) {
      return refusal(file, " says of itself that it is ", segment_name(header->id),
                     ", so it must have been renamed. Give it back its name.");
    }
    if (!continues(id, header)) {
      return refusal("Transactions are missing between ",
                     is_any_read_ ? replay_.extent().last() : start_.snapshot, " and ", file,
                     ": a file of the log, or its end, is gone. ", advice);
    }
    return std::nullopt;
  }

  bool continues(const SegmentId& id, const std::optional<SegmentHeader>& header) const {
    if (is_any_read_ || !header) {
      const auto& extent = replay_.extent();
      return id.first == records_ && (!header || (header->previous == extent.last() &&
                                                  header->committed >= extent.committed() &&
                                                  header->committed <= header->previous));
    }
    return header->previous <= start_.snapshot && header->committed <= header->previous &&
           (id.first > 0 || header->previous == start_.origin);
  }

  // Moves `end` behind the last whole record.
  MaybeRefusal read_records(ByteView segment, const SegmentId& id, std::size_t& end) {
    while (const auto record = record_at(segment, id, end)) {
      if (auto refused = replay_.take(record->entry, {id, end})) {
        return refused;
      }
      ++records_;
      end = record->end;
    }
    return std::nullopt;
  }

  Refusal lost(const FileName& file, std::size_t offset,
               const std::optional<LogRecord>& later) const {
    const auto evidence =
        later ? refusal("transaction ", later->entry.zxid, " of a later batch is whole")
              : refusal("a later file of the log exists");
    return refusal(file, " is damaged at offset ", offset, ", after transaction ",
                   replay_.extent().last(), ". This is no trace of a crash, because ",
                   evidence.sentence, ": transactions that were promised to clients are lost. ",
                   advice);
  }

  void note_torn_tail(const FileName& file, std::size_t offset) {
    end_.note = refusal("Dropped the end of ", file, " from offset ", offset,
                        ", after transaction ", replay_.extent().last(),
                        ": a batch that was being written when the server stopped.")
                    .sentence;
  }

  void repair(const FileName& file, std::size_t end, std::uint64_t size) {
    if (end <= segment_header_bytes) {
      end_.repairs.emplace_back(RemoveFile{file});
      end_.contents.segments.pop_back();
      return;
    }
    if (end < size) {
      end_.repairs.emplace_back(TruncateFile{file, end});
    }
    end_.repairs.emplace_back(SyncFile{file});
  }

  const Disk& disk_;
  LogStart start_;
  Replay replay_;
  bool is_any_read_{};
  std::uint64_t records_{};  // up to here
  LogEnd end_{};
};

}  // namespace

Verdict<LogEnd> read_log(const Disk& disk, const std::vector<SegmentId>& segments,
                         const LogStart& start, const EntryVisitor& visit) {
  return Reading(disk, start, visit).run(segments);
}

}  // namespace zabfs::replication::store
