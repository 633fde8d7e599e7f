#include "replication/ports/trace.hpp"

#include <algorithm>
#include <sstream>

namespace zabfs::replication {
namespace {

// Sessions are known to operators in hexadecimal, as ZooKeeper prints them.
struct Hexadecimal {
  SessionId session{};

  friend std::ostream& operator<<(std::ostream& out, Hexadecimal h) {
    return out << "0x" << std::hex << h.session << std::dec;
  }
};

void print(std::ostream& out, const Recovered& e) {
  out << "recovered to " << e.last << ": " << e.znodes << " znodes, " << e.transactions_replayed
      << " transactions replayed";
  if (e.transactions_waiting != 0) {
    out << ", " << e.transactions_waiting << " waiting for a leader";
  }
  if (!e.note.empty()) {
    out << "; " << e.note;
  }
}

void print(std::ostream& out, const LookingBegan& event) {
  out << "looking for a leader" << (event.why.empty() ? "" : ": ") << event.why;
}

void print(std::ostream& out, const LeadershipBegan& e) {
  out << "epoch " << e.epoch << " began behind " << e.history_end;
}

void print(std::ostream& out, const FollowingBegan& e) {
  out << "following server " << e.leader << " in epoch " << e.epoch;
}

void print(std::ostream& out, const Proposed& e) {
  out << "proposed " << e.zxid << " digest " << e.digest;
}

void print(std::ostream& out, const Appended& e) {
  out << "appended " << e.zxid << " digest " << e.digest;
}

void print(std::ostream& out, const Delivered& e) {
  out << "delivered " << e.zxid << " digest " << e.digest << " state " << e.state;
}

void print(std::ostream& out, const HistoryTruncated& e) {
  out << "history truncated after " << e.keep;
}

void print(std::ostream& out, const HistoryReplaced& e) {
  out << "history replaced by the leader's state at " << e.taken_at;
}

void print(std::ostream& out, const Diverged& e) {
  out << "state differs from the leader's at " << e.zxid;
}

void print(std::ostream& out, const EnsembleLearned& e) {
  const auto in_one_line = [](std::string text) {
    std::ranges::replace(text, '\n', ' ');
    return text;
  };
  out << "ensemble: " << in_one_line(e.in_force);
  if (!e.next.empty()) {
    out << "; on its way: " << in_one_line(e.next);
  }
}

void print(std::ostream& out, const SessionOpened& e) {
  out << "session " << Hexadecimal{e.session} << " opened, timeout " << e.timeout_ms << " ms";
}

void print(std::ostream& out, const SessionClosed& e) {
  out << "session " << Hexadecimal{e.session} << (e.expired ? " expired, " : " closed, ")
      << e.ephemerals << " ephemeral znodes deleted";
}

void print(std::ostream& out, const SnapshotBegan& e) { out << "snapshot began at " << e.zxid; }

void print(std::ostream& out, const SnapshotFinished& e) {
  out << "snapshot finished at " << e.zxid << ", " << e.bytes << " bytes";
}

void print(std::ostream& out, const ClientRefused& e) {
  out << "connection " << e.connection << " refused: " << e.why;
}

void print(std::ostream& out, const QuotaPassed& e) {
  out << "the quota of " << e.path << " is passed";
}

void print(std::ostream& out, const StateRestored& e) {
  out << "at " << e.zxid << " a snapshot of " << e.znodes << " znodes, taken at " << e.snapshot
      << ", replaced the state";
}

}  // namespace

std::string to_text(const TraceEvent& event) {
  std::ostringstream out;
  std::visit([&out](const auto& e) { print(out, e); }, event);
  return out.str();
}

}  // namespace zabfs::replication
