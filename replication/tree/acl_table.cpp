#include "replication/tree/acl_table.hpp"

#include "replication/model/check.hpp"
#include "replication/tree/tree_digest.hpp"

namespace zabfs::replication::tree {

AclId AclTable::intern(const Acl& acl) {
  const auto [place, is_new] = ids_.try_emplace(acl);
  if (is_new) {
    if (free_.empty()) {
      free_.push_back(static_cast<AclId>(rows_.size()));
      rows_.emplace_back();
    }
    place->second = free_.back();
    free_.pop_back();
    rows_[place->second] = {.acl = &place->first, .hash = hash_of_acl(acl), .references = 0};
  }
  add_reference(place->second);
  return place->second;
}

void AclTable::release(AclId id) {
  CHECK(contains(id) && rows_[id].references > 0, "ACL ", id);
  if (--rows_[id].references == 0) {
    --size_;
    unused_.push_back(id);
  }
}

void AclTable::forget_unused() {
  for (const AclId id : unused_) {
    if (rows_[id].references == 0 && rows_[id].acl != nullptr) {
      ids_.erase(ids_.find(*rows_[id].acl));
      rows_[id] = {};
      free_.push_back(id);
    }
  }
  unused_.clear();
}

}  // namespace zabfs::replication::tree
