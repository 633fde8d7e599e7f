// An ACL in words: `scheme:id:permissions` per line, with permissions out of the letters c(reate),
// d(elete), r(ead), w(rite), a(dmin), as ZooKeeper's shell writes and reads them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "replication/model/acl.hpp"

namespace zabfs::fusefs::inodes {

std::string acl_text(const replication::Acl& acl);

// The ACL that `text` says, one entry per line; empty lines say nothing. The identity may hold
// colons: the scheme ends at the first, and the permissions begin behind the last. nullopt if a
// line is no entry, or if there are more than limits::acl_entries_max.
std::optional<replication::Acl> parse_acl(std::string_view text);

}  // namespace zabfs::fusefs::inodes
