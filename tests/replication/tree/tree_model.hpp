// The tree as ZooKeeper describes it to its clients, in the plainest way: a map from
// paths. The real tree is compared with it, znode by znode.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "replication/ports/random.hpp"
#include "replication/tree/transaction.hpp"
#include "tests/replication/tree/samples.hpp"

namespace zabfs::replication::tree {

class TreeModel {
 public:
  TreeModel();

  // Applies it and returns the texts of the events it causes, in order.
  std::vector<std::string> apply(const Transaction& transaction);

  // What everything_in() must give for the real tree.
  const std::map<std::string, Seen>& everything() const { return nodes_; }

  // A transaction that fits this state, of any kind.
  TransactionBody any_transaction(Random& random) const;

  static constexpr std::uint64_t session_count = 4;

 private:
  // Present children of a path, counted by looking at every znode.
  std::int32_t count_children(const std::string& path) const;
  void update_stat(const std::string& path);
  NodeChange any_change(Random& random) const;
  const std::string& any_path(Random& random) const;

  void apply(const TransactionHeader& header, const CreateNode& change);
  void apply(const TransactionHeader& header, const DeleteNode& change);
  void apply(const TransactionHeader& header, const SetData& change);
  void apply(const TransactionHeader& header, const SetAcl& change);
  void apply(const TransactionHeader& header, const SetEnsemble& change);
  void apply(const TransactionHeader&, const Restore&) {}  // It is never drawn.
  void apply(const TransactionHeader& header, const OpenSession& change);
  void apply(const TransactionHeader& header, const CloseSession& change);
  void apply(const TransactionHeader& header, const MultiChange& change);

  std::map<std::string, Seen> nodes_{};
  std::vector<std::string> events_{};
};

}  // namespace zabfs::replication::tree
