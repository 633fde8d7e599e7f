#include "daemon/zabctl/new_servers_options.hpp"

#include <iostream>

#include "daemon/zabctl/presentation.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::daemon::zabctl {

void add_options(CLI::App& command, NewServersOptions& options) {
  const CLI::Range ids(std::int64_t{1}, replication::limits::server_id_max);
  command.add_option("--to", options.servers.data, "the data directory to make; empty or missing")
      ->required();
  auto* log = command.add_option("--to-log-dir", options.servers.log,
                                 "the server's dataLogDir, if it has one; empty or missing");
  command.add_flag("--standalone", options.is_alone, "for a server that runs alone");
  command
      .add_option("--server-id", options.servers.server_id,
                  "for this server of an ensemble, all of which are made from the same state")
      ->check(ids);
  command
      .add_option("--members", options.servers.members,
                  "for all servers of an ensemble, as in 1,2,3: one directory server.N for each")
      ->delimiter(',')
      ->check(ids)
      ->excludes(log);
  command.add_option("--expect", options.expected,
                     "refuse unless the state has this fingerprint, which was printed before");
}

void check_choice(const NewServersOptions& options) {
  const int chosen = (options.is_alone ? 1 : 0) + (options.servers.server_id != 0 ? 1 : 0) +
                     (options.servers.members.empty() ? 0 : 1);
  if (chosen != 1) {
    throw UsageError(
        "Say for whom the directory is: --standalone for a server that runs alone; --members 1,2,3 "
        "for all servers of an ensemble at once; or --server-id N for one of them, and the same "
        "for "
        "each of the others before any of them is started. (To replace one server of an ensemble "
        "that serves, start it with an empty directory: it fetches everything from the leader.)");
  }
}

void make_and_explain(const NewServersOptions& options, NewState& state) {
  const std::string print = fingerprint(state);
  if (!options.expected.empty() && options.expected != print) {
    throw Failure("The fingerprint of this state is " + print + ", not " + options.expected +
                  ": the servers of an ensemble must all begin with the same state.");
  }
  const auto made = make_servers(options.servers, state);
  for (const auto& directory : made) {
    std::cout << directory << ": state after " << hex(state.tree.last_applied()) << ", "
              << counted(state.tree.node_count(), "znode") << ", "
              << counted(state.sessions.size(), "session") << ", fingerprint " << print << "\n";
  }
  if (options.is_alone) {
    std::cout << "Set dataDir to it and start zabd.\n";
    return;
  }
  if (options.servers.server_id != 0) {
    std::cout << "Now make every other server of the ensemble from the same source, with its own "
                 "--server-id and\n--expect "
              << print << ".\n";
  } else {
    std::cout << "Copy each directory to its server, as its dataDir.\n";
  }
  std::cout
      << "Start none of them before all have it: two that begin with nothing are a majority of "
         "three, and would\nserve nothing. Give the new ensemble a new zabfs.peerSecretFile, so "
         "that no server of the old one can join it.\n";
}

}  // namespace zabfs::daemon::zabctl
