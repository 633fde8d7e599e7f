#include "replication/tree/removal_index.hpp"

namespace zabfs::replication::tree {
namespace {

bool is_indexed(const Node& node) { return node.is_removable() && node.num_children == 0; }

std::int64_t end_of(const Node& node) { return node.mtime + owner::ttl_ms(node.ephemeral_owner); }

}  // namespace

bool is_removal_due(const Node& node, const RemovalTerms& terms) {
  if (!is_indexed(node)) {
    return false;
  }
  if (owner::has_ttl(node.ephemeral_owner)) {
    return terms.now_ms > end_of(node);
  }
  return node.creates != 0 ||
         (terms.never_used_ms > 0 && terms.now_ms - node.mtime > terms.never_used_ms);
}

void RemovalIndex::remove(Slot slot, const Node& node) {
  if (!is_indexed(node)) {
    return;
  }
  if (owner::has_ttl(node.ephemeral_owner)) {
    with_ttl_.erase({end_of(node), slot});
  } else if (node.creates != 0) {
    used_containers_.erase(slot);
  } else {
    unused_containers_.erase({node.mtime, slot});
  }
}

void RemovalIndex::add(Slot slot, const Node& node) {
  if (!is_indexed(node)) {
    return;
  }
  if (owner::has_ttl(node.ephemeral_owner)) {
    with_ttl_.insert({end_of(node), slot});
  } else if (node.creates != 0) {
    used_containers_.insert(slot);
  } else {
    unused_containers_.insert({node.mtime, slot});
  }
}

std::vector<Slot> RemovalIndex::due(const RemovalTerms& terms, std::size_t count) const {
  std::vector<Slot> slots;
  for (const Slot slot : used_containers_) {
    if (slots.size() == count) {
      return slots;
    }
    slots.push_back(slot);
  }
  const auto take = [&](const ByTime& times, std::int64_t before) {
    for (const auto& [time, slot] : times) {
      if (time >= before || slots.size() == count) {
        return;
      }
      slots.push_back(slot);
    }
  };
  take(with_ttl_, terms.now_ms);
  if (terms.never_used_ms > 0) {
    take(unused_containers_, terms.now_ms - terms.never_used_ms);
  }
  return slots;
}

}  // namespace zabfs::replication::tree
