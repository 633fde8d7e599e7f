// Linearizability, as far as zxids tell it:
//
//   a write that is sent after another was acknowledged has a higher zxid
//   a read behind a sync shows at least everything acknowledged before the sync was sent
//   no two acknowledged writes have the same zxid
//
// "After" is the clients' real time. A client notes floor() when it sends and states it with the
// answer.
#pragma once

#include <set>

#include "replication/model/ids.hpp"
#include "tests/simulator/checkers/findings.hpp"

namespace zabfs::test {

class RealTimeOrder {
 public:
  explicit RealTimeOrder(Findings& findings) : findings_(findings) {}

  // The highest zxid of an acknowledged write.
  replication::Zxid floor() const { return floor_; }

  void on_write(int client, replication::Zxid zxid, replication::Zxid floor) {
    if (zxid <= floor) {
      findings_.add("Linearizability", "client ", client, " wrote at ", zxid, " after ", floor,
                    " was acknowledged");
    }
    if (!writes_.insert(zxid).second) {
      findings_.add("Linearizability", "two writes were acknowledged at ", zxid);
    }
    floor_ = std::max(floor_, zxid);
  }

  void on_synced_read(int client, replication::Zxid shown, replication::Zxid floor) {
    if (shown < floor) {
      findings_.add("Linearizability", "client ", client, " read at ", shown,
                    " behind a sync sent after ", floor, " was acknowledged");
    }
  }

 private:
  Findings& findings_;
  replication::Zxid floor_{};
  std::set<replication::Zxid> writes_{};
};

}  // namespace zabfs::test
