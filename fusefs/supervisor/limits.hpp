// The bounds of the supervisor's patience.
#pragma once

#include <cstddef>

namespace zabfs::fusefs::limits {

// A worker that dies is replaced at once, then after a pause that doubles from the first to the
// second of these; and no more after so many deaths in a row, none of which served for so long.
inline constexpr int restart_pause_ms_min = 50;
inline constexpr int restart_pause_ms_max = 1'000;
inline constexpr int restarts_in_a_row_max = 12;
inline constexpr int restart_proven_ms = 1'000;

// What an upgrade waits for: for a new program to say that it would do; for changes under way to be
// answered; for the new worker to serve.
inline constexpr int upgrade_check_ms_max = 10'000;
inline constexpr int handover_ms_max = 2'000;
inline constexpr int upgrade_ms_max = 20'000;

// After that long, a worker that was told to end is ended by force.
inline constexpr int end_ms_max = 15'000;

// One message between the supervisor and others.
inline constexpr std::size_t supervisor_message_bytes_max = 4096;

}  // namespace zabfs::fusefs::limits
