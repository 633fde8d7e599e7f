#include "replication/tree/data_tree.hpp"

#include <algorithm>
#include <utility>

#include "replication/model/check.hpp"
#include "replication/model/path.hpp"
#include "replication/tree/restored_pieces.hpp"
#include "replication/tree/tree_digest.hpp"

namespace zabfs::replication::tree {
namespace {

std::optional<ByteView> view_of(const Data& data) {
  if (!data) {
    return std::nullopt;
  }
  return ByteView{*data};
}

std::uint64_t bytes_of_data(const Node& node) {
  return node.data_length < 0 ? 0 : static_cast<std::uint64_t>(node.data_length);
}

// ZooKeeper's arithmetic, which wraps.
std::int32_t visible_cversion(const Node& node) {
  return static_cast<std::int32_t>(2 * static_cast<std::uint32_t>(node.creates) -
                                   static_cast<std::uint32_t>(node.num_children));
}

}  // namespace

void Applied::clear() {
  stats.clear();
  events.clear();
  deleted_paths.clear();
  passed_quota.clear();
  restored.reset();
}

DataTree::DataTree() {
  nodes_.set_data(root_slot, ByteView{});
  nodes_[root_slot].acl = acls_.intern(open_acl());
  add_initial(root_slot, "zookeeper", open_acl(), 0);
  add_initial(slot_of("/zookeeper"), "quota", open_acl(), 0);
  // ZooKeeper sets this ACL after the creation, with the version -1.
  add_initial(slot_of("/zookeeper"), "config", read_only_acl(), -1);
  nodes_.walk([this](std::string_view path, Slot) { data_bytes_ += path.size(); });
  digest_ = recomputed_digest();
}

// These are not counted as creates: ZooKeeper's fresh root shows the cversion -1.
void DataTree::add_initial(Slot parent, std::string_view name, const Acl& acl,
                           std::int32_t aversion) {
  const Slot slot = nodes_.add(name, ByteView{});
  nodes_[slot].acl = acls_.intern(acl);
  nodes_[slot].aversion = aversion;
  nodes_.link(slot, parent);
  count_descendant(parent, 1);
}

std::optional<DataTree> DataTree::restored(NodeStore nodes, AclTable acls, Zxid last_applied) {
  DataTree tree;
  tree.nodes_ = std::move(nodes);
  tree.acls_ = std::move(acls);
  tree.last_applied_ = last_applied;
  tree.digest_ = 0;
  tree.data_bytes_ = 0;
  std::vector<Slot> parents_first;
  parents_first.reserve(tree.nodes_.size());
  tree.nodes_.walk([&](std::string_view path, Slot slot) {
    const Node& node = tree.nodes_[slot];
    tree.digest_ += tree.node_digest(path, node);
    tree.data_bytes_ += path.size() + bytes_of_data(node);
    tree.own(slot);
    tree.removal_.add(slot, node);
    if (const auto quota = quota_path_of(path, quota_limits_name); !quota.empty()) {
      tree.quotas_.add(quota);
    }
    parents_first.push_back(slot);
  });
  if (parents_first.size() != tree.nodes_.size()) {
    return std::nullopt;
  }
  for (auto slot = parents_first.rbegin(); *slot != root_slot; ++slot) {
    const Node& node = tree.nodes_[*slot];
    tree.nodes_[node.parent].descendants += node.descendants + 1;
  }
  return tree;
}

void DataTree::apply(const Transaction& transaction, Applied& applied) {
  const TransactionHeader& header = transaction.header;
  CHECK(header.zxid > last_applied_, "applied ", last_applied_, ", now ", header.zxid);
  applied.clear();
  acls_.forget_unused();  // the events of the last transaction may have named them until now
  std::visit([&](const auto& change) { apply_change(header, change, applied); }, transaction.body);
  last_applied_ = header.zxid;
}

void DataTree::apply_change(const TransactionHeader& header, const CreateNode& change,
                            Applied& applied) {
  const std::string_view parent_path = parent_of(change.path);
  const Slot parent_slot = existing(parent_path);
  Node& parent = about_to_change(parent_slot);
  const std::uint64_t parent_hash = hash_of_path(parent_path);
  digest_ -= stat_digest(parent_hash, parent);
  removal_.remove(parent_slot, parent);

  const Slot slot = nodes_.add(name_of_path(change.path), view_of(change.data));
  CHECK(nodes_.link(slot, parent_slot), change.path, " exists");
  Node& node = nodes_[slot];
  node.acl = acls_.intern(change.acl);
  node.czxid = node.mzxid = node.pzxid = header.zxid;
  node.ctime = node.mtime = header.time_ms;
  node.ephemeral_owner = change.ephemeral_owner;
  own(slot);
  removal_.add(slot, node);
  count_descendant(parent_slot, 1);
  parent.creates = change.parent_creates;
  parent.pzxid = header.zxid;

  data_bytes_ += change.path.size() + bytes_of_data(node);
  digest_ += stat_digest(parent_hash, parent) + node_digest(change.path, node);
  note_creation(change.path, node, applied);
  applied.stats.push_back(stat_of(node));
  applied.events.push_back({EventKind::created, change.path, node.acl});
  applied.events.push_back({EventKind::children_changed, parent_path, parent.acl});
}

void DataTree::apply_change(const TransactionHeader& header, const DeleteNode& change,
                            Applied& applied) {
  remove_node(header.zxid, change.path, applied);
  applied.stats.emplace_back();
}

void DataTree::apply_change(const TransactionHeader& header, const SetData& change,
                            Applied& applied) {
  set_data(header, change.path, view_of(change.data), change.version, applied);
}

void DataTree::apply_change(const TransactionHeader& header, const SetEnsemble& change,
                            Applied& applied) {
  set_data(header, SetEnsemble::path, bytes_of(change.text), SetEnsemble::znode_version, applied);
}

// A snapshot that is being written is of the tree before: it takes what it has not taken yet.
void DataTree::apply_change(const TransactionHeader& header, const Restore& change,
                            Applied& applied) {
  auto loaded = put_together(*this, change);
  CHECK(std::holds_alternative<LoadedSnapshot>(loaded), std::get<std::string>(loaded));
  auto& [tree, sessions] = std::get<LoadedSnapshot>(loaded);
  applied.restored = {.sessions = std::move(sessions), .taken_at = tree.last_applied()};
  tree.keep_ensemble_of(*this);
  tree.mark_restored(header, change);
  if (observer_ != nullptr) {
    nodes_.walk([this](std::string_view, Slot slot) { observer_->before_change(slot); });
  }
  tree.observer_ = observer_;
  *this = std::move(tree);
}

// The servers are who they are, whatever the snapshot is from.
void DataTree::keep_ensemble_of(const DataTree& replaced) {
  const Node* config = replaced.find(SetEnsemble::path);
  CHECK(config != nullptr, SetEnsemble::path, " does not exist");
  const TransactionHeader then{.zxid = config->mzxid, .time_ms = config->mtime};
  Applied ignored;
  set_data(then, SetEnsemble::path, replaced.data_of(*config), config->version, ignored);
  apply_change(then,
               SetAcl{.path = std::string(SetEnsemble::path),
                      .acl = replaced.acl_of(*config),
                      .aversion = config->aversion},
               ignored);
}

// What clients were shown before the mark's zxid says nothing of what is there now.
void DataTree::mark_restored(const TransactionHeader& header, const Restore& change) {
  Applied ignored;
  if (const Node* mark = find(Restore::path)) {
    set_data(header, Restore::path, bytes_of(change.name), mark->version + 1, ignored);
    return;
  }
  const ByteView name = bytes_of(change.name);
  apply_change(header,
               CreateNode{.path = std::string(Restore::path),
                          .data = Bytes(name.begin(), name.end()),
                          .acl = read_only_acl(),
                          .parent_creates = find(parent_of(Restore::path))->creates + 1},
               ignored);
}

void DataTree::set_data(const TransactionHeader& header, std::string_view path,
                        std::optional<ByteView> data, std::int32_t version, Applied& applied) {
  const Slot slot = existing(path);
  Node& node = about_to_change(slot);
  digest_ -= node_digest(path, node);
  const std::uint64_t bytes_before = bytes_of_data(node);
  data_bytes_ -= bytes_before;
  removal_.remove(slot, node);
  nodes_.set_data(slot, data);
  node.version = version;
  node.mzxid = header.zxid;
  node.mtime = header.time_ms;
  removal_.add(slot, node);
  data_bytes_ += bytes_of_data(node);
  digest_ += node_digest(path, node);
  charge(path, 0, static_cast<std::int64_t>(bytes_of_data(node) - bytes_before), applied);
  applied.stats.push_back(stat_of(node));
  applied.events.push_back({EventKind::data_changed, path, node.acl});
}

void DataTree::apply_change(const TransactionHeader& /*header*/, const SetAcl& change,
                            Applied& applied) {
  Node& node = about_to_change(existing(change.path));
  const std::uint64_t path_hash = hash_of_path(change.path);
  digest_ -= stat_digest(path_hash, node);
  const AclId before = node.acl;
  node.acl = acls_.intern(change.acl);
  acls_.release(before);
  node.aversion = change.aversion;
  digest_ += stat_digest(path_hash, node);
  applied.stats.push_back(stat_of(node));
}

void DataTree::apply_change(const TransactionHeader&, const OpenSession&, Applied&) {}

void DataTree::apply_change(const TransactionHeader& header, const CloseSession&,
                            Applied& applied) {
  applied.deleted_paths = ephemerals_of(header.session);
  for (const std::string& path : applied.deleted_paths) {
    remove_node(header.zxid, path, applied);
  }
}

void DataTree::apply_change(const TransactionHeader& header, const MultiChange& multi,
                            Applied& applied) {
  for (const NodeChange& part : multi.changes) {
    std::visit([&](const auto& change) { apply_change(header, change, applied); }, part);
  }
}

void DataTree::remove_node(Zxid zxid, std::string_view path, Applied& applied) {
  const Slot slot = existing(path);
  Node& node = about_to_change(slot);
  CHECK(slot != root_slot && node.num_children == 0, path, " cannot be deleted");
  const Slot parent_slot = node.parent;
  Node& parent = about_to_change(parent_slot);
  const std::string_view parent_path = parent_of(path);
  const std::uint64_t parent_hash = hash_of_path(parent_path);
  digest_ -= node_digest(path, node) + stat_digest(parent_hash, parent);
  const std::uint64_t bytes = bytes_of_data(node);
  data_bytes_ -= path.size() + bytes;
  disown(slot);
  removal_.remove(slot, node);
  const AclId acl = node.acl;
  acls_.release(acl);
  nodes_.remove(slot);
  count_descendant(parent_slot, static_cast<std::uint32_t>(-1));
  parent.pzxid = zxid;
  removal_.add(parent_slot, parent);
  digest_ += stat_digest(parent_hash, parent);
  note_deletion(path, bytes, applied);
  applied.events.push_back({EventKind::deleted, path, acl});
  applied.events.push_back({EventKind::children_changed, parent_path, parent.acl});
}

void DataTree::own(Slot slot) {
  if (nodes_[slot].is_ephemeral()) {
    ephemerals_[nodes_[slot].ephemeral_owner].insert(slot);
    ++ephemeral_count_;
  }
}

void DataTree::disown(Slot slot) {
  if (nodes_[slot].is_ephemeral()) {
    const auto owned = ephemerals_.find(nodes_[slot].ephemeral_owner);
    owned->second.erase(slot);
    --ephemeral_count_;
    if (owned->second.empty()) {
      ephemerals_.erase(owned);
    }
  }
}

// One more below `parent` and whatever it is below, or one less with -1. It is as much work as
// finding the path was, and makes counting a whole subtree none.
void DataTree::count_descendant(Slot parent, std::uint32_t difference) {
  for (Slot slot = parent; slot != no_slot; slot = nodes_[slot].parent) {
    nodes_[slot].descendants += difference;
  }
}

std::vector<std::string> DataTree::removable(const RemovalTerms& terms, std::size_t count) const {
  std::vector<std::string> paths;
  for (const Slot slot : removal_.due(terms, count)) {
    paths.push_back(path_of(nodes_[slot]));
  }
  return paths;
}

Slot DataTree::slot_of(std::string_view path) const {
  if (path.empty() || path == "/") {
    return root_slot;
  }
  if (!path.starts_with('/')) {
    return no_slot;
  }
  Slot slot = root_slot;
  for (std::size_t begin = 1; slot != no_slot && begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    slot = nodes_.find_child(slot, path.substr(begin, end - begin));
    begin = end + 1;
  }
  return slot;
}

Slot DataTree::existing(std::string_view path) const {
  const Slot slot = slot_of(path);
  CHECK(slot != no_slot, path, " does not exist");
  return slot;
}

Node& DataTree::about_to_change(Slot slot) {
  if (observer_ != nullptr) {
    observer_->before_change(slot);
  }
  return nodes_[slot];
}

const Node* DataTree::find(std::string_view path) const {
  const Slot slot = slot_of(path);
  return slot == no_slot ? nullptr : &nodes_[slot];
}

Stat DataTree::stat_of(const Node& node) const {
  return {.czxid = node.czxid.wire(),
          .mzxid = node.mzxid.wire(),
          .ctime = node.ctime,
          .mtime = node.mtime,
          .version = node.version,
          .cversion = visible_cversion(node),
          .aversion = node.aversion,
          .ephemeral_owner = node.is_ephemeral() ? node.ephemeral_owner.value : 0,
          .data_length = std::max(node.data_length, 0),
          .num_children = node.num_children,
          .pzxid = node.pzxid.wire()};
}

std::string DataTree::path_of(const Node& node) const {
  std::string path;
  nodes_.append_path(path, node);
  return path;
}

std::vector<std::string> DataTree::ephemerals_of(SessionId session) const {
  std::vector<std::string> paths;
  if (const auto owned = ephemerals_.find(session); owned != ephemerals_.end()) {
    paths.reserve(owned->second.size());
    for (const Slot slot : owned->second) {
      paths.push_back(path_of(nodes_[slot]));
    }
    std::ranges::sort(paths);
  }
  return paths;
}

std::uint64_t DataTree::stat_digest(std::uint64_t path_hash, const Node& node) const {
  Stat stat = stat_of(node);
  stat.ephemeral_owner = node.ephemeral_owner.value;  // clients see it of ephemeral znodes alone
  return digest_of_stat(path_hash, stat, node.creates, acls_.hash_of(node.acl));
}

std::uint64_t DataTree::node_digest(std::string_view path, const Node& node) const {
  const std::uint64_t path_hash = hash_of_path(path);
  return stat_digest(path_hash, node) + digest_of_data(path_hash, data_of(node));
}

std::uint64_t DataTree::recomputed_digest() const {
  std::uint64_t digest = 0;
  nodes_.walk([&](std::string_view path, Slot slot) { digest += node_digest(path, nodes_[slot]); });
  return digest;
}

}  // namespace zabfs::replication::tree
