// Short ways to write transactions and to see what a tree holds, for the tests of the tree.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "replication/tree/data_tree.hpp"
#include "replication/tree/transaction.hpp"

namespace zabfs::replication::tree {

// At time 1000 * zxid, for session 1 unless another is given.
Transaction transaction(std::uint64_t zxid, TransactionBody body, std::int64_t session = 1);

CreateNode create(std::string path, std::int32_t parent_creates, std::string_view data = "",
                  std::int64_t owner = 0);

Data data_of(std::string_view text);

// The znode of that path, which must exist.
const Node& node_at(const DataTree& tree, std::string_view path);

Stat stat_at(const DataTree& tree, std::string_view path);

// Names, sorted.
std::vector<std::string> children_at(const DataTree& tree, std::string_view path);

// Everything a reader can see of a znode.
struct Seen {
  Data data{};
  Acl acl{};
  Stat stat{};
  std::int32_t creates{};

  bool operator==(const Seen&) const = default;
};

// Every znode by its path.
std::map<std::string, Seen> everything_in(const DataTree& tree);

// "created /a", "children_changed /".
std::vector<std::string> texts_of(const std::vector<Event>& events);

// Keeps a tree and applies to it, with the next zxid each time.
struct Applying {
  DataTree tree{};
  Transaction last{};
  Applied applied{};  // of the last; its events point into it

  void operator()(TransactionBody body, std::int64_t session = 1);
};

}  // namespace zabfs::replication::tree
