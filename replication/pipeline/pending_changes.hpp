// The tree as it will be once everything in flight commits.
//
// A leader decides each request against this, not against the tree, so that it can accept many
// requests before the first of them is on disk (Zab's pipelining). Only what differs from the tree
// is held here: one entry for each znode that a transaction in flight touches, forgotten when the
// last of those transactions has been applied.
//
// Changes are staged first. commit() gives the staged ones their zxid; rollback() takes them back,
// which is how a multi that fails in the middle leaves nothing behind.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "replication/model/acl.hpp"
#include "replication/model/ids.hpp"
#include "replication/tree/data_tree.hpp"

namespace zabfs::replication::pipeline {

// What preparing a request needs to know of a znode that will exist.
struct FutureNode {
  std::int32_t version{};
  std::int32_t aversion{};  // of the ACL
  std::int32_t creates{};   // children ever created below it
  std::int32_t num_children{};
  SessionId ephemeral_owner{};  // see model/owner.hpp
  std::int64_t data_bytes{};
  const Acl* acl{};  // good until the next call that stages or forgets anything
};

class PendingChanges {
 public:
  // `tree` outlives this.
  explicit PendingChanges(const tree::DataTree& tree) : tree_(tree) {}

  // The znode as it will be; nullopt if it will not exist. "" is the root, as in DataTree::find.
  std::optional<FutureNode> find(std::string_view path) const;

  // True if something in flight changes the znode, its children or its existence.
  bool touches(std::string_view path) const { return entries_.find(path) != entries_.end(); }

  // The paths that `session` will own, in order.
  std::vector<std::string> ephemerals_of(SessionId session) const;

  // True if a hard limit of the quota that `path` is under would be passed by so many more znodes
  // and bytes of data, all that is in flight included.
  bool would_pass_quota(std::string_view path, std::int64_t count, std::int64_t bytes) const;

  // Stage one change. The znode (and its parent, for the first two) must be as the transaction that
  // causes it requires.
  void create(const std::string& path, const Acl& acl, SessionId ephemeral_owner,
              std::int64_t data_bytes);
  void remove(const std::string& path);
  void set_data(const std::string& path, std::int32_t version, std::int64_t data_bytes);
  void set_acl(const std::string& path, const Acl& acl, std::int32_t aversion);

  // The staged changes are transaction `zxid`; zxids ascend.
  void commit(Zxid zxid);

  // The staged changes never were.
  void rollback();

  // Everything up to `zxid` is in the tree now.
  void applied(Zxid zxid);

  // Everything in flight is void: the tree is the truth again.
  void clear();

  // Znodes that differ from the tree.
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    bool exists{};
    bool is_new{};  // created in flight: the tree does not have it yet
    FutureNode node{};
    std::optional<Acl> acl{};  // of a znode created in flight, or set in flight; else the tree's
    Zxid changed_by{};         // the last committed change of this entry
  };
  struct TransparentHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  // Looked up, never walked; its elements do not move.
  using Entries = std::unordered_map<std::string, Entry, TransparentHash, std::equal_to<>>;
  struct Staged {
    Entries::value_type* element{};
    std::optional<Entry> before{};  // nullopt: there was no entry
  };
  struct Change {
    Zxid zxid{};
    Entries::value_type* element{};
  };
  // What a change adds to the usage of a quota.
  struct Charge {
    Zxid zxid{};
    std::string quota{};
    std::int64_t count{};
    std::int64_t bytes{};
  };

  Entry& stage(std::string_view path);
  void charge(std::string_view path, std::int64_t count, std::int64_t bytes);
  void discharge(const Charge& charge);
  void forget_charges();
  void index_ephemeral(const std::string& path, const Entry& entry, bool present);

  const tree::DataTree& tree_;
  Entries entries_;
  std::vector<Staged> staged_;
  std::deque<Change> in_flight_;
  std::map<SessionId, std::set<std::string>> ephemerals_created_;

  // Only where there are quotas.
  std::vector<Charge> charges_staged_;
  std::deque<Charge> charges_in_flight_;
  std::map<std::string, Charge, std::less<>> charges_;  // sums of both, by quota
};

}  // namespace zabfs::replication::pipeline
