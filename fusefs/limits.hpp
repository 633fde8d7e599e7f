// Every bound of the mount that the server does not share, named once; those it shares are in
// replication/model/limits.hpp.
#pragma once

#include <cstddef>

namespace zabfs::fusefs::limits {

// The contenders for a lock that are asked about at once for `N@queue`.
inline constexpr std::size_t queue_questions_max = 100;

}  // namespace zabfs::fusefs::limits
