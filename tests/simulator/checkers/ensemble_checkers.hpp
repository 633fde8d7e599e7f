// All checkers of an ensemble, fed together in the order they need.
//
// Each is named after the property it holds; those of the protocol have the names that ZooKeeper's
// specification gives them (Zab.tla).
#pragma once

#include <map>
#include <string_view>

#include "tests/simulator/checkers/acknowledged_znodes.hpp"
#include "tests/simulator/checkers/committed_log_durability.hpp"
#include "tests/simulator/checkers/configurations.hpp"
#include "tests/simulator/checkers/integrity.hpp"
#include "tests/simulator/checkers/leader_log_completeness.hpp"
#include "tests/simulator/checkers/prefix_consistency.hpp"
#include "tests/simulator/checkers/primary_order.hpp"
#include "tests/simulator/checkers/real_time_order.hpp"
#include "tests/simulator/checkers/register_versions.hpp"
#include "tests/simulator/checkers/restorations.hpp"
#include "tests/simulator/checkers/session_life.hpp"
#include "tests/simulator/checkers/single_leader.hpp"
#include "tests/simulator/checkers/whole_snapshots.hpp"

namespace zabfs::test {

class EnsembleCheckers {
 public:
  EnsembleCheckers(Findings& findings, Micros session_tolerance,
                   const replication::Ensemble& initial)
      : prefix(findings),
        configurations(initial, findings),
        single_leader(findings),
        integrity(findings),
        primary_order(findings, prefix),
        completeness(findings, prefix),
        durability(findings, prefix),
        real_time(findings),
        registers(findings, restorations),
        znodes(findings, restorations),
        sessions(findings, session_tolerance),
        snapshots(findings) {}

  // A process is about to begin on `disk`.
  void on_starting(replication::ServerId at, const replication::Disk& disk);

  // It has begun; its tree holds everything up to `applied`.
  void on_started(replication::ServerId at, replication::Zxid applied);

  // `disk` is that of the server.
  void on_trace(replication::ServerId at, const replication::TraceEvent& event, Micros now,
                const SimDisk& disk);

  PrefixConsistency prefix;
  Configurations configurations;
  SingleLeader single_leader;
  Integrity integrity;
  PrimaryOrder primary_order;
  LeaderLogCompleteness completeness;
  CommittedLogDurability durability;
  RealTimeOrder real_time;
  Restorations restorations{};
  RegisterVersions registers;
  AcknowledgedZnodes znodes;
  SessionLife sessions;
  WholeSnapshots snapshots;

 private:
  std::map<replication::ServerId, DurableLog> logs_at_start_{};
};

}  // namespace zabfs::test
