#include "replication/store/log_reader.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "replication/store/layout.hpp"
#include "replication/store/log_format.hpp"

namespace zabfs::replication::store {
namespace {

class Reading {
 public:
  Reading(const Disk& disk, std::vector<Zxid> segments, Zxid base, const EntryVisitor& visit)
      : disk_(disk), base_(base), previous_(base), visit_(visit) {
    end_.segments = std::move(segments);
  }

  Verdict<LogEnd> run() {
    const std::vector<Zxid> segments = end_.segments;
    // The segment that contains `base`, or the first.
    const auto after = std::ranges::upper_bound(segments, base_);
    for (auto at = after == segments.begin() ? after : after - 1; at != segments.end(); ++at) {
      if (const auto refused = read_segment(*at, at + 1 == segments.end())) {
        return *refused;
      }
    }
    end_.last = is_any_read_ ? previous_ : Zxid{};
    if (end_.last < base_) {
      return refusal("The log ends at ", end_.last, ", before the snapshot of ", base_,
                     " that it must contain. ", advice);
    }
    return end_;
  }

 private:
  static constexpr auto advice =
      "Nothing was changed. Restore the data directory from a backup, or empty it and let this "
      "server begin anew as a copy of the others.";

  using MaybeRefusal = std::optional<Refusal>;

  MaybeRefusal read_segment(Zxid first, bool is_last) {
    const FileName file = segment_name(first);
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
    if (const auto refused = check_beginning(first, header)) {
      return refused;
    }
    std::size_t end = 0;
    if (header) {
      previous_ = header->previous;
      is_any_read_ = true;
      end = segment_header_bytes;
      if (const auto refused = read_records(bytes, first, end)) {
        return refused;
      }
    }
    const bool is_torn = !header || !is_blank(ByteView(bytes).subspan(end));
    if (is_torn) {
      const auto later = record_of_later_batch(bytes, first, end);
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
  MaybeRefusal check_beginning(Zxid first, const std::optional<SegmentHeader>& header) const {
    const FileName file = segment_name(first);
    if (header && header->first != first) {
      return refusal(file, " begins with ", header->first,
                     ", so it must have been renamed. Give it back its name, ",
                     segment_name(header->first), ".");
    }
    const bool continues = !is_any_read_ && header ? header->previous <= base_
                                                   : previous_.is_followed_by(first) &&
                                                         (!header || header->previous == previous_);
    if (!continues) {
      return refusal("Transactions are missing between ", previous_, " and ", file,
                     ", which continues after ", header ? header->previous : Zxid{first.value - 1},
                     ": a file of the log, or its end, is gone. ", advice);
    }
    return std::nullopt;
  }

  // Moves `end` behind the last whole record.
  MaybeRefusal read_records(ByteView segment, Zxid first, std::size_t& end) {
    while (const auto record = record_at(segment, first, end)) {
      const bool is_first = end == segment_header_bytes;
      if (!previous_.is_followed_by(record->zxid) || (is_first && record->zxid != first)) {
        return refusal(segment_name(first), " has ", record->zxid, " directly after ", previous_,
                       " at offset ", end, ", which is no order of transactions. ", advice);
      }
      if (record->zxid > base_ && previous_ < base_) {
        return refusal(segment_name(first), " goes from ", previous_, " to ", record->zxid,
                       " at offset ", end, " and so does not contain ", base_,
                       ", where the snapshot was taken. ", advice);
      }
      if (record->zxid > base_) {
        ++end_.entries;
        if (const auto objection = visit_(record->zxid, record->payload)) {
          return refusal("Transaction ", record->zxid, " in ", segment_name(first), " at offset ",
                         end, " makes no sense: ", *objection);
        }
      }
      previous_ = record->zxid;
      end = record->end;
    }
    return std::nullopt;
  }

  Refusal lost(const FileName& file, std::size_t offset,
               const std::optional<LogRecord>& later) const {
    const auto evidence = later ? refusal("transaction ", later->zxid, " of a later batch is whole")
                                : refusal("a later file of the log exists");
    return refusal(file, " is damaged at offset ", offset, ", after transaction ", previous_,
                   ". This is no trace of a crash, because ", evidence.sentence,
                   ": transactions that were promised to clients are lost. ", advice);
  }

  void note_torn_tail(const FileName& file, std::size_t offset) {
    end_.note =
        refusal("Dropped the end of ", file, " from offset ", offset, ", after transaction ",
                previous_, ": a batch that was being written when the server stopped.")
            .sentence;
  }

  void repair(const FileName& file, std::size_t end, std::uint64_t size) {
    if (end <= segment_header_bytes) {
      end_.repairs.emplace_back(RemoveFile{file});
      end_.segments.pop_back();
      return;
    }
    if (end < size) {
      end_.repairs.emplace_back(TruncateFile{file, end});
    }
    end_.repairs.emplace_back(SyncFile{file});
  }

  const Disk& disk_;
  Zxid base_;
  Zxid previous_;
  const EntryVisitor& visit_;
  bool is_any_read_{};
  LogEnd end_{};
};

}  // namespace

Verdict<LogEnd> read_log(const Disk& disk, std::vector<Zxid> segments, Zxid base,
                         const EntryVisitor& visit) {
  return Reading(disk, std::move(segments), base, visit).run();
}

}  // namespace zabfs::replication::store
