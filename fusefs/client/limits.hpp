// The bounds of the client alone.
#pragma once

#include <cstddef>
#include <cstdint>

namespace zabfs::fusefs::limits {

// What proves to an ensemble who the client is: credentials, the length of one, and of the file
// that they are read from.
inline constexpr std::size_t credentials_max = 100;
inline constexpr std::size_t credential_bytes_max = 4UL << 10;
inline constexpr std::size_t credentials_file_bytes_max = 64UL << 10;

// Events that are told in one call; a transaction may cause more.
inline constexpr std::size_t notices_together_max = 10'000;

// How long a request that nobody waits for may wait for one to travel with.
inline constexpr std::int64_t patient_request_ms = 2;

}  // namespace zabfs::fusefs::limits
