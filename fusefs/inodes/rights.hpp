// What an ACL lets the mount do, and everybody else: the permissions that stat(2) shows, and the
// ACL that chmod(2) asks for.
//
// The owner of a file stands for the mount, which is who its credentials say; group and others
// stand for whoever can reach the ensemble, `world:anyone`. An ACL knows no groups, so the two
// always have the same. Whoever may not read a znode is not told that it is there, and so cannot
// pass; but servers before 3.8.4 tell, so a mount that cannot even read the ACL is shown x.
//
//   shown | of a file | of a directory
//   ------|-----------|-----------------
//   r     | READ      | READ
//   w     | WRITE     | CREATE or DELETE
//   x     | never     | READ
//
// The permissions of other identities do not show, and chmod leaves them as they are.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>

#include "replication/model/acl.hpp"

namespace zabfs::fusefs::inodes {

struct Rights {
  std::int32_t own{replication::permission::all};     // bits of replication::permission
  std::int32_t others{replication::permission::all};  // of world:anyone
  bool is_guess{};  // of `own`: the ACL names what only the server can compare

  bool operator==(const Rights&) const = default;
};

// What `acl` grants to a client with `identities`. Of a digest only the name is compared, because
// the server may hide the rest: it has the last word in any case.
Rights rights_in(const replication::Acl& acl, const replication::Identities& identities);

// Of an ACL that may not even be read.
Rights unreadable();

// To the ACL itself, as if it were the data of a file.
Rights rights_to_acl(const Rights& rights);

// The nine bits of permissions, before the mount's mask.
mode_t permissions_of_file(const Rights& rights);
mode_t permissions_of_directory(const Rights& rights);

// The ACL that shows as `wanted` (of which it looks at r and w), under a mount that shows no bits
// but those of `mask`; nullopt if there is none. The mount keeps the permission to change it again.
std::optional<replication::Acl> changed_acl(const replication::Acl& acl,
                                            const replication::Identities& identities,
                                            mode_t wanted, mode_t mask);

}  // namespace zabfs::fusefs::inodes
