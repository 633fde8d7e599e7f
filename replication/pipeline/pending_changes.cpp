#include "replication/pipeline/pending_changes.hpp"

#include <limits>
#include <utility>

#include "replication/model/check.hpp"
#include "replication/model/owner.hpp"
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
                    .aversion = stat.aversion,
                    .creates = present->creates,
                    .num_children = stat.num_children,
                    .ephemeral_owner = present->ephemeral_owner,
                    .data_bytes = stat.data_length,
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

bool PendingChanges::would_pass_quota(std::string_view path, std::int64_t count,
                                      std::int64_t bytes) const {
  const std::string* quota = tree_.quotas().empty() ? nullptr : tree_.quotas().nearest(path);
  if (quota == nullptr) {
    return false;
  }
  const auto limits = tree_.quota_limits(*quota);
  const auto usage = tree_.quota_usage(*quota);
  if (!limits || !usage) {
    return false;
  }
  const auto found = charges_.find(*quota);
  const Charge in_flight = found == charges_.end() ? Charge{} : found->second;
  const auto is_passed = [](std::int64_t limit, std::int64_t usage_then) {
    return limit >= 0 && usage_then > limit;
  };
  return (count > 0 && is_passed(limits->hard_count, usage->count + in_flight.count + count)) ||
         (bytes > 0 && is_passed(limits->hard_bytes, usage->bytes + in_flight.bytes + bytes));
}

void PendingChanges::charge(std::string_view path, std::int64_t count, std::int64_t bytes) {
  if (tree_.quotas().empty()) {
    return;
  }
  if (const std::string* quota = tree_.quotas().nearest(path)) {
    charges_staged_.push_back({.quota = *quota, .count = count, .bytes = bytes});
    Charge& sum = charges_[*quota];
    sum.count += count;
    sum.bytes += bytes;
  }
}

void PendingChanges::discharge(const Charge& charge) {
  Charge& sum = charges_[charge.quota];
  sum.count -= charge.count;
  sum.bytes -= charge.bytes;
}

// The sums of nothing.
void PendingChanges::forget_charges() {
  if (charges_staged_.empty() && charges_in_flight_.empty()) {
    charges_.clear();
  }
}

void PendingChanges::create(const std::string& path, const Acl& acl, SessionId ephemeral_owner,
                            std::int64_t data_bytes) {
  charge(path, 1, data_bytes);
  FutureNode& parent = stage(parent_of(path)).node;
  parent.num_children += 1;
  if (parent.creates != std::numeric_limits<std::int32_t>::max()) {
    parent.creates += 1;
  }
  Entry& entry = stage(path);
  CHECK(!entry.exists, "created twice: ", path);
  entry.exists = true;
  entry.is_new = true;
  entry.node = {.ephemeral_owner = ephemeral_owner, .data_bytes = data_bytes};
  entry.acl = acl;
  index_ephemeral(path, entry, true);
}

void PendingChanges::remove(const std::string& path) {
  stage(parent_of(path)).node.num_children -= 1;
  Entry& entry = stage(path);
  CHECK(entry.exists, "removed but absent: ", path);
  charge(path, -1, -entry.node.data_bytes);
  index_ephemeral(path, entry, false);
  entry.exists = false;
  entry.is_new = false;
  entry.acl.reset();
}

void PendingChanges::set_data(const std::string& path, std::int32_t version,
                              std::int64_t data_bytes) {
  FutureNode& node = stage(path).node;
  charge(path, 0, data_bytes - node.data_bytes);
  node.version = version;
  node.data_bytes = data_bytes;
}

void PendingChanges::set_acl(const std::string& path, const Acl& acl, std::int32_t aversion) {
  Entry& entry = stage(path);
  entry.acl = acl;
  entry.node.aversion = aversion;
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
  for (Charge& charge : charges_staged_) {
    charge.zxid = zxid;
    charges_in_flight_.push_back(std::move(charge));
  }
  charges_staged_.clear();
}

void PendingChanges::rollback() {
  for (const Charge& charge : charges_staged_) {
    discharge(charge);
  }
  charges_staged_.clear();
  forget_charges();
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
  for (; !charges_in_flight_.empty() && charges_in_flight_.front().zxid <= zxid;
       charges_in_flight_.pop_front()) {
    discharge(charges_in_flight_.front());
  }
  forget_charges();
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
  charges_staged_.clear();
  charges_in_flight_.clear();
  charges_.clear();
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
  if (!owner::is_session(owner) || !entry.exists || !entry.is_new) {
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
