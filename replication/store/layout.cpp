#include "replication/store/layout.hpp"

#include <algorithm>
#include <charconv>
#include <iomanip>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

namespace zabfs::replication::store {
namespace {

constexpr std::string_view segment_prefix = "log.";
constexpr std::string_view snapshot_prefix = "snapshot.";
constexpr std::size_t generation_digits = 8;
constexpr std::size_t position_digits = 16;

std::string name_of(std::string_view prefix, Generation generation, std::uint64_t position) {
  std::ostringstream name;
  name << prefix << std::hex << std::setfill('0') << std::setw(generation_digits)
       << generation.value << '.' << std::setw(position_digits) << position;
  return name.str();
}

// The two numbers of a name that is exactly what name_of() makes of them.
std::optional<std::pair<Generation, std::uint64_t>> parse(const FileName& file,
                                                          std::string_view prefix) {
  if (file.size() != prefix.size() + generation_digits + 1 + position_digits) {
    return std::nullopt;
  }
  const char* at = file.data() + prefix.size();
  Generation generation;
  std::uint64_t position = 0;
  std::from_chars(at, at + generation_digits, generation.value, 16);
  at += generation_digits + 1;
  std::from_chars(at, at + position_digits, position, 16);
  return name_of(prefix, generation, position) == file
             ? std::optional(std::pair(generation, position))
             : std::nullopt;
}

}  // namespace

FileName segment_name(const SegmentId& segment) {
  return name_of(segment_prefix, segment.generation, segment.first);
}

FileName snapshot_name(const SnapshotId& snapshot) {
  return name_of(snapshot_prefix, snapshot.generation, snapshot.taken_at.value);
}

Verdict<Listing> classify(const std::vector<FileName>& files) {
  Listing listing;
  for (const auto& file : files) {
    if (file == epochs_file) {
      listing.has_epochs = true;
    } else if (file == epochs_draft || file == snapshot_draft) {
      listing.drafts.push_back(file);
    } else if (const auto segment = parse(file, segment_prefix)) {
      listing.segments.push_back({segment->first, segment->second});
    } else if (const auto snapshot = parse(file, snapshot_prefix)) {
      listing.snapshots.push_back({snapshot->first, {snapshot->second}});
    } else if (file.starts_with(segment_prefix) || file.starts_with(snapshot_prefix)) {
      return refusal("The data directory holds ", file,
                     ", which this server did not write. Give it a directory of its own, or move "
                     "that file away.");
    }
  }
  std::ranges::sort(listing.segments);
  std::ranges::sort(listing.snapshots);
  return listing;
}

}  // namespace zabfs::replication::store
