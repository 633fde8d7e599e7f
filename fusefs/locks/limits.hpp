// The bounds of what contenders say of themselves.
#pragma once

#include <cstddef>

namespace zabfs::fusefs::limits {

// A value in a contender's znode, which anybody may have written.
inline constexpr std::size_t lock_description_bytes_max = 256;

}  // namespace zabfs::fusefs::limits
