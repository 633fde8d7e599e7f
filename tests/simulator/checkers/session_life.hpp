// SessionLife: a session ends because its client closes it or is silent for its timeout, and it
// ends once; a lock (an ephemeral znode that only one can create) is given on only after that.
//
// A client was certainly heard of when a request was sent that was later answered. But where a
// session is overdue already, its end may be under way, and a learner that has not heard of it goes
// on answering for a while. So an answer then proves nothing until another comes after that while:
// then the session had not ended at the first; the welcome of a new connection proves it at once,
// because the leader decides on it.
//
// A restore replaces the sessions: of those that were known before it, nothing is expected any
// more.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "replication/ports/trace.hpp"
#include "tests/simulator/checkers/findings.hpp"
#include "tests/simulator/event_queue.hpp"

namespace zabfs::test {

class SessionLife {
 public:
  // `tolerance`: how much earlier than by the client's knowledge a session may end; what clocks
  // differ by, and what was heard by a server that lost its leader.
  SessionLife(Findings& findings, Micros tolerance) : findings_(findings), tolerance_(tolerance) {}

  // --- what clients know ---
  void on_opened(replication::SessionId session, std::int32_t timeout_ms) {
    known_[session].timeout_ms = timeout_ms;
  }
  // A connection that was opened at `opened` was welcomed.
  void on_welcomed(replication::SessionId session, Micros opened);
  // A request sent at `sent` was answered.
  void on_answered(replication::SessionId session, Micros sent);
  void on_close_asked(replication::SessionId session) { known_[session].is_close_asked = true; }
  // It was told that its session is over.
  void on_refused(replication::SessionId session, Micros now);
  void on_lock_released(replication::SessionId session);
  void on_lock_taken(replication::SessionId session, replication::Zxid zxid);

  // --- what servers do ---
  void on_trace(const replication::TraceEvent& event, Micros now);

  std::size_t closed() const { return closed_; }

 private:
  struct Known {
    std::int32_t timeout_ms{};
    Micros heard{};                   // for sure
    std::optional<Micros> revived{};  // the first answer since it was overdue
    bool is_close_asked{};
    bool has_ended{};
    bool is_of_another_state{};  // it was opened before a restore
  };

  // Before it, the session cannot be overdue on any server.
  Micros earliest_end(const Known& known) const;
  void on_restored(replication::Zxid zxid);
  void expect_overdue(replication::SessionId session, const Known& known, Micros now);

  Findings& findings_;
  const Micros tolerance_;
  std::map<replication::SessionId, Known> known_{};
  std::optional<replication::SessionId> lock_holder_{};
  replication::Zxid lock_taken_{};
  replication::Zxid restored_{};  // the last restore
  std::size_t closed_{};
};

}  // namespace zabfs::test
