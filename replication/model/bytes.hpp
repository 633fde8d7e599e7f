// Bytes as the protocol sees them: a plain run of octets, and a znode's data, which can also be null.
//
// ZooKeeper keeps null data (length -1) and empty data (length 0) apart on the wire, in the log and
// in snapshots; the mount shows the first as a directory and the second as an empty file.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace zabfs::replication {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

// A znode's data. std::nullopt is null, which is not the same as empty.
using Data = std::optional<Bytes>;

// The octets of `text`, which must outlive the view.
inline ByteView bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// `bytes` read as text, without any check of its encoding; they must outlive the view.
inline std::string_view text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace zabfs::replication
