// Whether a directory can be mounted on, asked before anything is started: what is wrong is then
// said in a sentence that names the remedy.
#pragma once

#include <optional>
#include <string>

namespace zabfs::fusefs::mount {

// The absolute path in `path`; or the sentence, if it cannot be mounted on.
std::optional<std::string> check_mount_point(std::string& path);

}  // namespace zabfs::fusefs::mount
