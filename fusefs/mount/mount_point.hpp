// The mount point. Whether a directory can be mounted on is asked before anything is started: what
// is wrong is then said in a sentence that names the remedy.
#pragma once

#include <optional>
#include <string>

namespace zabfs::fusefs::mount {

// The absolute path in `path`; or the sentence, if it cannot be mounted on.
std::optional<std::string> check_mount_point(std::string& path);

// Takes the mount off, also while it is used. Asks the mount itself nothing.
void unmount(const std::string& path);

}  // namespace zabfs::fusefs::mount
