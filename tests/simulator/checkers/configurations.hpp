// What must hold of configurations of the ensemble:
//
//   OneConfiguration     a version has one text, whoever says it is in force
//   BothQuorums          when a configuration is first in force anywhere, quorums of it and of the
//                        one before have its transaction on their disks
//   VersionMonotone      no server serves with an older configuration than before
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "replication/model/ensemble.hpp"
#include "replication/ports/trace.hpp"
#include "tests/simulator/checkers/findings.hpp"

namespace zabfs::test {

class Configurations {
 public:
  Configurations(const replication::Ensemble& initial, Findings& findings);

  // The newest that was in force anywhere; the initial one if none was.
  const replication::Ensemble& newest() const { return in_force_.rbegin()->second; }

  // `has(server, zxid)`: whether the disk of the server has that transaction for sure.
  void on_trace(replication::ServerId at, const replication::TraceEvent& event,
                const std::function<bool(replication::ServerId, replication::Zxid)>& has);

  // Its process begins anew.
  void on_starting(replication::ServerId at) { has_.erase(at); }

  // All servers of the configurations from `version` on that anybody has, or had on its way.
  std::set<replication::ServerId> members_since(replication::Zxid version) const;

  std::size_t count() const { return in_force_.size() - 1; }

 private:
  Findings& findings_;
  std::map<replication::Zxid, replication::Ensemble> in_force_;
  std::map<replication::ServerId, replication::Zxid> has_;     // now
  std::map<replication::ServerId, replication::Zxid> serves_;  // when it last began to serve
  std::map<replication::Zxid, std::set<replication::ServerId>> members_;
};

}  // namespace zabfs::test
