// A leader's side of phases 1 to 3.
//
//   discovering --LearnerInfo of a quorum--> choosing --epoch accepted, on disk--> inviting
//   inviting --AckEpoch of a quorum--> entering --epoch current, on disk--> synchronizing
//   synchronizing --AckNewLeader of a quorum--> established
//
// The election is only a guess at who should lead. What makes it safe is here: the epoch is above
// every one that a quorum of voters has promised; the leader gives up if anybody of that quorum has
// a more recent history; and it proposes nothing before a quorum has its whole initial history,
// which is committed by that (Zab, section IV; ZAB.md, sections 2 to 4).
//
// It steps down when no quorum has answered a heartbeat sent within the lease. Every follower that
// answered starts its own timer later and waits longer, so whoever is elected next is elected after
// that. Before it is established, who takes over its history may be too busy with that to answer.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "replication/zab/broadcast.hpp"
#include "replication/zab/learner.hpp"
#include "replication/zab/messages.hpp"
#include "replication/zab/standing.hpp"

namespace zabfs::replication::zab {

class Leading {
 public:
  // The log is durable to its end.
  Leading(Standing& standing, std::int64_t now_ms);

  bool is_established() const { return stage_ == Stage::established; }
  Epoch epoch() const { return epoch_; }

  // True when it is over: no quorum, or somebody knows more. Then leave() before looking.
  bool is_over() const { return why_over_ != nullptr; }
  const char* why_over() const { return why_over_; }  // as the end of a sentence

  void on_learner(ServerId from, const LearnerInfo& info, std::int64_t now_ms);
  void on_link_down(ServerId server);
  void on_message(ServerId from, const Message& message);
  void on_tick(std::int64_t now_ms);
  void on_epochs_saved();
  void on_durable();

  // Only when established, and not is_exhausted(). The record is of transaction next_zxid(). One
  // with another configuration only while none is on its way.
  void propose(Origin origin, Bytes record);
  Zxid next_zxid() const { return broadcast_->next(); }
  bool is_exhausted() const { return broadcast_->is_exhausted(); }
  Zxid proposed() const { return broadcast_->proposed(); }

  // This server's state after `up_to` has this digest: learners may deliver up to there.
  void on_delivered(Zxid up_to, std::uint64_t digest);

  // See StreamSnapshot. `taken_at` is delivered here; `ensemble` is the configuration there, as
  // text.
  void on_snapshot_begun(ServerId learner, Zxid taken_at, std::string ensemble);
  void on_snapshot_sent(ServerId learner);

  // A number that Confirmed will reach once a quorum has answered something sent from now on.
  std::uint64_t confirm();

  // To be called at the end of a turn: asks the quorum, if confirm() was called.
  void on_turn_end(std::int64_t now_ms);

  LearnerCounts count_learners() const;

  // Whether they, and this server, are a quorum there.
  bool has_quorum_in_sync(const Quorums& quorums) const;

  // Breaks the links to all learners.
  void leave();

 private:
  enum class Stage { discovering, choosing, inviting, entering, synchronizing, established };
  using Learners = std::map<ServerId, Learner>;

  void on(ServerId from, Learner& learner, const AckEpoch& message);
  void on(ServerId from, Learner& learner, const AckNewLeader& message);
  void on(ServerId from, Learner& learner, const Ack& message);
  void on(ServerId from, Learner& learner, const HeartbeatReply& message);
  void on(ServerId from, Learner& learner, const Forwarded& message);
  template <class Other>
  void on(ServerId from, Learner& learner, const Other& message);

  void drop(ServerId learner);
  void choose_epoch();
  void invite(ServerId id, Learner& learner);
  void enter_epoch_if_promised();
  void synchronize(ServerId id, Learner& learner);
  void send_history_after(ServerId id, Zxid from);
  void establish_if_acknowledged();
  void activate(ServerId id, Learner& learner);
  void acknowledge(ServerId from, Zxid up_to);
  void send_heartbeats(std::int64_t now_ms);
  void confirm_answered();
  bool has_fresh_quorum(bool (*excuse)(const Learner&)) const;
  void give_up_the_silent(std::int64_t now_ms);

  Standing& standing_;
  Stage stage_{Stage::discovering};
  Epoch epoch_{};
  const char* why_over_{};
  Learners learners_{};
  std::set<ServerId> promised_{};      // voters whose AckEpoch counts
  std::set<ServerId> acknowledged_{};  // voters whose AckNewLeader has come
  std::optional<Broadcast> broadcast_{};

  struct SentHeartbeat {
    std::uint64_t number{};
    std::int64_t sent_ms{};
  };
  const std::int64_t began_ms_;
  std::int64_t looked_ms_;  // at the clock
  std::int64_t beaten_ms_;
  std::uint64_t heartbeats_{};
  std::deque<SentHeartbeat> recent_{};  // at most a lease old, numbers without a gap
  std::uint64_t confirmed_{};
  bool must_confirm_{};
};

}  // namespace zabfs::replication::zab
