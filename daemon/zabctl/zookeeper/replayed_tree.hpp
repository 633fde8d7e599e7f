// The state of an Apache ZooKeeper server, built as its own start builds it: a fuzzy snapshot, and
// the log replayed on top.
//
// The snapshot may already hold the effects of transactions that the log holds, too. So each is
// applied as far as it still fits: a znode that exists is not created again, one that does not is
// not deleted or set, and the numbers of a parent only ever grow. After the last transaction the
// tree is the one that ZooKeeper itself has.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "daemon/zabctl/zookeeper/snapshot_file.hpp"
#include "daemon/zabctl/zookeeper/transaction.hpp"
#include "replication/model/ids.hpp"
#include "replication/session/session_table.hpp"
#include "replication/tree/acl_table.hpp"
#include "replication/tree/data_tree.hpp"
#include "replication/tree/node_store.hpp"

namespace zabfs::daemon::zabctl::zookeeper {

class ReplayedTree : public SnapshotVisitor {
 public:
  ReplayedTree();

  // Of a snapshot. Throw Damaged for what cannot be part of a tree.
  void on_session(replication::SessionId id, std::int32_t timeout_ms) override;
  void on_acl(std::int64_t number, replication::Acl acl) override;
  void on_znode(const std::string& path, std::optional<replication::ByteView> data,
                std::int64_t acl, const StatPersisted& stat) override;

  // Every transaction after the snapshot's, in order.
  void apply(const Transaction& transaction);

  // What ZooKeeper's digest of version 2 is for this tree.
  std::int64_t digest() const;

  // What a start of ZooKeeper does last: ephemeral znodes without a session go, and what quotas
  // count is counted anew. `zxid` is that of the last transaction.
  void settle(std::int64_t zxid);

  // /zookeeper/config becomes empty, its numbers stay. ZooKeeper before 3.5 has none: then it is
  // made.
  void forget_servers();

  std::size_t znodes() const { return nodes_.size(); }
  std::size_t sessions() const { return sessions_.size(); }

  // The sessions with the passwords that ZooKeeper gave them.
  replication::session::SessionTable session_table() const;

  // The tree; call it once, last.
  replication::tree::DataTree take(replication::Zxid last_applied);

 private:
  using Slot = replication::tree::Slot;

  Slot find(std::string_view path) const;
  Slot add(Slot parent, std::string_view name, std::optional<replication::ByteView> data,
           const replication::Acl& acl, const StatPersisted& stat);
  void remove(Slot slot);
  void advance_parent(Slot parent, std::int32_t creates, std::int64_t zxid);
  bool is_session(std::int64_t owner) const;

  void change(const TransactionHeader& header, const Nothing& nothing);
  void change(const TransactionHeader& header, const Create& create);
  void change(const TransactionHeader& header, const Delete& deletion);
  void change(const TransactionHeader& header, const SetData& set);
  void change(const TransactionHeader& header, const SetAcl& set);
  void change(const TransactionHeader& header, const OpenSession& open);
  void change(const TransactionHeader& header, const CloseSession& close);
  void change(const TransactionHeader& header, const Multi& multi);
  void delete_path(std::string_view path, std::int64_t zxid);
  void count_quota(std::string_view limits_path);

  replication::tree::NodeStore nodes_{};
  replication::tree::AclTable acls_{};
  std::map<std::int64_t, replication::Acl> numbered_acls_{};  // of the snapshot
  std::map<std::int64_t, std::int32_t> sessions_{};           // timeouts in milliseconds
  std::map<std::int64_t, std::set<Slot>> ephemerals_{};       // by owner
};

// The password that ZooKeeper's servers make from a session's number.
replication::Bytes password_of(std::int64_t session);

}  // namespace zabfs::daemon::zabctl::zookeeper
