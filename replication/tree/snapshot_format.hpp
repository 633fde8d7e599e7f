// The bytes of a snapshot: records, one after the other, in jute.
//
//   snapshot = header, any number of nodes in any order, end
//   header   = byte 1, int32 format, SnapshotHeader
//   node     = byte 2, string name, bytes data (-1 for null), SnapshotNumbers
//   end      = byte 3
//   part     = byte 4, bool is_last, bytes
//
// It travels and is stored in slices of whole records. A slice that would be longer than
// limits::snapshot_slice_bytes_max, because one record is, is cut: each part is a slice of its own,
// and the bytes of all of them, the last one included, are the slice. It is the header of many
// sessions or ACLs that needs that; whoever knows no parts refuses such a snapshot. Checksums and
// files are the store's business. A znode is named by its rank: its place among the znodes of the
// snapshot, 0 being the root. A child may come before its parent. Numbers are forever: another
// format gets another format number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "replication/model/acl.hpp"
#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"

namespace zabfs::replication::tree {

enum class RecordKind : std::uint8_t { header = 1, node = 2, end = 3, part = 4 };

inline constexpr std::int32_t snapshot_format = 1;

inline constexpr std::uint32_t root_rank = 0;

// Of a part, beside its bytes.
inline constexpr std::size_t part_overhead_bytes = 1 + 1 + sizeof(std::int32_t);

struct SnapshotHeader {
  Zxid zxid{};                 // the last transaction in the snapshot
  std::uint64_t node_count{};  // the root included
  std::uint64_t digest{};      // DataTree::digest() at that moment
  std::vector<Acl> acls{};     // nodes name them by their place here
  Bytes sessions{};            // SessionTable's, at that moment

  static auto fields(auto& h) {
    return std::tie(h.zxid, h.node_count, h.digest, h.acls, h.sessions);
  }
  bool operator==(const SnapshotHeader&) const = default;
};

// Of a node, behind its name and data, which are read without a copy.
struct SnapshotNumbers {
  std::uint32_t rank{};
  std::uint32_t parent{};  // rank; of the root, 0
  std::uint32_t acl{};
  std::int32_t version{};
  std::int32_t aversion{};
  std::int32_t creates{};
  Zxid czxid{};
  Zxid mzxid{};
  Zxid pzxid{};
  std::int64_t ctime{};
  std::int64_t mtime{};
  SessionId ephemeral_owner{};

  static auto fields(auto& n) {
    return std::tie(n.rank, n.parent, n.acl, n.version, n.aversion, n.creates, n.czxid, n.mzxid,
                    n.pzxid, n.ctime, n.mtime, n.ephemeral_owner);
  }
  bool operator==(const SnapshotNumbers&) const = default;
};

}  // namespace zabfs::replication::tree
