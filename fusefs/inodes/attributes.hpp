// An inode as stat(2) shows it.
//
// Sizes are true: of a file its bytes, of a directory the number of its children. Both times are
// the last change of the data, because ZooKeeper keeps no time for a change of children or ACL; of
// a directory, the digits below the millisecond of mtime tell one listing from another. A directory
// has one link, which tells `find` that links do not count subdirectories.
#pragma once

#include <sys/stat.h>

#include <cstdint>

#include "fusefs/inodes/inode_table.hpp"

namespace zabfs::fusefs::inodes {

// What every file of the mount has: an owner, and the permissions of its kind.
struct Appearance {
  uid_t uid{};
  gid_t gid{};
  mode_t file_mode{0644};
  mode_t directory_mode{0755};
  std::uint64_t listing_salt{};  // of this process: its listings are not taken for another's
};

struct stat attributes_of(const Inode& inode, const Appearance& appearance);

}  // namespace zabfs::fusefs::inodes
