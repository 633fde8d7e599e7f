#include "tests/simulator/checkers/session_life.hpp"

#include <algorithm>

namespace zabfs::test {

using namespace replication;

void SessionLife::on_welcomed(SessionId session, Micros opened) {
  Known& known = known_[session];
  known.heard = std::max(known.heard, opened);
  known.revived.reset();
}

void SessionLife::on_answered(SessionId session, Micros sent) {
  Known& known = known_[session];
  if (sent < earliest_end(known)) {
    known.heard = std::max(known.heard, sent);
    known.revived.reset();
  } else if (!known.revived) {
    known.revived = sent;
  } else if (sent > *known.revived + tolerance_) {
    known.heard = *known.revived;  // It had not ended then; of now, that is not known yet.
    known.revived.reset();
    on_answered(session, sent);
  }
}

void SessionLife::on_lock_released(SessionId session) {
  if (lock_holder_ == session) {
    lock_holder_.reset();
  }
}

// Answers may come in another order than the creates took place, so only a later zxid takes over.
void SessionLife::on_lock_taken(SessionId session, Zxid zxid) {
  if (zxid < lock_taken_ || zxid < restored_) {
    return;
  }
  if (lock_holder_ && *lock_holder_ != session && !known_[*lock_holder_].has_ended) {
    findings_.add("SessionLife", "session ", session, " got the lock at ", zxid, " while session ",
                  *lock_holder_, " had it since ", lock_taken_);
  }
  lock_holder_ = session;
  lock_taken_ = zxid;
}

// Every server records the end when it applies it; the first one counts.
void SessionLife::on_trace(const TraceEvent& event, Micros now) {
  if (const auto* opened = std::get_if<SessionOpened>(&event)) {
    known_[opened->session];
  } else if (const auto* restored = std::get_if<StateRestored>(&event)) {
    on_restored(restored->zxid);
  }
  const auto* closed = std::get_if<SessionClosed>(&event);
  if (closed == nullptr) {
    return;
  }
  Known& known = known_[closed->session];
  if (known.has_ended) {
    return;
  }
  known.has_ended = true;
  ++closed_;
  expect_overdue(closed->session, known, now);
}

// The first server that has it has heard of all sessions that there were.
void SessionLife::on_restored(Zxid zxid) {
  if (zxid <= restored_) {
    return;
  }
  restored_ = zxid;
  lock_holder_.reset();
  for (auto& [session, known] : known_) {
    known.is_of_another_state = true;
  }
}

// It may be told so as soon as the end is under way.
void SessionLife::on_refused(SessionId session, Micros now) {
  expect_overdue(session, known_[session], now);
}

Micros SessionLife::earliest_end(const Known& known) const {
  return known.heard + Micros{known.timeout_ms} * millisecond - tolerance_;
}

void SessionLife::expect_overdue(SessionId session, const Known& known, Micros now) {
  if (!known.is_close_asked && !known.is_of_another_state && known.timeout_ms > 0 &&
      now < earliest_end(known)) {
    findings_.add("SessionLife", "session ", session, " ended at ", now, "us but asked at ",
                  known.heard, "us and has a timeout of ", known.timeout_ms, " ms");
  }
}

}  // namespace zabfs::test
