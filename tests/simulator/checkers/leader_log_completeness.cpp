#include "tests/simulator/checkers/leader_log_completeness.hpp"

namespace zabfs::test {

using namespace replication;

void LeaderLogCompleteness::on_trace(ServerId at, const TraceEvent& event, const SimDisk& disk) {
  if (const auto* began = std::get_if<LeadershipBegan>(&event)) {
    expect_whole_history(at, *began, read_log(disk.durable_copy()));
  } else if (const auto* truncated = std::get_if<HistoryTruncated>(&event)) {
    const std::size_t delivered = prefix_.position_of(at);
    if (delivered > 0 && prefix_.history()[delivered - 1].zxid > truncated->keep) {
      findings_.add("CommittedLogMonotonicity", "server ", at, " truncates to ", truncated->keep,
                    " and has delivered ", prefix_.history()[delivered - 1].zxid);
    }
  }
}

void LeaderLogCompleteness::expect_whole_history(ServerId at, const LeadershipBegan& began,
                                                 const DurableLog& log) {
  const auto& history = prefix_.history();
  const std::size_t reach = prefix_.reach_of(log);
  if (log.refusal) {
    findings_.add("LeaderLogCompleteness", "server ", at, " leads epoch ", began.epoch,
                  " and could not be started from its disk: ", *log.refusal);
  } else if (reach < history.size()) {
    findings_.add("LeaderLogCompleteness", "server ", at, " leads epoch ", began.epoch, " without ",
                  history[reach].zxid, ", which was delivered");
  } else if (log.end() < began.history_end) {
    findings_.add("LeaderLogCompleteness", "server ", at, " leads epoch ", began.epoch, " from ",
                  began.history_end, " but its log ends at ", log.end());
  }
}

}  // namespace zabfs::test
