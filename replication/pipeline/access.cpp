#include "replication/pipeline/access.hpp"

#include <algorithm>

namespace zabfs::replication::pipeline {
namespace {

bool is_everybody(const Identity& identity) {
  return identity.scheme == "world" && identity.id == "anyone";
}

}  // namespace

bool is_allowed(const Acl& acl, std::int32_t permissions, IdentitiesView identities) {
  return std::ranges::any_of(acl,
                             [permissions](const AclEntry& entry) {
                               return (entry.permissions & permissions) != 0 &&
                                      is_everybody(entry.identity);
                             }) ||
         std::ranges::find(identities, super_scheme, &Identity::scheme) != identities.end();
}

Result<Acl> storable(const Acl& acl) {
  Acl kept;
  for (const AclEntry& entry : acl) {
    if (!is_everybody(entry.identity)) {
      return ErrorCode::invalid_acl;
    }
    if (std::ranges::find(kept, entry) == kept.end()) {
      kept.push_back(entry);
    }
  }
  if (kept.empty()) {
    return ErrorCode::invalid_acl;
  }
  return kept;
}

}  // namespace zabfs::replication::pipeline
