// The bounds of what a worker of the mount writes down for its successor.
#pragma once

#include <cstddef>
#include <cstdint>

namespace zabfs::fusefs::limits {

// Bytes of one file of the ledger, and how many there may be before it is looked whether fewer say
// the same.
inline constexpr std::uint64_t ledger_bytes_max = 1UL << 30;
inline constexpr std::uint64_t ledger_shortened_bytes = 16UL << 20;

// By how much the memory of a file that is appended to grows at a time.
inline constexpr std::uint64_t ledger_step_bytes = 256UL << 10;

// The content of one open file: a value, or what a stream has unread.
inline constexpr std::uint64_t content_bytes_max = 4UL << 20;

// An answer to the kernel that is written down though nothing else is, so that it can be repeated.
inline constexpr std::size_t ledger_answer_bytes_max = 256;

}  // namespace zabfs::fusefs::limits
