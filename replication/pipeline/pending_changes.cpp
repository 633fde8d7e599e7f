#include "replication/pipeline/pending_changes.hpp"

#include <limits>

#include "replication/model/check.hpp"
#include "replication/model/path.hpp"

namespace zabfs::replication::pipeline {

std::optional<FutureNode> PendingChanges::find(std::string_view path) const {
  if (path.empty()) {
    path = "/";
  }
  const auto found = entries_.find(path);
  if (found != entries_.end()) {
    const Entry& entry = found->second;
    if (!entry.exists) {
      return std::nullopt;
    }
    FutureNode node = entry.node;
    if (entry.acl) {
      node.acl = &*entry.acl;
    } else {
      const tree::Node* present = tree_.find(path);
      CHECK(present != nullptr, "changed in flight but absent: ", path);
      node.acl = &tree_.acl_of(*present);
    }
    return node;
  }
  const tree::Node* present = tree_.find(path);
  if (present == nullptr) {
    return std::nullopt;
  }
  const Stat stat = tree_.stat_of(*present);
  return FutureNode{.version = stat.version,
                    .creates = present->creates,
                    .num_children = stat.num_children,
                    .ephemeral_owner = {stat.ephemeral_owner},
                    .acl = &tree_.acl_of(*present)};
}

std::vector<std::string> PendingChanges::ephemerals_of(SessionId session) const {
  std::set<std::string> paths;
  for (std::string& path : tree_.ephemerals_of(session)) {
    const auto node = find(path);
    if (node && node->ephemeral_owner == session) {
      paths.insert(std::move(path));
    }
  }
  if (const auto created = ephemerals_created_.find(session);
      created != ephemerals_created_.end()) {
    paths.insert(created->second.begin(), created->second.end());
  }
  return {paths.begin(), paths.end()};
}

void PendingChanges::create(const std::string& path, const Acl& acl, SessionId ephemeral_owner) {
  FutureNode& parent = stage(parent_of(path)).node;
  parent.num_children += 1;
  if (parent.creates != std::numeric_limits<std::int32_t>::max()) {
    parent.creates += 1;
  }
  Entry& entry = stage(path);
  CHECK(!entry.exists, "created twice: ", path);
  entry.exists = true;
  entry.node = {.ephemeral_owner = ephemeral_owner};
  entry.acl = acl;
  index_ephemeral(path, entry, true);
}

void PendingChanges::remove(const std::string& path) {
  stage(parent_of(path)).node.num_children -= 1;
  Entry& entry = stage(path);
  CHECK(entry.exists, "removed but absent: ", path);
  index_ephemeral(path, entry, false);
  entry.exists = false;
  entry.acl.reset();
}

void PendingChanges::set_version(const std::string& path, std::int32_t version) {
  stage(path).node.version = version;
}

void PendingChanges::commit(Zxid zxid) {
  CHECK(in_flight_.empty() || in_flight_.back().zxid < zxid, "zxid ", zxid, " is not the newest");
  for (const Staged& staged : staged_) {
    if (staged.element->second.changed_by != zxid) {  // a multi may touch a znode many times
      staged.element->second.changed_by = zxid;
      in_flight_.push_back({zxid, staged.element});
    }
  }
  staged_.clear();
}

void PendingChanges::rollback() {
  for (; !staged_.empty(); staged_.pop_back()) {
    auto& [element, before] = staged_.back();
    index_ephemeral(element->first, element->second, false);
    if (before) {
      element->second = std::move(*before);
      index_ephemeral(element->first, element->second, true);
    } else {
      entries_.erase(element->first);
    }
  }
}

void PendingChanges::applied(Zxid zxid) {
  for (; !in_flight_.empty() && in_flight_.front().zxid <= zxid; in_flight_.pop_front()) {
    auto* element = in_flight_.front().element;
    if (element->second.changed_by == in_flight_.front().zxid) {
      index_ephemeral(element->first, element->second, false);
      entries_.erase(element->first);
    }
  }
}

void PendingChanges::clear() {
  entries_.clear();
  staged_.clear();
  in_flight_.clear();
  ephemerals_created_.clear();
}

// The entry of `path`, made from the tree if there is none, with what it was remembered for
// rollback().
PendingChanges::Entry& PendingChanges::stage(std::string_view path) {
  const auto found = entries_.find(path);
  if (found != entries_.end()) {
    staged_.push_back({&*found, found->second});
    return found->second;
  }
  const auto node = find(path);
  auto& element = *entries_.emplace(std::string(path), Entry{}).first;
  element.second.exists = node.has_value();
  element.second.node = node.value_or(FutureNode{});
  staged_.push_back({&element, std::nullopt});
  return element.second;
}

void PendingChanges::index_ephemeral(const std::string& path, const Entry& entry, bool present) {
  const SessionId owner = entry.node.ephemeral_owner;
  if (owner == SessionId{} || !entry.exists || !entry.acl) {
    return;  // not ephemeral, or the tree lists it
  }
  if (present) {
    ephemerals_created_[owner].insert(path);
    return;
  }
  const auto found = ephemerals_created_.find(owner);
  if (found != ephemerals_created_.end() && found->second.erase(path) != 0 &&
      found->second.empty()) {
    ephemerals_created_.erase(found);
  }
}

}  // namespace zabfs::replication::pipeline
