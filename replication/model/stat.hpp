// A znode's metadata as clients see it, in the order of the wire (68 bytes).
//
// `cversion` here is the visible one: twice the number of creates below the znode minus its present
// children. `ephemeral_owner` is the session of an ephemeral znode and 0 for every other kind.
#pragma once

#include <cstdint>
#include <tuple>

namespace zabfs::replication {

struct Stat {
  std::int64_t czxid{};            // transaction that created it
  std::int64_t mzxid{};            // transaction that last set its data
  std::int64_t ctime{};            // milliseconds since 1970, by the leader's clock
  std::int64_t mtime{};            // likewise, of the last change of its data
  std::int32_t version{};          // changes of data
  std::int32_t cversion{};         // changes of children
  std::int32_t aversion{};         // changes of the ACL
  std::int64_t ephemeral_owner{};  // session, or 0
  std::int32_t data_length{};      // bytes; 0 for null data too
  std::int32_t num_children{};
  std::int64_t pzxid{};            // transaction that last added or removed a child

  static auto fields(auto& s) {
    return std::tie(s.czxid, s.mzxid, s.ctime, s.mtime, s.version, s.cversion, s.aversion,
                    s.ephemeral_owner, s.data_length, s.num_children, s.pzxid);
  }
  bool operator==(const Stat&) const = default;
};

}  // namespace zabfs::replication
