// A transaction in Apache ZooKeeper's log: its header, its body, and the digest of the tree behind
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "daemon/zabctl/zookeeper/damaged.hpp"
#include "replication/model/acl.hpp"
#include "replication/model/bytes.hpp"

namespace zabfs::daemon::zabctl::zookeeper {

// What ZooKeeper keeps in a znode's owner instead of a session.
inline constexpr std::int64_t container_owner = std::int64_t{1} << 63;
inline constexpr std::int64_t ttl_owner_mask = static_cast<std::int64_t>(0xff00000000000000);

struct TransactionHeader {
  std::int64_t session{};
  std::int32_t cxid{};  // the client's number of the request
  std::int64_t zxid{};
  std::int64_t time_ms{};
  std::int32_t type{};

  static auto fields(auto& h) { return std::tie(h.session, h.cxid, h.zxid, h.time_ms, h.type); }
};

struct Create {
  std::string path{};
  replication::Data data{};
  replication::Acl acl{};
  std::int64_t owner{};  // session, container_owner, or ttl_owner_mask and the milliseconds
  std::int32_t parent_creates{-1};  // children ever created in the parent; -1: one more than before
};

struct Delete {
  std::string path{};
};

struct SetData {
  std::string path{};
  replication::Data data{};
  std::int32_t version{};
};

struct SetAcl {
  std::string path{};
  replication::Acl acl{};
  std::int32_t aversion{};
};

struct OpenSession {
  std::int32_t timeout_ms{};
};

struct CloseSession {
  std::vector<std::string> paths{};  // of ephemeral znodes; older releases do not list them
};

// A check, or a request that failed: nothing changes.
struct Nothing {};

using Change = std::variant<Nothing, Create, Delete, SetData, SetAcl>;

struct Multi {
  std::vector<Change> changes{};  // none if it failed
};

using Body =
    std::variant<Nothing, Create, Delete, SetData, SetAcl, OpenSession, CloseSession, Multi>;

struct Transaction {
  TransactionHeader header{};
  Body body{};
  std::optional<std::int64_t> digest{};  // of version 2, of the tree after it
};

// The digest version whose computation this program knows.
inline constexpr std::int32_t known_digest_version = 2;

// Throws Damaged for anything else. Safe on any bytes.
Transaction decode_transaction(replication::ByteView record);

}  // namespace zabfs::daemon::zabctl::zookeeper
