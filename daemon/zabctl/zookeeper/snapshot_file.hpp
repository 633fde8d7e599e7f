// A snapshot of Apache ZooKeeper, snapshot.<zxid> or snapshot.<zxid>.gz, in jute:
//
//   header     int magic "ZKSN", int version 2, long -1
//   sessions   int count, then of each: long id, int timeout in milliseconds
//   ACLs       int count, then of each: long number, its list
//   znodes     of each: string path ("" is the root, parents first), buffer data, long number of
//   the
//              ACL (-1: everybody may do everything), StatPersisted
//   end        string "/"
//   seal       long Adler-32 of everything before, string "/"
//   digest     since 3.6, if switched on: long zxid, int version, long digest; and another seal
//   last zxid  since 3.9, if switched on: long zxid; and another seal
//
// It is fuzzy: written while transactions went on, it may hold the effects of some that came after
// the zxid in its name. Replaying the log from that zxid on mends that (replayed_tree.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "daemon/zabctl/zookeeper/checked_stream.hpp"
#include "replication/model/acl.hpp"
#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"

namespace zabfs::daemon::zabctl::zookeeper {

// A znode's numbers as ZooKeeper stores them.
struct StatPersisted {
  std::int64_t czxid{};
  std::int64_t mzxid{};
  std::int64_t ctime{};
  std::int64_t mtime{};
  std::int32_t version{};
  std::int32_t creates{};  // children ever created; ZooKeeper calls it cversion
  std::int32_t aversion{};
  std::int64_t owner{};  // session, or what marks a container or a TTL
  std::int64_t pzxid{};

  static auto fields(auto& s) {
    return std::tie(s.czxid, s.mzxid, s.ctime, s.mtime, s.version, s.creates, s.aversion, s.owner,
                    s.pzxid);
  }
  bool operator==(const StatPersisted&) const = default;
};

class SnapshotVisitor {
 public:
  virtual ~SnapshotVisitor() = default;
  virtual void on_session(replication::SessionId id, std::int32_t timeout_ms) = 0;
  virtual void on_acl(std::int64_t number, replication::Acl acl) = 0;
  // `path` is "" for the root. The data is good during the call.
  virtual void on_znode(const std::string& path, std::optional<replication::ByteView> data,
                        std::int64_t acl, const StatPersisted& stat) = 0;
};

// The digest that a snapshot or a transaction states: of the tree after `zxid`.
struct StatedDigest {
  std::int64_t zxid{};
  std::int32_t version{};
  std::int64_t digest{};

  static auto fields(auto& d) { return std::tie(d.zxid, d.version, d.digest); }
};

// Reads to the end, and checks every seal. Throws Damaged; the visitor has then seen a part.
std::optional<StatedDigest> read_snapshot(Source source, SnapshotVisitor& visitor);

}  // namespace zabfs::daemon::zabctl::zookeeper
