#include "tests/simulator/checkers/ensemble_checkers.hpp"

namespace zabfs::test {

using namespace replication;

void EnsembleCheckers::on_starting(ServerId at, const Disk& disk) {
  logs_at_start_[at] = read_log(disk);
  configurations.on_starting(at);
}

void EnsembleCheckers::on_started(ServerId at, Zxid applied) {
  prefix.on_started(at, applied, logs_at_start_[at]);
  primary_order.on_started();
}

void EnsembleCheckers::on_trace(ServerId at, const TraceEvent& event, Micros now,
                                const SimDisk& disk) {
  restorations.on_trace(event);
  single_leader.on_trace(at, event);
  integrity.on_trace(at, event);
  prefix.on_trace(at, event);
  completeness.on_trace(at, event, disk);
  primary_order.on_trace(at, event);
  sessions.on_trace(event, now);
  snapshots.on_trace(at, event, disk);
}

}  // namespace zabfs::test
