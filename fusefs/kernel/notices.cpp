#include "fusefs/kernel/notices.hpp"

#include <linux/fuse.h>
#include <sys/uio.h>

#include <array>

namespace zabfs::fusefs::kernel {
namespace {

// Newer than Debian's linux/fuse.h.
constexpr std::int32_t notice_repeat = 7;
constexpr std::int32_t notice_next_epoch = 8;

bool send(int device, std::int32_t notice, void* body, std::size_t size) {
  fuse_out_header header{.len = static_cast<std::uint32_t>(sizeof(fuse_out_header) + size),
                         .error = notice,
                         .unique = 0};
  const std::array<iovec, 2> parts{iovec{&header, sizeof(header)}, iovec{body, size}};
  return ::writev(device, parts.data(), size == 0 ? 1 : 2) ==
         static_cast<ssize_t>(sizeof(header) + size);
}

}  // namespace

bool ask_to_repeat(int device) { return send(device, notice_repeat, nullptr, 0); }

bool wake_poller(int device, std::uint64_t poller) {
  fuse_notify_poll_wakeup_out body{.kh = poller};
  return send(device, FUSE_NOTIFY_POLL, &body, sizeof(body));
}

bool forget_names(int device) { return send(device, notice_next_epoch, nullptr, 0); }

bool forget_inode(int device, std::uint64_t number, bool only_attributes) {
  fuse_notify_inval_inode_out body{.ino = number, .off = only_attributes ? -1 : 0, .len = 0};
  return send(device, FUSE_NOTIFY_INVAL_INODE, &body, sizeof(body));
}

}  // namespace zabfs::fusefs::kernel
