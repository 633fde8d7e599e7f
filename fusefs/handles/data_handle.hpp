// The data of a znode while it is open as a file: what reads are answered from, and what has been
// written and not committed yet.
//
// A clean handle holds one version whole, or none yet; is_stale_for_read says when a newer one is
// to be fetched, and it never is in the middle of a value. From the first write or truncation on,
// the handle owns its content: nothing is fetched again, and a commit replaces the whole value with
// it, whatever others have written meanwhile (the last commit wins).
//
// A handle opened to append never owns content. Each write of it is one append to the newest value.
//
// When a commit is due (DESIGN.md, "Reading and writing"):
//
//   after                      flush        fsync    last close
//   a write                    commits      commits  commits
//   a truncation, no write     -            commits  commits
//   nothing                    -            -        -
//
// because a shell's redirection truncates, flushes, and only then writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "replication/model/bytes.hpp"
#include "replication/model/stat.hpp"

namespace zabfs::fusefs::handles {

class DataHandle {
 public:
  struct Mode {
    bool reads{};
    bool writes{};
    bool appends{};             // O_APPEND: every write is committed, behind the newest value
    bool is_written_through{};  // O_SYNC, O_DSYNC: every write is committed
  };

  explicit DataHandle(Mode mode) : mode_(mode) {}

  const Mode& mode() const { return mode_; }

  // The znode has just been created by this open, with empty data. A handle that only writes owns
  // its content at once.
  void start_empty(const replication::Stat& stat);

  // One version of the data, as fetched. Ignored once the handle owns its content.
  void load(replication::Bytes data, const replication::Stat& stat);

  // Whatever version it holds, the next read fetches: others had the lock until now. What it owns
  // it keeps.
  void expect_newer() { has_version_ = false; }

  // True if the data must be fetched before a read at `offset`: there is none yet, or the file is
  // read again from its beginning, or for the first time and the mount has heard of a newer
  // version; or it is read on behind the end, which the reader has been told of, and there is a
  // newer version
  // (`tail -f`). Whoever reads on to find the end finds that of the version that he has.
  bool is_stale_for_read(std::size_t offset, std::int64_t newest_mzxid) const;

  // The bytes from `offset`, at most `size`; fewer only at the end. Valid until the next change.
  replication::ByteView read(std::size_t offset, std::size_t size);

  // True if the data must be fetched before a write or a truncation to more than nothing.
  bool needs_load_before_change() const { return !is_owned_; }

  // Changes the content and owns it from then on. False, and no change, if the value would be
  // larger than limits::value_bytes_max. What lies between the old end and `offset` becomes zeros.
  bool write(std::size_t offset, replication::ByteView bytes);
  bool truncate(std::size_t size);

  bool is_owned() const { return is_owned_; }
  bool flush_commits() const { return is_written_; }
  bool close_commits() const { return is_written_ || is_truncated_; }

  // A commit has been sent: what is due is done, whether or not it succeeds. The mount never
  // repeats a write by itself.
  void mark_committed() { is_written_ = is_truncated_ = false; }

  // The whole value.
  const replication::Bytes& content() const { return content_; }

  // For a successor of this process: everything but the mode and the content.
  struct Position {
    std::int64_t mzxid{};
    std::int32_t version{};
    bool has_version{};
    bool was_read{};
    bool end_was_read{};
    bool is_owned{};
    bool is_written{};
    bool is_truncated{};
  };
  Position position() const;
  void restore(const Position& position, replication::Bytes content);

  // How content() differs from what it was when this was called last: as a whole, or by what was
  // written at these places.
  struct ContentChange {
    struct Place {
      std::size_t offset{};
      std::size_t size{};
    };
    bool is_whole{};
    std::vector<Place> written{};
  };
  ContentChange take_content_change() { return std::exchange(change_, {}); }

  // True if content() is a version that the ensemble had, and its number.
  bool has_version() const { return has_version_; }
  std::int32_t version() const { return version_; }

 private:
  Mode mode_;
  replication::Bytes content_{};
  std::int64_t mzxid_{};
  std::int32_t version_{};
  bool has_version_{};
  bool was_read_{};
  bool end_was_read_{};  // a read found nothing more
  bool is_owned_{};
  bool is_written_{};
  bool is_truncated_{};
  ContentChange change_{};
};

// What the flags of open(2) ask for.
DataHandle::Mode mode_of(int open_flags);

}  // namespace zabfs::fusefs::handles
