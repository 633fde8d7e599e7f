// The assistant that makes changes of others once more (fusefs/notify/replay.hpp).
//
// It reaches the mount by its path, holds nothing of it between two orders, so that the mount can
// be unmounted, and does nothing where the mount is not: what lies below a mount point stays as it
// is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fusefs/mount/assistant.hpp"
#include "fusefs/notify/replay.hpp"

namespace zabfs::fusefs::mount {

Duty replayer();

// The first order: where the mount is. The answer tells its device (device_answered).
std::string order_to_begin(const std::string& mount_point);

// The device of the mount, as inotify_scan's device_of; nullopt if the answer tells none.
std::optional<std::uint64_t> device_answered(std::string_view answer);

// Any other order. The answer says that it is done, or that it was not to be done: a change that
// was overtaken by another is none that the kernel could still tell.
std::string order_to_replay(const notify::Replay& replay);

}  // namespace zabfs::fusefs::mount
