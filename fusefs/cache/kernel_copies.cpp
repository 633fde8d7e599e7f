#include "fusefs/cache/kernel_copies.hpp"

#include <utility>
#include <vector>

#include "replication/model/path.hpp"

namespace zabfs::fusefs::cache {
namespace {

// The path itself and all above it; for an empty one, which stands for all, itself alone.
std::vector<std::string> way_to(const std::string& path) {
  std::vector<std::string> way{path};
  while (!way.back().empty() && way.back() != "/") {
    way.emplace_back(replication::parent_of(way.back()));
  }
  return way;
}

}  // namespace

void KernelCopies::use(Port port) {
  port_ = std::move(port);
  copies_.clear();
  ++names_;
}

bool KernelCopies::may_give_name(const std::string& path) const {
  return port_.forget_names && !held_->contains(path) && !held_->contains("");
}

void KernelCopies::gave_attributes(const std::string& path, std::uint64_t inode) {
  Copy& copy = copies_[path];
  if (copy.attributes != inode) {
    take_back_attributes(copy);
  }
  copy.attributes = inode;
}

void KernelCopies::gave_listing(const std::string& path, std::uint64_t inode) {
  Copy& copy = copies_[path];
  if (copy.listing != inode) {
    take_back_listing(copy);
  }
  copy.listing = inode;
}

bool KernelCopies::has_listing(const std::string& path, std::uint64_t inode) const {
  const auto copy = copies_.find(path);
  return copy != copies_.end() && copy->second.listing == inode;
}

void KernelCopies::take_back_names() {
  ++names_;
  port_.forget_names();
}

void KernelCopies::take_back_listing(Copy& copy) {
  if (const auto inode = std::exchange(copy.listing, 0)) {
    port_.forget_listing(inode);
  }
}

void KernelCopies::take_back_attributes(Copy& copy) {
  if (const auto inode = std::exchange(copy.attributes, 0)) {
    port_.forget_attributes(inode);
  }
}

void KernelCopies::erase_if_empty(Copies::iterator copy) {
  if (!has_name(copy->second) && copy->second.attributes == 0 && copy->second.listing == 0) {
    copies_.erase(copy);
  }
}

void KernelCopies::node_changed(const std::string& path) {
  const auto found = copies_.find(path);
  if (found == copies_.end()) {
    return;
  }
  Copy copy = found->second;
  copies_.erase(found);
  if (has_name(copy)) {
    take_back_names();
  }
  take_back_attributes(copy);
  take_back_listing(copy);
}

void KernelCopies::children_changed(const std::string& path) {
  if (const auto found = copies_.find(path); found != copies_.end()) {
    take_back_listing(found->second);
    erase_if_empty(found);
  }
}

void KernelCopies::attributes_change(const std::string& path) {
  if (const auto found = copies_.find(path); found != copies_.end()) {
    take_back_attributes(found->second);
    erase_if_empty(found);
  }
}

void KernelCopies::everything_changed() {
  Copies copies = std::exchange(copies_, {});
  if (port_.forget_names) {
    take_back_names();
  }
  for (auto& [path, copy] : copies) {
    take_back_attributes(copy);
    take_back_listing(copy);
  }
}

std::shared_ptr<void> KernelCopies::hold_names(const std::string& path) {
  std::vector<std::string> way = way_to(path);
  bool is_given = path.empty() && !copies_.empty();
  for (const auto& one : way) {
    ++(*held_)[one];
    const auto copy = copies_.find(one);
    is_given = is_given || (copy != copies_.end() && has_name(copy->second));
  }
  if (is_given && port_.forget_names) {
    take_back_names();
  }
  const auto let_go = [held = held_, way = std::move(way)](void*) {
    for (const auto& one : way) {
      if (--(*held)[one] == 0) {
        held->erase(one);
      }
    }
  };
  return {held_.get(), let_go};
}

}  // namespace zabfs::fusefs::cache
