// Starting the program of a worker, and asking one whether it would do.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "fusefs/supervisor/link.hpp"

namespace zabfs::fusefs::supervisor {

// The program as a descriptor, which stays the same program when the file is replaced. -1 if it
// cannot be opened.
int open_program(const std::string& path);

// Executes `program`; the worker ends when this process does. -1 if there is no process to be had.
pid_t start(int program, const std::vector<std::string>& arguments, const Link& link);

// Why `program` cannot take over from a worker of this program; empty if it can.
std::string why_not(int program);

}  // namespace zabfs::fusefs::supervisor
