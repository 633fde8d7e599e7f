#include "fusefs/kernel/forgetting.hpp"

#include <linux/fuse.h>
#include <sys/uio.h>

#include <array>

namespace zabfs::fusefs::kernel {
namespace {

// Of protocol 7.44; Debian 12's linux/fuse.h is older.
constexpr int notify_inc_epoch = 8;
constexpr unsigned minor_of_epochs = 44;

}  // namespace

bool Forgetting::forgets_names() const { return minor_ >= minor_of_epochs; }

void Forgetting::forget_names() { tell(notify_inc_epoch, {}); }

void Forgetting::forget_attributes(inodes::InodeNumber inode) {
  fuse_notify_inval_inode_out which{};
  which.ino = inode;
  which.off = -1;
  tell(FUSE_NOTIFY_INVAL_INODE, {reinterpret_cast<const char*>(&which), sizeof(which)});
}

// A failure means that the kernel has no such inode, or that the mount has ended.
void Forgetting::tell(int code, std::span<const char> body) const {
  fuse_out_header header{};
  header.len = static_cast<std::uint32_t>(sizeof(header) + body.size());
  header.error = code;
  std::array<iovec, 2> parts{
      iovec{.iov_base = &header, .iov_len = sizeof(header)},
      iovec{.iov_base = const_cast<char*>(body.data()), .iov_len = body.size()}};
  static_cast<void>(::writev(device_, parts.data(), body.empty() ? 1 : 2));
}

}  // namespace zabfs::fusefs::kernel
