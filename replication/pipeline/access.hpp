// Who may do what: one question, asked of an ACL. And which ACLs may be stored at all.
//
// This version knows one identity, everybody ("world", "anyone"); other schemes are refused when an
// ACL is set, so no znode is ever more open than its creator asked for.
#pragma once

#include <cstdint>

#include "replication/model/acl.hpp"
#include "replication/model/result.hpp"

namespace zabfs::replication::pipeline {

// True if one of `identities`, or everybody, has at least one of the `permissions` bits.
bool is_allowed(const Acl& acl, std::int32_t permissions, IdentitiesView identities);

// The ACL as it is stored: exact duplicates dropped. invalid_acl if it is empty or names an
// identity that cannot be checked. (ZooKeeper, PrepRequestProcessor.fixupACL.)
Result<Acl> storable(const Acl& acl);

}  // namespace zabfs::replication::pipeline
