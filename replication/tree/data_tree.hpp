// The replicated tree of znodes: apply a committed transaction, and answer reads from memory.
//
// Applying is total: a transaction states outcomes that its leader has checked. One that does not
// fit the tree means that replicas have diverged, and ends the process (CHECK) before the damage
// spreads.
//
// A fresh tree holds what ZooKeeper's does: "/", /zookeeper, /zookeeper/quota and
// /zookeeper/config, all zxids and times 0. It is the same on every replica, as is every tree after
// the same transactions, except for the order in which children are listed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "replication/model/acl.hpp"
#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "replication/model/stat.hpp"
#include "replication/tree/acl_table.hpp"
#include "replication/tree/event.hpp"
#include "replication/tree/node.hpp"
#include "replication/tree/node_store.hpp"
#include "replication/tree/quota.hpp"
#include "replication/tree/removal_index.hpp"
#include "replication/tree/transaction.hpp"

namespace zabfs::replication::tree {

// What a Restore has brought beside the tree.
struct Restored {
  Bytes sessions{};  // all there are from now on
  Zxid taken_at{};   // the last transaction in the snapshot
};

// What applying a transaction did. Keep one and pass it again: its memory is reused. The paths of
// the events point into the transaction and into `deleted_paths`.
struct Applied {
  std::vector<Stat> stats{};  // one for each change of a node; all zero for a deletion
  std::vector<Event> events{};
  std::vector<std::string> deleted_paths{};  // of a session's ephemeral znodes, sorted
  std::string passed_quota{};                // a path whose quota has been passed, if there is one
  std::optional<Restored> restored{};        // by a Restore

  void clear();
};

// Hears of every znode just before it is changed or deleted by a transaction.
class ChangeObserver {
 public:
  virtual ~ChangeObserver() = default;
  virtual void before_change(Slot slot) = 0;
};

class DataTree {
 public:
  // The fresh tree.
  DataTree();

  // The tree of a snapshot taken after `last_applied`. Every node of `nodes` holds a reference in
  // `acls`. Nothing if some nodes do not hang from the root, because their parents form a circle.
  static std::optional<DataTree> restored(NodeStore nodes, AclTable acls, Zxid last_applied);

  DataTree(DataTree&&) = default;
  DataTree& operator=(DataTree&&) = default;

  // Applies the transaction that follows the last one. `applied` is overwritten.
  void apply(const Transaction& transaction, Applied& applied);

  // The znode, or null. A plain look-up that never fails otherwise, as in ZooKeeper: "" is the
  // root,
  // "/a/" and "//a" name nothing.
  const Node* find(std::string_view path) const;

  Stat stat_of(const Node& node) const;
  std::string_view name_of(const Node& node) const { return nodes_.name_of(node); }
  std::optional<ByteView> data_of(const Node& node) const { return nodes_.data_of(node); }
  const Acl& acl_of(const Node& node) const { return acls_.at(node.acl); }
  const Acl& acl_of(const Event& event) const { return acls_.at(event.acl); }  // of the last apply
  std::string path_of(const Node& node) const;

  // Calls `visit(name)` for every child, without copying; the tree must not change meanwhile. The
  // order is the replica's own.
  template <class Visit>
  void for_each_child(const Node& node, Visit visit) const {
    for (Slot slot = node.first_child; slot != no_slot; slot = nodes_[slot].next_sibling) {
      visit(nodes_.name_of(nodes_[slot]));
    }
  }

  // Paths of the ephemeral znodes of `session`, sorted.
  std::vector<std::string> ephemerals_of(SessionId session) const;

  // Paths of znodes that may go now, at most `count`.
  std::vector<std::string> removable(const RemovalTerms& terms, std::size_t count) const;

  const QuotaPaths& quotas() const { return quotas_; }

  // The limits and the usage of a path that has a quota; nullopt if nobody can read them.
  std::optional<QuotaNumbers> quota_limits(const std::string& path) const;
  std::optional<QuotaNumbers> quota_usage(const std::string& path) const;

  Zxid last_applied() const { return last_applied_; }
  std::size_t node_count() const { return nodes_.size(); }
  std::size_t ephemeral_count() const { return ephemeral_count_; }
  std::uint64_t data_bytes() const { return data_bytes_; }  // of all data and all paths

  // A number that equal trees share; see tree_digest.hpp. Kept up to date by every change.
  std::uint64_t digest() const { return digest_; }

  // The same, computed from scratch: for verification.
  std::uint64_t recomputed_digest() const;

  // The one observer, or null for none; it must stay while it is set.
  void observe(ChangeObserver* observer) { observer_ = observer; }
  const ChangeObserver* observer() const { return observer_; }

  const NodeStore& nodes() const { return nodes_; }
  const AclTable& acls() const { return acls_; }

 private:
  Slot slot_of(std::string_view path) const;
  Slot existing(std::string_view path) const;
  Node& about_to_change(Slot slot);
  std::uint64_t stat_digest(std::uint64_t path_hash, const Node& node) const;
  std::uint64_t node_digest(std::string_view path, const Node& node) const;

  void apply_change(const TransactionHeader& header, const CreateNode& change, Applied& applied);
  void apply_change(const TransactionHeader& header, const DeleteNode& change, Applied& applied);
  void apply_change(const TransactionHeader& header, const SetData& change, Applied& applied);
  void apply_change(const TransactionHeader& header, const SetAcl& change, Applied& applied);
  void apply_change(const TransactionHeader& header, const OpenSession& change, Applied& applied);
  void apply_change(const TransactionHeader& header, const CloseSession& change, Applied& applied);
  void apply_change(const TransactionHeader& header, const MultiChange& change, Applied& applied);
  void apply_change(const TransactionHeader& header, const SetEnsemble& change, Applied& applied);
  void apply_change(const TransactionHeader& header, const Restore& change, Applied& applied);
  void keep_ensemble_of(const DataTree& replaced);
  void mark_restored(const TransactionHeader& header, const Restore& change);
  void set_data(const TransactionHeader& header, std::string_view path,
                std::optional<ByteView> data, std::int32_t version, Applied& applied);

  void add_initial(Slot parent, std::string_view name, const Acl& acl, std::int32_t aversion);
  void remove_node(Zxid zxid, std::string_view path, Applied& applied);
  void own(Slot slot);
  void note_creation(std::string_view path, const Node& node, Applied& applied);
  void note_deletion(std::string_view path, std::uint64_t bytes, Applied& applied);
  void charge(std::string_view path, std::int64_t count, std::int64_t bytes, Applied& applied);
  void recount(std::string_view quota_path);
  void keep_usage(std::string_view quota_path, std::int64_t count, std::int64_t bytes);
  std::optional<QuotaNumbers> quota_numbers(std::string_view path, std::string_view name) const;
  void count_descendant(Slot parent, std::uint32_t difference);
  void disown(Slot slot);

  NodeStore nodes_{};
  AclTable acls_{};
  std::map<SessionId, std::set<Slot>> ephemerals_{};
  std::size_t ephemeral_count_{};
  RemovalIndex removal_{};
  QuotaPaths quotas_{};
  std::uint64_t data_bytes_{};
  std::uint64_t digest_{};
  Zxid last_applied_{};
  ChangeObserver* observer_{};
};

}  // namespace zabfs::replication::tree
