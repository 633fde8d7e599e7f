// SingleLeader: every epoch has at most one established leader, and it is led only once, also when
// the same server would lead it again after a crash.
#pragma once

#include <map>

#include "replication/ports/trace.hpp"
#include "tests/simulator/checkers/findings.hpp"

namespace zabfs::test {

class SingleLeader {
 public:
  explicit SingleLeader(Findings& findings) : findings_(findings) {}

  void on_trace(replication::ServerId at, const replication::TraceEvent& event) {
    if (const auto* began = std::get_if<replication::LeadershipBegan>(&event)) {
      const auto [led, is_new] = leaders_.emplace(began->epoch, at);
      if (!is_new) {
        findings_.add("SingleLeader", "epoch ", began->epoch, " is led by server ", at,
                      " and was already led by server ", led->second);
      }
    }
  }

  // How many epochs were led.
  std::size_t epochs() const { return leaders_.size(); }

 private:
  Findings& findings_;
  std::map<replication::Epoch, replication::ServerId> leaders_{};
};

}  // namespace zabfs::test
