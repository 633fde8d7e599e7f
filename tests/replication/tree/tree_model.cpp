#include "tests/replication/tree/tree_model.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "replication/model/owner.hpp"
#include "replication/model/path.hpp"

namespace zabfs::replication::tree {

TreeModel::TreeModel() {
  for (const char* path : {"/", "/zookeeper", "/zookeeper/config", "/zookeeper/quota"}) {
    nodes_[path] = {.data = Bytes{}, .acl = open_acl()};
  }
  nodes_["/zookeeper/config"].acl = read_only_acl();
  nodes_["/zookeeper/config"].stat.aversion = -1;
  update_stat("/");
  update_stat("/zookeeper");
}

std::int32_t TreeModel::count_children(const std::string& path) const {
  return static_cast<std::int32_t>(std::ranges::count_if(nodes_, [&](const auto& entry) {
    return entry.first != "/" && parent_of(entry.first) == path;
  }));
}

void TreeModel::update_stat(const std::string& path) {
  Seen& node = nodes_.at(path);
  node.stat.num_children = count_children(path);
  node.stat.cversion = 2 * node.creates - node.stat.num_children;
  node.stat.data_length = node.data ? static_cast<std::int32_t>(node.data->size()) : 0;
}

std::vector<std::string> TreeModel::apply(const Transaction& transaction) {
  events_.clear();
  std::visit([&](const auto& change) { apply(transaction.header, change); }, transaction.body);
  return events_;
}

void TreeModel::apply(const TransactionHeader& header, const CreateNode& change) {
  const std::string parent{parent_of(change.path)};
  const auto zxid = static_cast<std::int64_t>(header.zxid.value);
  nodes_[change.path] = {
      .data = change.data,
      .acl = change.acl,
      .stat = {.czxid = zxid,
               .mzxid = zxid,
               .ctime = header.time_ms,
               .mtime = header.time_ms,
               .ephemeral_owner =
                   owner::is_session(change.ephemeral_owner) ? change.ephemeral_owner.value : 0,
               .pzxid = zxid}};
  nodes_.at(parent).creates = change.parent_creates;
  nodes_.at(parent).stat.pzxid = zxid;
  update_stat(change.path);
  update_stat(parent);
  events_.push_back("created " + change.path);
  events_.push_back("children_changed " + parent);
}

void TreeModel::apply(const TransactionHeader& header, const DeleteNode& change) {
  const std::string parent{parent_of(change.path)};
  nodes_.erase(change.path);
  nodes_.at(parent).stat.pzxid = static_cast<std::int64_t>(header.zxid.value);
  update_stat(parent);
  events_.push_back("deleted " + change.path);
  events_.push_back("children_changed " + parent);
}

void TreeModel::apply(const TransactionHeader& header, const SetData& change) {
  Seen& node = nodes_.at(change.path);
  node.data = change.data;
  node.stat.version = change.version;
  node.stat.mzxid = static_cast<std::int64_t>(header.zxid.value);
  node.stat.mtime = header.time_ms;
  update_stat(change.path);
  events_.push_back("data_changed " + change.path);
}

void TreeModel::apply(const TransactionHeader& /*header*/, const SetAcl& change) {
  nodes_.at(change.path).acl = change.acl;
  nodes_.at(change.path).stat.aversion = change.aversion;
}

void TreeModel::apply(const TransactionHeader& header, const SetEnsemble& change) {
  apply(header, SetData{.path = "/zookeeper/config",
                        .data = Bytes(change.text.begin(), change.text.end()),
                        .version = -1});
}

void TreeModel::apply(const TransactionHeader&, const OpenSession&) {}

void TreeModel::apply(const TransactionHeader& header, const CloseSession&) {
  std::vector<std::string> owned;
  for (const auto& [path, node] : nodes_) {
    if (node.stat.ephemeral_owner == header.session.value) {
      owned.push_back(path);
    }
  }
  for (const std::string& path : owned) {
    apply(header, DeleteNode{.path = path});
  }
}

void TreeModel::apply(const TransactionHeader& header, const MultiChange& multi) {
  for (const NodeChange& part : multi.changes) {
    std::visit([&](const auto& change) { apply(header, change); }, part);
  }
}

const std::string& TreeModel::any_path(Random& random) const {
  const auto at = static_cast<std::ptrdiff_t>(random.below(nodes_.size()));
  return std::next(nodes_.begin(), at)->first;
}

// A deletion or creation may be impossible where chance points; setting data never is.
NodeChange TreeModel::any_change(Random& random) const {
  const std::string& path = any_path(random);
  const Seen& node = nodes_.at(path);
  const std::uint64_t choice = random.below(10);
  Data data = random.below(4) == 0 ? Data{} : Data{Bytes(random.below(40), 'd')};
  if (choice < 5 && node.stat.ephemeral_owner == 0) {
    const std::string child = (path == "/" ? "" : path) + "/" + std::to_string(random.below(50));
    if (!nodes_.contains(child)) {
      const auto kind = random.below(6);
      const SessionId owner =
          kind < 2    ? SessionId{static_cast<std::int64_t>(random.below(session_count) + 1)}
          : kind == 2 ? owner::container
          : kind == 3 ? owner::with_ttl(static_cast<std::int64_t>(random.below(50'000) + 1))
                      : SessionId{};
      return CreateNode{.path = child,
                        .data = std::move(data),
                        .acl = {{static_cast<std::int32_t>(random.below(3)), {"world", "anyone"}}},
                        .ephemeral_owner = owner,
                        .parent_creates = node.creates + 1};
    }
  }
  if (choice < 8 && path != "/" && node.stat.num_children == 0) {
    return DeleteNode{.path = path};
  }
  return SetData{.path = path, .data = std::move(data), .version = node.stat.version + 1};
}

TransactionBody TreeModel::any_transaction(Random& random) const {
  const std::uint64_t choice = random.below(100);
  if (choice < 3) {
    return CloseSession{};
  }
  if (choice < 5) {
    return OpenSession{.timeout_ms = 4000};
  }
  if (choice < 10) {
    const std::string& path = any_path(random);
    return SetAcl{.path = path,
                  .acl = {{static_cast<std::int32_t>(random.below(5)), {"world", "anyone"}}},
                  .aversion = nodes_.at(path).stat.aversion + 1};
  }
  if (choice < 12 && nodes_.contains("/zookeeper/config")) {
    return SetEnsemble{.text = std::string(random.below(300), 'e')};
  }
  if (choice < 25) {
    TreeModel future = *this;
    MultiChange multi;
    for (auto count = random.below(5); count > 0; --count) {
      multi.changes.push_back(future.any_change(random));
      std::visit([&](const auto& change) { future.apply(TransactionHeader{}, change); },
                 multi.changes.back());
    }
    return multi;
  }
  return std::visit([](auto change) -> TransactionBody { return change; }, any_change(random));
}

}  // namespace zabfs::replication::tree
