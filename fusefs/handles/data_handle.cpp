#include "fusefs/handles/data_handle.hpp"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "replication/model/limits.hpp"

namespace zabfs::fusefs::handles {

using replication::Bytes;
using replication::ByteView;
using replication::limits::value_bytes_max;

namespace {

// More places than that in a row are no longer told apart.
constexpr std::size_t places_max = 64;

}  // namespace

void DataHandle::start_empty(const replication::Stat& stat) {
  load({}, stat);
  is_owned_ = !mode_.reads && !mode_.appends;
}

void DataHandle::load(Bytes data, const replication::Stat& stat) {
  if (is_owned_) {
    return;
  }
  content_ = std::move(data);
  change_ = {.is_whole = true};
  mzxid_ = stat.mzxid;
  version_ = stat.version;
  has_version_ = true;
  was_read_ = false;
  end_was_read_ = false;
}

bool DataHandle::is_stale_for_read(std::size_t offset, std::int64_t newest_mzxid) const {
  if (is_owned_) {
    return false;
  }
  if (!has_version_ || (offset == 0 && was_read_)) {
    return true;
  }
  const bool has_ended = offset >= content_.size() && end_was_read_;
  return newest_mzxid > mzxid_ && (offset == 0 || has_ended);
}

ByteView DataHandle::read(std::size_t offset, std::size_t size) {
  was_read_ = true;
  const std::size_t begin = std::min(offset, content_.size());
  end_was_read_ = begin == content_.size();
  return ByteView(content_).subspan(begin, std::min(size, content_.size() - begin));
}

bool DataHandle::write(std::size_t offset, ByteView bytes) {
  if (offset > value_bytes_max || bytes.size() > value_bytes_max - offset) {
    return false;
  }
  if (offset == content_.size()) {
    content_.insert(content_.end(), bytes.begin(), bytes.end());
  } else {
    content_.resize(std::max(content_.size(), offset + bytes.size()));
    std::ranges::copy(bytes, content_.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  is_owned_ = is_written_ = true;
  if (!change_.is_whole && change_.written.size() < places_max) {
    change_.written.push_back({offset, bytes.size()});
  } else {
    change_ = {.is_whole = true};
  }
  return true;
}

bool DataHandle::truncate(std::size_t size) {
  if (size > value_bytes_max) {
    return false;
  }
  content_.resize(size);
  change_ = {.is_whole = true};
  is_owned_ = is_truncated_ = true;
  return true;
}

DataHandle::Position DataHandle::position() const {
  return {.mzxid = mzxid_,
          .version = version_,
          .has_version = has_version_,
          .was_read = was_read_,
          .end_was_read = end_was_read_,
          .is_owned = is_owned_,
          .is_written = is_written_,
          .is_truncated = is_truncated_};
}

void DataHandle::restore(const Position& position, Bytes content) {
  mzxid_ = position.mzxid;
  version_ = position.version;
  was_read_ = position.was_read;
  end_was_read_ = position.end_was_read;
  is_owned_ = position.is_owned;
  is_written_ = position.is_written;
  is_truncated_ = position.is_truncated;
  // Whoever has not begun to read may be given nothing older than what was known before.
  has_version_ = position.has_version && (is_owned_ || was_read_);
  content_ = std::move(content);
}

DataHandle::Mode mode_of(int open_flags) {
  const int access = open_flags & O_ACCMODE;
  const bool writes = access != O_RDONLY;
  return {.reads = access != O_WRONLY,
          .writes = writes,
          .appends = writes && (open_flags & O_APPEND) != 0,
          .is_written_through = writes && (open_flags & (O_SYNC | O_DSYNC)) != 0};
}

}  // namespace zabfs::fusefs::handles
