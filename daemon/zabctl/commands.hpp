// The commands of zabctl. Each adds itself to the program's command line; when it was named there,
// it runs at the end of parsing and leaves its exit status.
#pragma once

#include <CLI/CLI.hpp>

namespace zabfs::daemon::zabctl {

void add_status(CLI::App& program, int& status);
void add_log(CLI::App& program, int& status);
void add_snapshot(CLI::App& program, int& status);
void add_verify(CLI::App& program, int& status);
void add_import(CLI::App& program, int& status);
void add_backup(CLI::App& program, int& status);
void add_restore(CLI::App& program, int& status);

}  // namespace zabfs::daemon::zabctl
