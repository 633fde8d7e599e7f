// An ACL in words: `scheme:id:permissions` per line, with permissions out of the letters c(reate),
// d(elete), r(ead), w(rite), a(dmin), as ZooKeeper's shell writes and reads them.
#pragma once

#include <string>

#include "replication/model/acl.hpp"

namespace zabfs::fusefs::inodes {

std::string acl_text(const replication::Acl& acl);

}  // namespace zabfs::fusefs::inodes
