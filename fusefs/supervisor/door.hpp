// The way to the supervisor of a mount that is there, for `zabfs --upgrade`: a socket that has its
// name from the mount's device, and answers only its owner and root.
#pragma once

#include <optional>
#include <string>

namespace zabfs::fusefs::supervisor {

// The device of the file system of ours that is mounted on `path`, MAJOR:MINOR, without asking it;
// nullopt if there is none.
std::optional<std::string> device_of_mount(const std::string& path);

// Listens for the mount with this device. -1 if that is not possible.
int listen_for(const std::string& device);

// Somebody's wish, if there is one and he may have it; the descriptor is for the answer. -1 if
// there is none.
int accept_wish(int listening);
// One sentence, empty if all went well; closes the descriptor.
void answer_wish(int descriptor, const std::string& sentence);

// Asks the supervisor of the mount on `path` to upgrade, and waits. What went wrong, or nothing.
std::optional<std::string> ask_for_upgrade(const std::string& path);

}  // namespace zabfs::fusefs::supervisor
