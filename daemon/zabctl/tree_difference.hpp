// In what two trees differ, znode by znode.
#pragma once

#include <functional>
#include <string>

#include "daemon/zabctl/loaded_state.hpp"

namespace zabfs::daemon::zabctl {

enum class DifferenceKind { only_in_first, only_in_second, changed };

struct Difference {
  DifferenceKind kind{};
  std::string path{};
  std::string what{};  // changed: the fields that differ, with both values
};

using DifferenceVisitor = std::function<void(const Difference&)>;

// Calls `visit` for every difference at and below `subtree`; then those of the sessions, whose
// paths are "session 0x...".
void compare(const LoadedState& first, const LoadedState& second, const std::string& subtree,
             const DifferenceVisitor& visit);

}  // namespace zabfs::daemon::zabctl
