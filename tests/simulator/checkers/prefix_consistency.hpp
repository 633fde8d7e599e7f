// PrefixConsistency, with Agreement and TotalOrder: there is one sequence of transactions, and what
// any server has delivered, over all its lives, is a beginning of it. After equal transactions
// every server is in the equal state.
//
// The sequence is what was delivered first, wherever. A server that starts continues where its tree
// is; it may deliver again what it had delivered before, but never something else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "replication/ports/trace.hpp"
#include "tests/simulator/checkers/durable_log.hpp"
#include "tests/simulator/checkers/findings.hpp"

namespace zabfs::test {

class PrefixConsistency {
 public:
  explicit PrefixConsistency(Findings& findings) : findings_(findings) {}

  // The tree of `at` holds everything up to `applied`, which it took from `log`.
  void on_started(replication::ServerId at, replication::Zxid applied, const DurableLog& log);

  void on_trace(replication::ServerId at, const replication::TraceEvent& event);

  // Everything delivered by anybody, in order.
  const std::vector<LogEntry>& history() const { return history_; }

  // How many of it `at` has delivered.
  std::size_t position_of(replication::ServerId at) const {
    const auto found = positions_.find(at);
    return found == positions_.end() ? 0 : found->second;
  }

  // True if somebody has delivered `zxid`, or it stands for the beginning of history.
  bool is_delivered(replication::Zxid zxid) const;

  // How many transactions of history `log` holds from the beginning on, without a gap.
  std::size_t reach_of(const DurableLog& log) const;

 private:
  void deliver(replication::ServerId at, const replication::Delivered& event);

  // How many transactions of history are not after `zxid`.
  std::size_t count_up_to(replication::Zxid zxid) const;

  Findings& findings_;
  std::vector<LogEntry> history_{};
  std::vector<std::uint64_t> states_{};  // after each; 0 if nobody has said
  std::map<replication::ServerId, std::size_t> positions_{};
};

}  // namespace zabfs::test
