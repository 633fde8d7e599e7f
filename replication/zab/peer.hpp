// One server of the ensemble, as the protocol sees it: a role, and the steps between roles.
//
//              everything durable           a quorum wants it
//   Looking: settling ---------> electing ------------------> Leading
//      ^                             |                           |
//      |                             | somebody leads            | no quorum, or the wrong guess
//      |                             v                           |
//      +------------------------ Following <---------------------+ (through Looking)
//          the leader is silent, gone, or breaks the rules
//
// Pure: what happens comes in through the functions below, with the time; what must be done comes
// out of take_effects(), in order. A link carries at most one relationship of leader and learner:
// whoever ends it breaks the link, so nothing of it can be heard in the next one.
//
// A server that leaves a role first waits until all it has appended is durable: what it then quotes
// in its vote is what a crash could not take away (ZAB.md, sections 5 and 9.3, 4712).
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "replication/model/ids.hpp"
#include "replication/zab/effects.hpp"
#include "replication/zab/election.hpp"
#include "replication/zab/following.hpp"
#include "replication/zab/leading.hpp"
#include "replication/zab/standing.hpp"

namespace zabfs::replication::zab {

struct PeerOptions {
  ServerId self{};
  Ensemble ensemble{};  // the one that the servers began with; empty: this server alone
  Timeouts timeouts{};
  std::uint32_t counter_max{};        // transactions of one epoch; at least 1
  std::size_t history_bytes_max{};    // of committed records kept for learners
  EnsembleTextIn ensemble_text_in{};  // nothing: the ensemble never changes
};

// What recovery found.
struct Recovered {
  Epoch accepted{};
  Epoch current{};
  Zxid committed{};                 // known to be; the window of history begins here
  Ensemble ensemble{};              // in force there; of version 0: the one they began with
  std::vector<ProposalPtr> tail{};  // the log behind it, in order
};

// The role of a server that knows no leader.
struct Looking {
  std::uint64_t settled_by{};  // the barrier that is awaited; 0 once it has been passed
};

class Peer {
 public:
  explicit Peer(const PeerOptions& options);
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // Begins to look for a leader. To be called once, first.
  void start(Recovered recovered);

  void on_link_up(ServerId server);
  void on_link_down(ServerId server, std::int64_t now_ms);
  void on_message(ServerId from, const Message& message, std::int64_t now_ms);
  void on_tick(std::int64_t now_ms);
  void on_turn_end(std::int64_t now_ms);

  // The world reports; see effects.hpp. on_epochs_saved() when all that were asked for are durable;
  // on_durable() when the log is durable up to there, which never goes back but by truncation.
  void on_barrier(std::uint64_t number, std::int64_t now_ms);
  void on_epochs_saved();
  void on_durable(Zxid up_to);
  void on_snapshot_begun(ServerId learner, Zxid taken_at, std::string ensemble = "");
  void on_snapshot_sent(ServerId learner);

  // Everything up to `up_to` is applied here, and the state has this digest.
  void on_delivered(Zxid up_to, std::uint64_t digest);

  // The established leader's; see leading.hpp.
  bool is_leading() const;
  bool is_exhausted() const { return std::get<Leading>(role_).is_exhausted(); }
  Zxid next_zxid() const { return std::get<Leading>(role_).next_zxid(); }
  void propose(Origin origin, Bytes record);  // the record of transaction next_zxid()
  Zxid proposed() const { return std::get<Leading>(role_).proposed(); }
  std::uint64_t confirm() { return std::get<Leading>(role_).confirm(); }

  // Gives up leading, as when the epoch's counter is used up (ZOOKEEPER-1277). `why`: the end of a
  // sentence, a literal.
  void abdicate(const char* why);

  // Likewise, and promises to follow nobody in an epoch up to this one: whoever leads a quorum that
  // this server is in leads it in a later one.
  void abdicate_above(Epoch epoch, const char* why);

  // The server that is followed, once it is established.
  std::optional<ServerId> followed() const;

  const Standing& standing() const { return standing_; }

  // True if this leader, and learners that are up to date with it, are a quorum of that ensemble.
  bool has_quorum_in_sync(const Ensemble& ensemble) const;

  // True until a leader is elected, even if it has yet to establish itself.
  bool is_looking() const { return std::holds_alternative<Looking>(role_); }

  // The learners of this leader; none for others.
  LearnerCounts count_learners() const;

  std::size_t voters() const { return standing_.membership.voters(); }

  // Replaces `effects` by what must be done now, in this order; each is given once. Ask after every
  // call, until there is nothing more to do.
  void take_effects(Effects& effects);

 private:
  void look(const char* why);  // nullptr: the process has just begun
  void on_opinions_changed(std::int64_t now_ms);
  void follow_decision(std::int64_t now_ms);
  void leave_if_over();
  void announce();
  void send_ballots();
  void send_ensemble(ServerId to);
  void on_ensemble_changed();
  void hear(const KnownEnsemble& message, std::int64_t now_ms);
  bool is_established() const;

  PeerOptions options_;
  Standing standing_;
  Election election_;
  std::set<ServerId> linked_{};
  std::variant<Looking, Leading, Following> role_{};
  bool is_announced_{};  // the ballot says what role_ has become
};

}  // namespace zabfs::replication::zab
