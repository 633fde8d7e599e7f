// Tells the kernel what it may not keep any longer, by the notifications of FUSE.
//
//   names        FUSE_NOTIFY_INC_EPOCH (protocol 7.44, Linux 6.16): all at once. For one name,
//                FUSE_NOTIFY_INVAL_ENTRY takes the lock of its directory, which whoever looks up
//                or creates there holds until we answer
//   attributes   FUSE_NOTIFY_INVAL_INODE with no range of data: takes no lock that anybody holds
//                for longer than a moment
//
// The kernel has done it when the write returns.
#pragma once

#include <span>

#include "fusefs/kernel_memory.hpp"

namespace zabfs::fusefs::kernel {

class Forgetting : public KernelMemory {
 public:
  // Speaks the protocol of that minor version over `device`.
  Forgetting(int device, unsigned minor) : device_(device), minor_(minor) {}

  bool forgets_names() const override;
  void forget_names() override;
  void forget_attributes(inodes::InodeNumber inode) override;

 private:
  void tell(int code, std::span<const char> body) const;

  int device_;
  unsigned minor_;
};

}  // namespace zabfs::fusefs::kernel
