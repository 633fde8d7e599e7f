#include "replication/store/layout.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iomanip>
#include <optional>
#include <sstream>
#include <string_view>

namespace zabfs::replication::store {
namespace {

constexpr std::string_view segment_prefix = "log.";
constexpr std::string_view snapshot_prefix = "snapshot.";
constexpr std::size_t zxid_digits = 16;

std::string name_of(std::string_view prefix, Zxid zxid) {
  std::ostringstream name;
  name << prefix << std::hex << std::setfill('0') << std::setw(zxid_digits) << zxid.value;
  return name.str();
}

// The zxid that `digits` spell exactly as name_of() does.
std::optional<Zxid> parse_zxid(std::string_view digits) {
  Zxid zxid;
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, zxid.value, 16);
  const bool canonical = digits.size() == zxid_digits && read.ec == std::errc{} &&
                         read.ptr == end && name_of("", zxid) == digits;
  return canonical ? std::optional(zxid) : std::nullopt;
}

}  // namespace

FileName segment_name(Zxid first) { return name_of(segment_prefix, first); }
FileName snapshot_name(Zxid taken_at) { return name_of(snapshot_prefix, taken_at); }

Verdict<Listing> classify(const std::vector<FileName>& files) {
  Listing listing;
  for (const auto& file : files) {
    const auto zxid = parse_zxid(file.substr(std::min(file.find('.') + 1, file.size())));
    if (file == epochs_file) {
      listing.has_epochs = true;
    } else if (file == epochs_draft || file == snapshot_draft) {
      listing.drafts.push_back(file);
    } else if (!file.starts_with(segment_prefix) && !file.starts_with(snapshot_prefix)) {
      continue;
    } else if (!zxid) {
      return refusal("The data directory holds ", file,
                     ", which this server did not write. Give it a directory of its own, or move "
                     "that file away.");
    } else {
      (file.starts_with(segment_prefix) ? listing.segments : listing.snapshots).push_back(*zxid);
    }
  }
  std::ranges::sort(listing.segments);
  std::ranges::sort(listing.snapshots);
  return listing;
}

}  // namespace zabfs::replication::store
