// The request to change the ensemble becomes the configuration it asks for, or the error it must
// fail with. A pure function of the configuration in force; whether the moment is right, the leader
// knows.
//
//   joining      server.N=host:port:port[:role];clientPort, with commas: comes, or is changed
//   leaving      numbers of servers, with commas; who is not there need not leave
//   new members  the whole list, with commas or lines; then the other two are not looked at
//
// As in ZooKeeper: a server that joins states all three ports; only an ensemble of equal voters
// without groups can be changed server by server; no two servers have one address.
#pragma once

#include <string>

#include "replication/model/ensemble.hpp"
#include "replication/model/result.hpp"

namespace zabfs::replication::pipeline {

struct WantedServers {
  std::string joining{};
  std::string leaving{};
  std::string new_members{};  // empty: the other two say what changes
};

// The ensemble that is wanted, without a version; bad_arguments if there can be none with at least
// `voters_min` voters.
Result<Ensemble> reconfigured(const Ensemble& current, const WantedServers& wanted,
                              std::size_t voters_min);

}  // namespace zabfs::replication::pipeline
