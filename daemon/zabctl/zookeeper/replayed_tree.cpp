#include "daemon/zabctl/zookeeper/replayed_tree.hpp"

#include <zlib.h>

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/zabctl/zookeeper/damaged.hpp"
#include "replication/jute/jute_archive.hpp"
#include "replication/model/check.hpp"
#include "replication/model/limits.hpp"
#include "replication/model/path.hpp"

namespace zabfs::daemon::zabctl::zookeeper {

using namespace replication::tree;
using replication::Acl;
using replication::Bytes;
using replication::ByteView;
using replication::SessionId;
using replication::Zxid;

namespace {

constexpr std::int64_t everybody = -1;  // the number of the ACL that every snapshot leaves out

std::optional<ByteView> view_of(const replication::Data& data) {
  return data ? std::optional(ByteView(*data)) : std::nullopt;
}

void check_znode(std::string_view path, std::string_view name, std::optional<ByteView> data) {
  if (!replication::is_legal_segment(name)) {
    throw Damaged("has a znode whose name is not allowed, below " +
                  std::string(replication::parent_of(path)));
  }
  if (data && data->size() > replication::limits::client_frame_bytes_max) {
    throw Damaged("has " + std::to_string(data->size()) + " bytes of data in the znode " +
                  std::string(path) + "; zabd takes " +
                  std::to_string(replication::limits::client_frame_bytes_max) + " at most");
  }
}

}  // namespace

ReplayedTree::ReplayedTree() {
  nodes_.set_data(root_slot, ByteView{});
  nodes_[root_slot].acl = acls_.intern(replication::open_acl());
}

void ReplayedTree::on_session(SessionId id, std::int32_t timeout_ms) {
  sessions_[id.value] = timeout_ms;
}

void ReplayedTree::on_acl(std::int64_t number, Acl acl) { numbered_acls_[number] = std::move(acl); }

void ReplayedTree::on_znode(const std::string& path, std::optional<ByteView> data, std::int64_t acl,
                            const StatPersisted& stat) {
  const auto list = numbered_acls_.find(acl);
  if (list == numbered_acls_.end() && acl != everybody) {
    throw Damaged("gives the znode " + path + " an ACL that it does not contain");
  }
  const Acl& entries = acl == everybody ? replication::open_acl() : list->second;
  if (path.empty()) {
    nodes_.set_data(root_slot, data);
    Node& root = nodes_[root_slot];
    acls_.release(root.acl);
    root.acl = acls_.intern(entries);
    root.czxid = Zxid::from_wire(stat.czxid);
    root.mzxid = Zxid::from_wire(stat.mzxid);
    root.pzxid = Zxid::from_wire(stat.pzxid);
    root.ctime = stat.ctime;
    root.mtime = stat.mtime;
    root.version = stat.version;
    root.aversion = stat.aversion;
    root.creates = stat.creates;
    return;
  }
  const std::string_view name = replication::name_of_path(path);
  check_znode(path, name, data);
  const Slot parent = find(replication::parent_of(path));
  if (parent == no_slot) {
    throw Damaged("has the znode " + path + " without its parent");
  }
  if (add(parent, name, data, entries, stat) == no_slot) {
    throw Damaged("has the znode " + path + " twice");
  }
}

Slot ReplayedTree::find(std::string_view path) const {
  if (path.empty() || path == "/") {
    return root_slot;
  }
  Slot slot = path.starts_with('/') ? root_slot : no_slot;
  for (std::size_t begin = 1; slot != no_slot && begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    slot = nodes_.find_child(slot, path.substr(begin, end - begin));
    begin = end + 1;
  }
  return slot;
}

// A new child, or no_slot if there is one of that name.
Slot ReplayedTree::add(Slot parent, std::string_view name, std::optional<ByteView> data,
                       const Acl& acl, const StatPersisted& stat) {
  if (nodes_.find_child(parent, name) != no_slot) {
    return no_slot;
  }
  const Slot slot = nodes_.add(name, data);
  Node& node = nodes_[slot];
  node.acl = acls_.intern(acl);
  node.czxid = Zxid::from_wire(stat.czxid);
  node.mzxid = Zxid::from_wire(stat.mzxid);
  node.pzxid = Zxid::from_wire(stat.pzxid);
  node.ctime = stat.ctime;
  node.mtime = stat.mtime;
  node.version = stat.version;
  node.aversion = stat.aversion;
  node.creates = stat.creates;
  node.ephemeral_owner = SessionId{stat.owner};
  CHECK(nodes_.link(slot, parent), "the name ", name, " is taken");
  if (stat.owner != 0) {
    ephemerals_[stat.owner].insert(slot);
  }
  return slot;
}

// With everything below it: a fuzzy snapshot may have children of a znode whose deletion comes
// first.
void ReplayedTree::remove(Slot slot) {
  while (nodes_[slot].first_child != no_slot) {
    Slot leaf = nodes_[slot].first_child;
    while (nodes_[leaf].first_child != no_slot) {
      leaf = nodes_[leaf].first_child;
    }
    remove(leaf);
  }
  Node& node = nodes_[slot];
  const std::int64_t owner = node.ephemeral_owner.value;
  if (owner != 0) {
    ephemerals_[owner].erase(slot);
    if (ephemerals_[owner].empty()) {
      ephemerals_.erase(owner);
    }
  }
  acls_.release(node.acl);
  nodes_.remove(slot);
}

void ReplayedTree::advance_parent(Slot parent, std::int32_t creates, std::int64_t zxid) {
  Node& node = nodes_[parent];
  if (creates == -1) {
    creates = node.creates + 1;
  }
  if (creates > node.creates) {
    node.creates = creates;
    node.pzxid = Zxid::from_wire(zxid);
  }
}

// As opposed to the mark of a container or of a TTL.
bool ReplayedTree::is_session(std::int64_t owner) const {
  return sessions_.contains(owner) ||
         (owner != 0 && owner != container_owner && (owner & ttl_owner_mask) != ttl_owner_mask);
}

void ReplayedTree::apply(const Transaction& transaction) {
  std::visit([&](const auto& body) { change(transaction.header, body); }, transaction.body);
}

void ReplayedTree::change(const TransactionHeader& /*header*/, const Nothing& /*nothing*/) {}

void ReplayedTree::change(const TransactionHeader& header, const Create& create) {
  const Slot parent = find(replication::parent_of(create.path));
  const std::string_view name = replication::name_of_path(create.path);
  if (parent == no_slot || name.empty()) {
    return;
  }
  check_znode(create.path, name, view_of(create.data));
  advance_parent(parent, create.parent_creates, header.zxid);
  add(parent, name, view_of(create.data), create.acl,
      {.czxid = header.zxid,
       .mzxid = header.zxid,
       .ctime = header.time_ms,
       .mtime = header.time_ms,
       .owner = create.owner,
       .pzxid = header.zxid});
}

void ReplayedTree::change(const TransactionHeader& header, const Delete& deletion) {
  delete_path(deletion.path, header.zxid);
}

void ReplayedTree::delete_path(std::string_view path, std::int64_t zxid) {
  const Slot parent = find(replication::parent_of(path));
  if (parent == no_slot || path.size() < 2) {
    return;
  }
  Node& above = nodes_[parent];
  above.pzxid = std::max(above.pzxid, Zxid::from_wire(zxid));
  if (const Slot slot = find(path); slot != no_slot) {
    remove(slot);
  }
}

void ReplayedTree::change(const TransactionHeader& header, const SetData& set) {
  if (const Slot slot = find(set.path); slot != no_slot) {
    check_znode(set.path, slot == root_slot ? "root" : replication::name_of_path(set.path),
                view_of(set.data));
    nodes_.set_data(slot, view_of(set.data));
    Node& node = nodes_[slot];
    node.mzxid = Zxid::from_wire(header.zxid);
    node.mtime = header.time_ms;
    node.version = set.version;
  }
}

void ReplayedTree::change(const TransactionHeader& /*header*/, const SetAcl& set) {
  if (const Slot slot = find(set.path); slot != no_slot) {
    Node& node = nodes_[slot];
    acls_.release(node.acl);
    node.acl = acls_.intern(set.acl);
    node.aversion = set.aversion;
  }
}

void ReplayedTree::change(const TransactionHeader& header, const OpenSession& open) {
  sessions_[header.session] = open.timeout_ms;
}

void ReplayedTree::change(const TransactionHeader& header, const CloseSession& close) {
  for (const auto& path : close.paths) {
    delete_path(path, header.zxid);
  }
  if (const auto owned = ephemerals_.find(header.session); owned != ephemerals_.end()) {
    const std::set<Slot> left = owned->second;
    for (const Slot slot : left) {
      std::string path;
      nodes_.append_path(path, nodes_[slot]);
      delete_path(path, header.zxid);
    }
  }
  sessions_.erase(header.session);
}

void ReplayedTree::change(const TransactionHeader& header, const Multi& multi) {
  for (const Change& part : multi.changes) {
    std::visit([&](const auto& each) { change(header, each); }, part);
  }
}

std::int64_t ReplayedTree::digest() const {
  std::uint64_t sum = 0;
  nodes_.walk([&](std::string_view path, Slot slot) {
    if (path.starts_with("/zookeeper/")) {
      return;
    }
    const Node& node = nodes_[slot];
    Bytes numbers;
    replication::jute::JuteWriter to(numbers);
    to(node.czxid, node.mzxid, node.pzxid, node.ctime, node.mtime, node.version, node.creates,
       node.aversion, node.ephemeral_owner);
    const std::string_view text = path == "/" ? std::string_view{} : path;
    const ByteView data = nodes_.data_of(node).value_or(ByteView{});
    uLong crc = ::crc32_z(0, nullptr, 0);
    for (const ByteView bytes : {replication::bytes_of(text), data, ByteView(numbers)}) {
      crc = bytes.empty() ? crc : ::crc32_z(crc, bytes.data(), bytes.size());
    }
    sum += crc;
  });
  return static_cast<std::int64_t>(sum);
}

void ReplayedTree::settle(std::int64_t zxid) {
  std::vector<std::int64_t> dead;
  for (const auto& [owner, slots] : ephemerals_) {
    if (is_session(owner) && !sessions_.contains(owner)) {
      dead.push_back(owner);
    }
  }
  for (const std::int64_t owner : dead) {
    change({.session = owner, .zxid = zxid}, CloseSession{});
  }
  std::vector<std::string> limits;
  nodes_.walk([&](std::string_view path, Slot /*slot*/) {
    if (path.starts_with("/zookeeper/quota/") && path.ends_with("/zookeeper_limits")) {
      limits.emplace_back(path);
    }
  });
  for (const auto& path : limits) {
    count_quota(path);
  }
}

// What is used at and below the path of a quota stands beside its limits, and no Stat tells of it.
void ReplayedTree::count_quota(std::string_view limits_path) {
  constexpr std::string_view prefix = "/zookeeper/quota";
  const std::string_view quota = replication::parent_of(limits_path);
  const Slot stats = find(std::string(quota) + "/zookeeper_stats");
  const std::string_view subtree = quota.substr(prefix.size());
  if (stats == no_slot) {
    return;
  }
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  nodes_.walk([&](std::string_view path, Slot slot) {
    if (path == subtree || (path.starts_with(subtree) && path[subtree.size()] == '/')) {
      ++count;
      bytes += static_cast<std::uint64_t>(std::max(nodes_[slot].data_length, 0));
    }
  });
  const std::string text = "count=" + std::to_string(count) + ",bytes=" + std::to_string(bytes);
  nodes_.set_data(stats, replication::bytes_of(text));
}

void ReplayedTree::forget_servers() {
  const Slot parent = find("/zookeeper");
  if (const Slot slot = find("/zookeeper/config"); slot != no_slot) {
    nodes_.set_data(slot, ByteView{});
  } else if (parent != no_slot) {
    add(parent, "config", ByteView{}, replication::read_only_acl(), {.aversion = -1});
  }
}

replication::session::SessionTable ReplayedTree::session_table() const {
  replication::session::SessionTable table;
  for (const auto& [id, timeout_ms] : sessions_) {
    table.open({id}, {.timeout_ms = timeout_ms, .password = password_of(id)});
  }
  return table;
}

DataTree ReplayedTree::take(Zxid last_applied) {
  auto tree = DataTree::restored(std::move(nodes_), std::move(acls_), last_applied);
  CHECK(tree.has_value(), "every znode was linked below the root");
  return std::move(*tree);
}

// java.util.Random, seeded with the number and a constant; sixteen bytes of it.
Bytes password_of(std::int64_t session) {
  constexpr std::uint64_t multiplier = 0x5deece66d;
  constexpr std::uint64_t mask = (std::uint64_t{1} << 48) - 1;
  constexpr std::uint64_t secret = 0xb3415c00;
  std::uint64_t state = ((static_cast<std::uint64_t>(session) ^ secret) ^ multiplier) & mask;
  Bytes password;
  while (password.size() < replication::limits::session_password_bytes) {
    state = (state * multiplier + 0xb) & mask;
    auto word = static_cast<std::uint32_t>(state >> 16);
    for (int byte = 0; byte < 4; ++byte, word >>= 8) {
      password.push_back(static_cast<std::uint8_t>(word));
    }
  }
  return password;
}

}  // namespace zabfs::daemon::zabctl::zookeeper
