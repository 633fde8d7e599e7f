// What the kernel can be told without being asked, in its own words: libfuse 3.14 knows only some
// of them. Each is false if the kernel does not know it, or has ended the connection.
#pragma once

#include <cstdint>

namespace zabfs::fusefs::kernel {

// To send again everything that was read and not answered (Linux 6.9).
bool ask_to_repeat(int device);

// To ask again whoever polls the file that the kernel knows by this number.
bool wake_poller(int device, std::uint64_t poller);

}  // namespace zabfs::fusefs::kernel
