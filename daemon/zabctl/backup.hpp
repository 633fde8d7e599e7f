// A consistent copy of a data directory, of a running server too: the newest whole snapshot and the
// log behind it, as files of zabd, so that every command that reads a data directory reads a
// backup.
//
//   epochs, snapshot.*, log.*     as in the server's directory; the last log ends with its last
//   record backup.json                   what it is: the state it leads to, and the files with
//   their sizes
//
// A tar file holds the same names and is unpacked with tar.
#pragma once

#include <string>

#include "daemon/zabctl/loaded_state.hpp"
#include "daemon/zabctl/read_only_directory.hpp"

namespace zabfs::daemon::zabctl {

// Copies and reads the copy back. `to` must be missing or empty. Throws Failure.
std::unique_ptr<LoadedState> back_up(const ReadOnlyDirectory& from, const std::string& to);

// Puts the files of the directory `from` into the new tar file `to`. Throws Failure.
void write_tar(const std::string& from, const std::string& to);

// Unpacks a tar file that write_tar made into the new directory `to`. Throws Failure for any other.
void read_tar(const std::string& from, const std::string& to);

}  // namespace zabfs::daemon::zabctl
