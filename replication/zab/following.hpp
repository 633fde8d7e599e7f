// A learner's side of phases 1 to 3: to be led by one server, over one link.
//
//   asking ----NewEpoch----> accepting ----epoch saved----> awaiting_history
//                                (an epoch promised before is answered at once)
//   awaiting_history --Difference, Truncate, SnapshotBegin--> receiving
//   receiving --NewLeader--> persisting --all durable--> entering --epoch saved--> entered
//   entered ----UpToDate----> following
//
// Whatever does not fit ends it: the learner looks for a leader again and breaks the link, so that
// nothing of this relationship can be heard in the next one.
//
// What must be durable before what is said (ZAB.md, sections 3 and 5):
//
//   AckEpoch       the epoch is accepted, and the log that is quoted is on disk
//   AckNewLeader   first the history up to NewLeader, then the current epoch (ZOOKEEPER-4643, 4646)
//   Ack            the proposals up to it; none before AckNewLeader (ZOOKEEPER-4685)
//
// A replaced history is adopted by the same write that saves the current epoch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "replication/zab/messages.hpp"
#include "replication/zab/standing.hpp"

namespace zabfs::replication::zab {

class Following {
 public:
  // Asks `leader` to lead. The link to it is up; the log is durable to its end.
  Following(Standing& standing, ServerId leader, std::int64_t now_ms);

  ServerId leader() const { return leader_; }

  // The epoch that is followed, once it is up to date.
  std::optional<Epoch> established() const;

  void on_message(const Message& message, std::int64_t now_ms);
  void on_tick(std::int64_t now_ms);
  void on_barrier(std::uint64_t number);
  void on_epochs_saved();
  void on_durable();

  // True when it is over: the leader is silent or broke the rules. Then leave() before looking.
  bool is_over() const { return why_over_ != nullptr; }
  const char* why_over() const { return why_over_; }  // as the end of a sentence

  // Breaks the link, unless it is gone already, and goes back to the history that is whole.
  void leave(bool link_is_up);

 private:
  enum class Stage {
    asking,
    accepting,
    awaiting_history,
    receiving,
    persisting,
    entering,
    entered,
    following
  };

  void on(const NewEpoch& message);
  void on(const Difference& message);
  void on(const Truncate& message);
  void on(const SnapshotBegin& message);
  void on(const SnapshotSlice& message);
  void on(const SnapshotEnd& message);
  void on(const Proposal& message);
  void on(const NewLeader& message);
  void on(const UpToDate& message);
  void on(const Commit& message);
  void on(const Heartbeat& message);
  void on(const Forwarded& message);
  template <class Other>
  void on(const Other& message);

  void break_off();  // the leader says what no leader says now
  void acknowledge_epoch(bool is_counted);
  void fail(const std::string& deed);  // the leader's

  Standing& standing_;
  const ServerId leader_;
  Stage stage_{Stage::asking};
  Epoch epoch_{};
  std::int64_t looked_ms_;    // at the clock
  std::int64_t silent_ms_{};  // so long this server has listened and heard nothing
  std::uint64_t barrier_{};   // awaited while persisting
  Zxid acknowledged_{};       // as far as the leader was told
  bool is_receiving_snapshot_{};
  const char* why_over_{};

  // The history that is whole, while another one is being received in its place.
  struct Replaced {
    History history;
    Zxid committed{};
    Membership membership;
  };
  std::optional<Replaced> replaced_{};
};

}  // namespace zabfs::replication::zab
