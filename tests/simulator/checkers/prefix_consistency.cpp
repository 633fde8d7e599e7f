#include "tests/simulator/checkers/prefix_consistency.hpp"

#include <algorithm>

namespace zabfs::test {

using namespace replication;

std::size_t PrefixConsistency::count_up_to(Zxid zxid) const {
  return static_cast<std::size_t>(std::ranges::upper_bound(history_, zxid, {}, &LogEntry::zxid) -
                                  history_.begin());
}

bool PrefixConsistency::is_delivered(Zxid zxid) const {
  const std::size_t count = count_up_to(zxid);
  return zxid == Zxid{} || (count > 0 && history_[count - 1].zxid == zxid);
}

// A server that is a quorum by itself applies its whole log when it starts, also what it had not
// applied before it died; that is how such transactions become history.
void PrefixConsistency::on_started(ServerId at, Zxid applied, const DurableLog& log) {
  for (const LogEntry& entry : log.entries) {
    if (entry.zxid <= applied && (history_.empty() || entry.zxid > history_.back().zxid)) {
      history_.push_back(entry);
      states_.push_back(0);
    }
  }
  if (!is_delivered(applied)) {
    findings_.add("PrefixConsistency", "server ", at, " starts from ", applied,
                  ", which nobody has ever delivered");
  }
  positions_[at] = count_up_to(applied);
}

void PrefixConsistency::on_trace(ServerId at, const TraceEvent& event) {
  if (const auto* delivered = std::get_if<Delivered>(&event)) {
    deliver(at, *delivered);
  } else if (const auto* replaced = std::get_if<HistoryReplaced>(&event)) {
    if (!is_delivered(replaced->taken_at)) {
      findings_.add("PrefixConsistency", "server ", at, " takes over a snapshot of ",
                    replaced->taken_at, ", which nobody has ever delivered");
    }
    positions_[at] = count_up_to(replaced->taken_at);
  }
}

void PrefixConsistency::deliver(ServerId at, const Delivered& event) {
  std::size_t& position = positions_[at];
  const LogEntry entry{.zxid = event.zxid, .digest = event.digest};
  if (position == history_.size()) {
    if (!history_.empty() && entry.zxid <= history_.back().zxid) {
      findings_.add("TotalOrder", "server ", at, " delivers ", entry.zxid, " after ",
                    history_.back().zxid);
      return;
    }
    history_.push_back(entry);
    states_.push_back(0);
  }
  if (history_[position] != entry) {
    findings_.add("PrefixConsistency", "server ", at, " delivers ", entry.zxid,
                  " where others have ", history_[position].zxid,
                  history_[position].zxid == entry.zxid ? " with other bytes" : "");
    return;
  }
  std::uint64_t& state = states_[position];
  if (state != 0 && state != event.state) {
    findings_.add("StateConsistency", "server ", at, " is in another state after ", entry.zxid,
                  " than others");
  }
  state = event.state;
  ++position;
}

std::size_t PrefixConsistency::reach_of(const DurableLog& log) const {
  std::size_t reach = count_up_to(log.base);
  for (const LogEntry& entry : log.entries) {
    if (reach == history_.size() || history_[reach] != entry) {
      break;
    }
    ++reach;
  }
  return reach;
}

}  // namespace zabfs::test
