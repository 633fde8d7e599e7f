// A data directory of Apache ZooKeeper: which snapshot to begin with, which logs to replay behind
// it, and the state to which that leads.
//
//   DATADIR/version-2/snapshot.<zxid>[.gz]     with log.* beside it, or in dataLogDir/version-2
//   DATADIR/version-2/acceptedEpoch            and currentEpoch, of a server of an ensemble
//
// The newest snapshot that is whole counts; damaged ones are passed over. Behind it, no transaction
// may be missing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/zabctl/zookeeper/replayed_tree.hpp"

namespace zabfs::daemon::zabctl::zookeeper {

struct LoadOptions {
  std::string data{};     // the directory that zoo.cfg calls dataDir, or version-2 in it
  std::string log{};      // likewise dataLogDir; empty: the same
  bool allows_gaps{};     // go on where transactions are missing
  bool ignores_digest{};  // take over a state that is not the one ZooKeeper had
  std::function<void(const std::string&)> on_progress{};
};

struct LoadedDirectory {
  std::unique_ptr<ReplayedTree> tree{};
  std::string snapshot{};  // path of the file
  std::int64_t zxid{};     // of the last transaction
  std::uint32_t epoch{};   // the highest that the server promised
  std::uint64_t transactions{};
  bool is_digest_checked{};
  std::vector<std::string> notes{};  // sentences
};

// Throws Damaged, whose what() is then a whole sentence.
LoadedDirectory load_directory(const LoadOptions& options);

}  // namespace zabfs::daemon::zabctl::zookeeper
