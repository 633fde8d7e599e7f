// The diary: what happened, as typed events. The daemon's log, the transcripts of the tests and the
// simulator all read it. Nothing is decided by it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "replication/model/ids.hpp"

namespace zabfs::replication {

struct Recovered {
  Zxid last{};
  std::uint64_t transactions_replayed{};
  std::uint64_t transactions_waiting{};  // for a leader to say that they are history
  std::uint64_t znodes{};
  std::string note{};  // what recovery dropped, as a sentence; empty if nothing
};

// This server serves nobody, and looks for a leader.
struct LookingBegan {
  std::string why{};  // the end of a sentence; empty if the process has just begun
};

// A quorum has this server's history, up to `history_end`: it leads.
struct LeadershipBegan {
  Epoch epoch{};
  Zxid history_end{};
};

// This server is up to date with its leader, and serves.
struct FollowingBegan {
  ServerId leader{};
  Epoch epoch{};
};

// The leader gave out this zxid. Digests of records are XXH3 of their bytes.
struct Proposed {
  Zxid zxid{};
  std::uint64_t digest{};
};

// A record was given to the log, whoever proposed it.
struct Appended {
  Zxid zxid{};
  std::uint64_t digest{};
};

// A transaction was applied; `state` is a digest of tree and sessions afterwards.
struct Delivered {
  Zxid zxid{};
  std::uint64_t digest{};
  std::uint64_t state{};
};

// A leader took back what this server's log had after `keep`.
struct HistoryTruncated {
  Zxid keep{};
};

// A leader's state has taken the place of this server's history.
struct HistoryReplaced {
  Zxid taken_at{};
};

// This server's state is not the leader's: it must stop.
struct Diverged {
  Zxid zxid{};
};

// The configuration in force here, and the one on its way, as text; empty if there is none.
struct EnsembleLearned {
  std::string in_force{};
  std::string next{};
};

struct SessionOpened {
  SessionId session{};
  std::int32_t timeout_ms{};
};

struct SessionClosed {
  SessionId session{};
  bool expired{};
  std::uint64_t ephemerals{};
};

struct SnapshotBegan {
  Zxid zxid{};
};

struct SnapshotFinished {
  Zxid zxid{};
  std::uint64_t bytes{};
};

// A client sent what no client of the protocol sends; its connection is being closed.
struct ClientRefused {
  ConnectionId connection{};
  std::string why{};
};

// More lies below a path than its quota says; writing goes on.
struct QuotaPassed {
  std::string path{};
};

// A snapshot has taken the place of the tree and of the sessions.
struct StateRestored {
  Zxid zxid{};
  Zxid snapshot{};  // the last transaction in it
  std::uint64_t znodes{};
};

using TraceEvent = std::variant<Recovered, LookingBegan, LeadershipBegan, FollowingBegan, Proposed,
                                Appended, Delivered, HistoryTruncated, HistoryReplaced, Diverged,
                                EnsembleLearned, SessionOpened, SessionClosed, SnapshotBegan,
                                SnapshotFinished, ClientRefused, QuotaPassed, StateRestored>;

class Trace {
 public:
  virtual ~Trace() = default;
  virtual void record(const TraceEvent& event) = 0;

  // True if the events of every single transaction are wanted too: Proposed, Appended, Delivered.
  virtual bool wants_transactions() const { return false; }
};

// The event as one line of text, without time or newline.
std::string to_text(const TraceEvent& event);

}  // namespace zabfs::replication
