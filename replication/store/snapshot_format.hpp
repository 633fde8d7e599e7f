// The bytes of a snapshot file. Integers are big-endian.
//
//   snapshot   header, slice..., trailer
//
//   header    offset  field
//             0       magic
//             8       version
//             12      generation
//             16      taken_at   both as in the file's name
//             24      checksum
//
//   slice     0       length     of the payload, never 0
//             4       checksum   of the payload, seeded with the checksum before it
//             12      payload
//
//   trailer   0       0          where a slice has its length
//             4       slices     how many there are
//             12      bytes      of the whole file
//             20      reached    the last transaction whose effects may be in the slices
//             28      checksum   seeded with the checksum before it
//
// A file has its name only after every byte of it is synced, so a crash never leaves a snapshot
// that is not whole. The checksums survive damage of the medium: each is the seed of the next, so
// no slice can be missing, doubled or from another snapshot. `reached` survives the loss of the
// log: a snapshot whose log ends before it is half a transaction's future, and is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "replication/ports/disk.hpp"
#include "replication/store/layout.hpp"
#include "replication/store/refusal.hpp"

namespace zabfs::replication::store {

// Produces the bytes of one snapshot in order.
class SnapshotEncoder {
 public:
  Bytes header(const SnapshotId& id);
  Bytes slice(ByteView payload);
  Bytes trailer(Zxid reached);

  // Bytes produced so far: the offset of the next.
  std::uint64_t bytes() const { return bytes_; }

 private:
  std::uint64_t bytes_{};
  std::uint64_t slices_{};
  std::uint64_t chain_{};  // the last checksum
};

// Sees every slice in order; a returned sentence ends the reading with it.
using SliceVisitor = std::function<std::optional<std::string>(ByteView slice)>;

// Reads a snapshot from beginning to end and returns `reached`, or why it is not whole. Safe on any
// bytes. The visitor has seen slices of a damaged file before the damage is found: to be sure, read
// twice.
Verdict<Zxid> read_snapshot(const Disk& disk, const SnapshotId& id, const SliceVisitor& visit);

}  // namespace zabfs::replication::store
