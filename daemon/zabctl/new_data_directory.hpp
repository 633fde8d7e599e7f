// Makes a data directory whose history begins with a given state: one snapshot, no log, and the
// epochs file that says so. Everything in it is durable in the end, `epochs` last: without it no
// server starts.
//
// Nothing is ever overwritten. Servers that are to be one ensemble must all begin with the same
// state: one that began with less, or with nothing, could make a majority with another such and
// serve that.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/zabctl/loaded_state.hpp"
#include "replication/model/ids.hpp"

namespace zabfs::daemon::zabctl {

// Where the directories of the servers come to be, from the command line.
struct NewServers {
  std::string data{};
  std::string log{};                    // dataLogDir; empty: the same
  std::int64_t server_id{};             // of an ensemble; 0: a server alone
  std::vector<std::int64_t> members{};  // all of an ensemble: data/server.N for each
};

struct NewState {
  replication::tree::DataTree tree{};
  replication::session::SessionTable sessions{};
  replication::Epoch epoch{};  // at least that of the last transaction
};

// What tells that two servers begin with the same: to be compared by eye.
std::string fingerprint(const NewState& state);

// Throws Failure before anything is written if any of the directories cannot be used: if there is
// anything in it, above all.
void check_new_servers(const NewServers& servers);

// Throws Failure. Reads back what it wrote. Returns the directories made.
std::vector<std::string> make_servers(const NewServers& servers, NewState& state);

}  // namespace zabfs::daemon::zabctl
