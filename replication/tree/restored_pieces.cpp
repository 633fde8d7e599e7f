#include "replication/tree/restored_pieces.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "replication/jute/jute_archive.hpp"
#include "replication/model/path.hpp"

namespace zabfs::replication::tree {
namespace {

constexpr std::size_t length_bytes = sizeof(std::int32_t);

std::string damaged(const char* why) {
  return std::string("the pieces of the restore are damaged: ") + why;
}

// Hands whole slices to the reader as soon as their last byte has come.
class SliceCollector {
 public:
  std::optional<std::string> append(ByteView piece) {
    waiting_.insert(waiting_.end(), piece.begin(), piece.end());
    std::size_t taken = 0;
    while (waiting_.size() - taken >= length_bytes) {
      const ByteView rest = ByteView(waiting_).subspan(taken);
      const auto length = jute::JuteReader(rest).integer<std::int32_t>();
      if (length <= 0) {
        return damaged("a slice has no length");
      }
      if (rest.size() - length_bytes < static_cast<std::size_t>(length)) {
        break;
      }
      if (auto why = reader_.append(rest.subspan(length_bytes, static_cast<std::size_t>(length)))) {
        return why;
      }
      taken += length_bytes + static_cast<std::size_t>(length);
    }
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(taken));
    return std::nullopt;
  }

  std::variant<LoadedSnapshot, std::string> finish() && {
    if (!waiting_.empty()) {
      return damaged("the last slice is cut off");
    }
    return std::move(reader_).finish();
  }

 private:
  Bytes waiting_{};
  SnapshotReader reader_{};
};

}  // namespace

std::string piece_path(std::string_view name, std::int32_t number) {
  char digits[12];
  std::snprintf(digits, sizeof(digits), "%010d", number);
  return std::string(Restore::path) + "/" + std::string(name) + "-" + digits;
}

bool is_piece_of(std::string_view path, std::string_view name) {
  return path.starts_with(Restore::path) &&
         path.substr(Restore::path.size()).starts_with("/" + std::string(name) + "-");
}

std::string last_restored(const DataTree& tree) {
  const Node* mark = tree.find(Restore::path);
  const auto data = mark == nullptr ? std::nullopt : tree.data_of(*mark);
  return data ? std::string(text_of(*data)) : std::string();
}

PieceWriter::PieceWriter(DataTree& tree, Bytes sessions, std::size_t piece_bytes,
                         SliceBounds bounds)
    : writer_(tree, std::move(sessions), bounds), piece_bytes_(piece_bytes) {}

std::optional<Bytes> PieceWriter::next() {
  while (has_more_ && ready_.size() - taken_ < piece_bytes_) {
    ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(taken_));
    taken_ = 0;
    Bytes slice;
    has_more_ = writer_.next_slice(slice);
    jute::JuteWriter to{ready_};
    to.integer(static_cast<std::int32_t>(slice.size()));
    ready_.insert(ready_.end(), slice.begin(), slice.end());
  }
  const auto from = ready_.begin() + static_cast<std::ptrdiff_t>(taken_);
  const std::size_t size = std::min(piece_bytes_, ready_.size() - taken_);
  taken_ += size;
  return size == 0 ? std::nullopt
                   : std::optional(Bytes(from, from + static_cast<std::ptrdiff_t>(size)));
}

std::variant<LoadedSnapshot, std::string> put_together(const DataTree& tree,
                                                       const Restore& restore) {
  SliceCollector collector;
  for (std::int32_t number = 0; number < restore.pieces; ++number) {
    const Node* piece = tree.find(piece_path(restore.name, number));
    const auto data = piece == nullptr ? std::nullopt : tree.data_of(*piece);
    if (!data) {
      return damaged("one of them is missing");
    }
    if (auto why = collector.append(*data)) {
      return std::move(*why);
    }
  }
  auto loaded = std::move(collector).finish();
  if (const auto* snapshot = std::get_if<LoadedSnapshot>(&loaded)) {
    const Node* parent = snapshot->tree.find(parent_of(Restore::path));
    if (parent == nullptr || snapshot->tree.find(SetEnsemble::path) == nullptr) {
      return damaged("the built-in znodes are not in it");
    }
  }
  return loaded;
}

}  // namespace zabfs::replication::tree
