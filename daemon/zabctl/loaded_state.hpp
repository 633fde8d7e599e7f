// The replicated state of a data directory or of one snapshot file, in memory, to be looked at.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "daemon/zabctl/read_only_directory.hpp"
#include "replication/model/ids.hpp"
#include "replication/session/session_table.hpp"
#include "replication/tree/data_tree.hpp"

namespace zabfs::daemon::zabctl {

struct LoadedState {
  replication::tree::DataTree tree{};
  replication::session::SessionTable sessions{};
  replication::Zxid snapshot{};   // that it was built from; 0 if from the log alone
  replication::Zxid committed{};  // what is known to be committed ends here ...
  std::uint64_t uncommitted{};    // ... and so many transactions behind it are in the state, too
  replication::Epoch accepted{};  // of a directory
  std::string note{};             // what was dropped or passed over; empty if nothing
};

// What a server that starts on the directory would have: its newest whole snapshot, and all of the
// log behind it. Throws Failure with the sentence of a start that is refused.
std::unique_ptr<LoadedState> load_directory(const ReadOnlyDirectory& directory);

// True if the file begins as a snapshot does.
bool is_snapshot_file(const std::string& path);

// The snapshot in one file, whatever its name is. Throws Failure if it is not whole.
std::unique_ptr<LoadedState> load_snapshot_file(const std::string& path);

// Either, as `path` is a directory or a file. `log` is as for ReadOnlyDirectory.
std::unique_ptr<LoadedState> load_state(const std::string& path, const std::string& log);

}  // namespace zabfs::daemon::zabctl
