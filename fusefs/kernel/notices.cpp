#include "fusefs/kernel/notices.hpp"

#include <linux/fuse.h>
#include <sys/uio.h>

#include <array>

namespace zabfs::fusefs::kernel {
namespace {

// Newer than Debian's linux/fuse.h.
constexpr std::int32_t notice_repeat = 7;

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

}  // namespace zabfs::fusefs::kernel
