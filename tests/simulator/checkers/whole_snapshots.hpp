// WholeSnapshots: what a server has written as a snapshot is the state of one moment, whole:
// whoever reads it finds the digest that the state had. A start reads only the newest one, and that
// long afterwards; here each is read as soon as it is there.
#pragma once

#include "replication/ports/disk.hpp"
#include "replication/ports/trace.hpp"
#include "tests/simulator/checkers/findings.hpp"

namespace zabfs::test {

class WholeSnapshots {
 public:
  explicit WholeSnapshots(Findings& findings) : findings_(findings) {}

  // `disk` is that of the server `at`.
  void on_trace(replication::ServerId at, const replication::TraceEvent& event,
                const replication::Disk& disk);

 private:
  Findings& findings_;
};

}  // namespace zabfs::test
