// The bounds of the client alone.
#pragma once

#include <cstddef>

namespace zabfs::fusefs::limits {

// What proves to an ensemble who the client is: credentials, the length of one, and of the file
// that they are read from.
inline constexpr std::size_t credentials_max = 100;
inline constexpr std::size_t credential_bytes_max = 4UL << 10;
inline constexpr std::size_t credentials_file_bytes_max = 64UL << 10;

}  // namespace zabfs::fusefs::limits
