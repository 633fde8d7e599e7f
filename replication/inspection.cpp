#include "replication/inspection.hpp"

#include "replication/pipeline/access.hpp"

namespace zabfs::replication {

// Each permission on its own: different entries of the list may give them.
bool may_do_everything(const Inspection& inside, IdentitiesView identities) {
  const Acl& acl = inside.tree.acl_of(*inside.tree.find("/"));
  for (std::int32_t permission = 1; permission <= permission::all; permission <<= 1) {
    if (!pipeline::is_allowed(acl, permission, identities)) {
      return false;
    }
  }
  return true;
}

}  // namespace zabfs::replication
