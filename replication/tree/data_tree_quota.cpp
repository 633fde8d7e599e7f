// How the tree keeps account of what lies below the paths that have a quota. Where none is set, all
// of it is one look at an empty set.
#include <string>

#include "replication/tree/data_tree.hpp"

namespace zabfs::replication::tree {
namespace {

std::string place_of(std::string_view quota_path, std::string_view name) {
  std::string path(quota_root);
  path.append(quota_path).append("/").append(name);
  return path;
}

std::int64_t bytes_of_data(const Node& node) { return node.data_length < 0 ? 0 : node.data_length; }

// True if `limit` is one, and less than `usage`.
bool is_passed(std::int64_t limit, std::int64_t usage) { return limit >= 0 && usage > limit; }

}  // namespace

std::optional<QuotaNumbers> DataTree::quota_numbers(std::string_view path,
                                                    std::string_view name) const {
  const Node* node = find(place_of(path, name));
  const auto data = node == nullptr ? std::nullopt : data_of(*node);
  return data ? parse_quota(text_of(*data)) : std::nullopt;
}

std::optional<QuotaNumbers> DataTree::quota_limits(const std::string& path) const {
  return quota_numbers(path, quota_limits_name);
}

std::optional<QuotaNumbers> DataTree::quota_usage(const std::string& path) const {
  return quota_numbers(path, quota_usage_name);
}

void DataTree::note_creation(std::string_view path, const Node& node, Applied& applied) {
  if (const auto quota = quota_path_of(path, quota_limits_name); !quota.empty()) {
    quotas_.add(quota);
  }
  if (const auto quota = quota_path_of(path, quota_usage_name); !quota.empty()) {
    recount(quota);
  }
  charge(path, 1, bytes_of_data(node), applied);
}

void DataTree::note_deletion(std::string_view path, std::uint64_t bytes, Applied& applied) {
  if (const auto quota = quota_path_of(path, quota_limits_name); !quota.empty()) {
    quotas_.remove(quota);
  }
  charge(path, -1, -static_cast<std::int64_t>(bytes), applied);
}

// A usage that somebody has overwritten with something else is left as it is. (ZooKeeper's server
// ends then.)
void DataTree::charge(std::string_view path, std::int64_t count, std::int64_t bytes,
                      Applied& applied) {
  if (quotas_.empty() || (count == 0 && bytes == 0)) {
    return;
  }
  const std::string* quota = quotas_.nearest(path);
  const auto usage = quota == nullptr ? std::nullopt : quota_usage(*quota);
  if (!usage) {
    return;
  }
  keep_usage(*quota, usage->count + count, usage->bytes + bytes);
  const auto limits = quota_limits(*quota);
  if (limits && ((count > 0 && is_passed(limits->count, usage->count + count)) ||
                 (bytes > 0 && is_passed(limits->bytes, usage->bytes + bytes)))) {
    applied.passed_quota = *quota;
  }
}

// A walk, once, when an operator sets a quota.
void DataTree::recount(std::string_view quota_path) {
  std::int64_t count = 0;
  std::int64_t bytes = 0;
  const Slot top = slot_of(quota_path);
  for (Slot slot = top; slot != no_slot;) {
    const Node& node = nodes_[slot];
    ++count;
    bytes += bytes_of_data(node);
    if (node.first_child != no_slot) {
      slot = node.first_child;
      continue;
    }
    while (slot != top && nodes_[slot].next_sibling == no_slot) {
      slot = nodes_[slot].parent;
    }
    slot = slot == top ? no_slot : nodes_[slot].next_sibling;
  }
  keep_usage(quota_path, count, bytes);
}

// In place: nothing of the Stat but the length changes.
void DataTree::keep_usage(std::string_view quota_path, std::int64_t count, std::int64_t bytes) {
  const std::string path = place_of(quota_path, quota_usage_name);
  const std::string text = usage_text(count, bytes);
  const Slot slot = slot_of(path);
  Node& node = about_to_change(slot);
  digest_ -= node_digest(path, node);
  data_bytes_ -= static_cast<std::uint64_t>(bytes_of_data(node));
  nodes_.set_data(slot, bytes_of(text));
  data_bytes_ += static_cast<std::uint64_t>(bytes_of_data(node));
  digest_ += node_digest(path, node);
}

}  // namespace zabfs::replication::tree
