// Phase 0: looking for a server that should lead. Fast leader election (Zab), over links that are
// first in, first out, and that tell when they break.
//
// Every server says its ballot to everybody when it changes and when a link comes up, so of each
// linked server the last ballot heard is what it stands for now. All else follows from these:
//
//   round       the newest that a looking voter is in; being behind, one joins it
//   candidates  in this round, whoever proposes itself; this server, too, if it has links to a
//                 quorum. One hears of a candidate from nobody else, so none is supported that can
//                 not be reached, or not any more
//   proposal    the candidate with the best vote
//   decision    to lead: a quorum proposes this server in this round, and so does every linked
//                 voter, or settle_ms have passed without a better candidate
//               to follow: the leader itself says that it leads, and it has won this round, or a
//                 quorum stands behind it: those that follow it in the same epoch, or propose it
//                 in its round
//
// A settled server's zxid and round say nothing to one who joins later, so they are not compared
// (ZOOKEEPER-1732, 1805, 1818); but nobody believes others who say that it leads without having won
// a round itself (ZOOKEEPER-1514). Who hears that a leader has won its round does not change its
// mind for a better candidate (ZOOKEEPER-3109).
//
// Where links are missing, the best candidate is the best for all who hear it, and a quorum does:
// so there is a leader as soon as one server has links to a quorum.
//
// Election only guesses who has lost nothing: safety is discovery's part. Observers and voters of
// weight 0 look, too; they propose nobody of their own, and what they say counts for nothing.
//
// To lead, a server needs quorums of the configurations in its own log. Whom to support or to
// follow, it judges by newer ones that it has heard of as well: it may have been away while the
// ensemble changed, or never been in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "replication/model/ids.hpp"
#include "replication/model/limits.hpp"
#include "replication/zab/membership.hpp"
#include "replication/zab/vote.hpp"

namespace zabfs::replication::zab {

struct Decision {
  ServerId leader{};
  std::uint64_t round{};

  bool operator==(const Decision&) const = default;
};

// One for the life of the process; `now_ms` is any clock that does not go back.
class Election {
 public:
  // `membership` outlives this object.
  Election(ServerId self, const Membership& membership,
           std::int64_t settle_ms = limits::election_settle_ms);

  // A new link: what was heard on an earlier one is forgotten.
  void link_up(ServerId peer);
  void link_down(ServerId peer);

  // Starts looking, in a new round; ends what was decided. `own` is the vote for this server
  // itself, with the end of its durable log.
  void begin(const Vote& own, std::int64_t now_ms);

  // What this server says from now on, until it begins to look again: call it after
  // synchronization, with the new epoch in the vote, or those who come later can not add up the
  // votes. Not before a decision.
  void settle(PeerState state, const Vote& vote);

  // Safe with any ballot, and from anybody.
  void on_ballot(ServerId from, const Ballot& ballot, std::int64_t now_ms);

  // The membership has changed.
  void reconsider();

  // To be called every settle_ms or so while looking.
  void on_tick(std::int64_t now_ms);

  // Whom to follow, or this server itself; stays until begin(). From this moment on the ballot says
  // it, too.
  const std::optional<Decision>& decision() const { return decision_; }

  // Whether there is a decision and, as far as this server has heard, it is still true: a quorum
  // stands behind this leader, or the leader still says that it leads. If not, begin again:
  // those who left do not come back to a leader that nobody follows.
  bool still_holds() const;

  // What this server says now. Its round is 0 before the first begin(); such a ballot is not sent.
  const Ballot& ballot() const { return mine_; }

  // Ballots to send, in this order; each is returned once.
  std::vector<std::pair<ServerId, Ballot>> take_outgoing();

 private:
  bool is_looking() const { return mine_.round > 0 && mine_.state == PeerState::looking; }
  static bool is_plausible(ServerId from, const Ballot& ballot);
  const Ballot* heard_of(ServerId peer) const;  // null if it counts for nothing
  void consider();
  std::uint64_t newest_round() const;
  bool is_candidate() const;
  Vote best_candidate() const;
  bool follow_a_leader();
  std::set<ServerId> behind(ServerId leader, const Ballot& its) const;
  void try_to_lead();
  void conclude(const Ballot& its);
  void broadcast();

  ServerId self_;
  const Membership* membership_;
  std::int64_t settle_ms_;
  std::int64_t now_ms_{};

  Ballot mine_{};
  Vote own_{};
  std::optional<Decision> decision_;
  std::map<ServerId, std::optional<Ballot>> heard_;  // by linked peer

  std::optional<std::int64_t> quorum_since_ms_;  // a quorum proposes this server
  std::int64_t sent_ms_{};                       // the last time it was sent to all

  std::vector<std::pair<ServerId, Ballot>> outgoing_;
};

}  // namespace zabfs::replication::zab
