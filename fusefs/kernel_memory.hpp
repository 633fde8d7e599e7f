// What the kernel keeps of a mount, and can be told to forget. The kernel's side implements it, a
// test by writing down.
#pragma once

#include "fusefs/inodes/inode_table.hpp"

namespace zabfs::fusefs {

class KernelMemory {
 public:
  virtual ~KernelMemory() = default;

  // False if it cannot be told to forget names (before Linux 6.16).
  virtual bool forgets_names() const = 0;

  // Each is done when it returns, also for replies that the kernel has not worked through yet, and
  // waits for no process. Attributes of an inode that the kernel does not have are ignored.
  virtual void forget_names() = 0;
  virtual void forget_attributes(inodes::InodeNumber inode) = 0;
};

}  // namespace zabfs::fusefs
