// Which configurations of the ensemble count for this server: the newest one that it knows to be
// committed, and one that is on its way behind it in the log.
//
//   in force C --the log gets a transaction with C'--> C and C' --that is committed--> in force C'
//                                                        |
//                                                        +--truncated--> in force C
//
// From the transaction on, until it is known to be committed, whatever needs a quorum needs one of
// C and one of C'; before it C alone counts, behind it C' alone. So every quorum that decides
// anything shares a voter with every quorum that may decide something else:
//
//   - who does not have the transaction in its log reckons with C alone. If it was committed, a
//     quorum of C has it, and one of these refuses to be led by a server that lacks it
//   - who has it, and does not know that it was committed, needs a quorum of C as well, so it meets
//     those who do not have it
//   - who knows it to be committed needs C' alone, and meets those with a quorum of both there
//
// A leader proposes a configuration only when the one before is committed. So where a log holds
// two, the first is committed, whatever else is known: there are never more than two to reckon with
// (Shraer and others, Dynamic Reconfiguration of Primary/Backup Clusters, 2012; the log instead of
// files, as in Raft's joint consensus).
//
// What others say of configurations that are not older is heard, too. It serves to find a leader,
// never to be one: election only guesses. All must support the same candidate, though: one who
// knows the new configuration to be in force supports a server of the old one, if that has the best
// history and does not know as much.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "replication/model/ensemble.hpp"
#include "replication/zab/quorum.hpp"

namespace zabfs::replication::zab {

class Membership {
 public:
  // The ensemble that the servers began with, of version 0, as `self` sees it.
  Membership(const Ensemble& initial, ServerId self);

  // The state of this server is another: that one is in force there, or the initial one if its
  // version is 0. There must be no mistake_in(in_force).
  void restart(const Ensemble& in_force);

  // The log has got a transaction with this configuration. There must be no mistake_in(next).
  void append(const Ensemble& next);

  // The log has lost everything after `keep`, and maybe the configuration that was on its way. True
  // if it has.
  bool truncate_after(Zxid keep);

  // Everything up to there is committed. True if the configuration on its way is in force now.
  bool commit(Zxid up_to);

  // Another server has these: one in force, and perhaps one on its way. What is in force anywhere
  // was committed, so it is here, too, if it is on its way here. True if something is new: that, or
  // the last is newer than all that was known, or more is said of it. What the other has begun with
  // (version 0) is left out: those are lines of its own, with itself in them if it is to join, and
  // its first configuration has the same servers as those of the ensemble that proposed it.
  bool hear(const std::vector<Ensemble>& ensembles);

  const Ensemble& in_force() const { return stages_.front().ensemble; }
  bool is_changing() const { return stages_.size() > 1; }

  // The one on its way, or the one in force.
  const Ensemble& newest() const { return stages_.back().ensemble; }

  // What was heard of and is not older than newest(); one, two or none.
  std::vector<Ensemble> heard() const;

  // --- what counts ---
  bool contains_quorum(const std::set<ServerId>& servers) const;

  // Of the configuration in force.
  std::size_t voters() const { return stages_.front().quorums.voters().size(); }

  // In any of those that count.
  bool is_voter(ServerId server) const;
  bool may_lead(ServerId server) const;

  // The newest zxid that may be committed, of those that each server has `reached`. `before` is the
  // transaction before the configuration that is on its way, if there is one.
  Zxid committable(const std::map<ServerId, Zxid>& reached, Zxid before) const;

  // --- for finding a leader: the newest one that was heard of counts, too ---
  bool is_known_voter(ServerId server) const;
  bool is_known_candidate(ServerId server) const;
  // Whether a server may lead that these follow: by the configuration in force, or by one that was
  // heard of. What is on its way here alone does not matter: it may be lost, and need this very
  // server, who would then wait for itself.
  bool is_followed_by_quorum(const std::set<ServerId>& servers) const;

 private:
  struct Stage {
    Ensemble ensemble{};
    Quorums quorums;
  };

  Stage stage_of(const Ensemble& ensemble) const { return {ensemble, Quorums(ensemble, self_)}; }

  ServerId self_;
  Ensemble initial_;
  std::vector<Stage> stages_;  // one, or two
  bool hears() const;          // of something that is not older than newest()

  std::vector<Stage> heard_{};
};

}  // namespace zabfs::replication::zab
