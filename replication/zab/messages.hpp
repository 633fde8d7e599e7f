// What servers say to each other, one struct per message.
//
// The words of the paper in brackets. A server looks for a leader with Ballot; the learner asks to
// be led (CEPOCH), promises the epoch (NEWEPOCH, ACK-E), takes over the leader's history
// (NEWLEADER, ACK-LD, COMMIT-LD), and from then on hears of proposals and commits.
//
//   message          from -> to           durable at the sender before it is sent
//   ---------------  -------------------  -------------------------------------------------------
//   Ballot           anybody              its whole log
//   LearnerInfo      learner -> leader    its whole log
//   NewEpoch         leader -> learner    accepted epoch = this epoch
//   AckEpoch         learner -> leader    accepted epoch = this epoch
//   Difference, Truncate, SnapshotBegin, SnapshotSlice, SnapshotEnd
//                    leader -> learner    its current epoch = this epoch
//   Proposal         leader -> learner    nothing: its own log may lag behind
//   NewLeader        leader -> learner    its current epoch = this epoch
//   AckNewLeader     learner -> leader    everything before NewLeader, then current epoch
//   UpToDate         leader -> learner    a quorum's acknowledgements of NewLeader
//   Ack              learner -> leader    every proposal up to it
//   Commit           leader -> learner    a quorum's acknowledgements up to it
//   KnownEnsemble    anybody              nothing
//   Heartbeat, HeartbeatReply, Forwarded  nothing
//
// All is first in, first out between two servers as long as their link is up.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "replication/zab/vote.hpp"

namespace zabfs::replication::zab {

// Asks to be led. An equal accepted epoch was promised on an earlier link, maybe to somebody else.
struct LearnerInfo {
  Epoch accepted{};

  static auto fields(auto& m) { return std::tie(m.accepted); }
  bool operator==(const LearnerInfo&) const = default;
};

struct NewEpoch {
  Epoch epoch{};

  static auto fields(auto& m) { return std::tie(m.epoch); }
  bool operator==(const NewEpoch&) const = default;
};

// The learner's history: of which epoch, and how far. `is_counted` unless the epoch had been
// promised before: a promise counts once (ZAB.md, section 2).
struct AckEpoch {
  Epoch current{};
  Zxid last{};
  bool is_counted{};

  static auto fields(auto& m) { return std::tie(m.current, m.last, m.is_counted); }
  bool operator==(const AckEpoch&) const = default;
};

// The learner's log is the beginning of the leader's, up to its end.
struct Difference {
  Zxid from{};

  static auto fields(auto& m) { return std::tie(m.from); }
  bool operator==(const Difference&) const = default;
};

// What the learner has after `keep` never was: it is not in the leader's history.
struct Truncate {
  Zxid keep{};

  static auto fields(auto& m) { return std::tie(m.keep); }
  bool operator==(const Truncate&) const = default;
};

// The leader's state after `taken_at` replaces the learner's whole history. Proposals after it may
// come between the slices. `ensemble` is the configuration in force there, as text; empty for the
// one that the servers began with.
struct SnapshotBegin {
  Zxid taken_at{};
  std::string ensemble{};

  static auto fields(auto& m) { return std::tie(m.taken_at, m.ensemble); }
  bool operator==(const SnapshotBegin&) const = default;
};

struct SnapshotSlice {
  Bytes bytes{};

  static auto fields(auto& m) { return std::tie(m.bytes); }
  bool operator==(const SnapshotSlice&) const = default;
};

struct SnapshotEnd {
  static auto fields(auto&) { return std::tie(); }
  bool operator==(const SnapshotEnd&) const = default;
};

// Who waits for a proposal's outcome: a client's connection of one server; server 0 for nobody.
struct Origin {
  ServerId server{};
  ConnectionId connection{};

  static auto fields(auto& o) { return std::tie(o.server, o.connection); }
  auto operator<=>(const Origin&) const = default;
};

struct Proposal {
  Zxid zxid{};
  Origin origin{};
  Bytes record{};  // the transaction; its meaning is not zab's business

  static auto fields(auto& m) { return std::tie(m.zxid, m.origin, m.record); }
  bool operator==(const Proposal&) const = default;
};

// The history so far is the leader's initial one: to be made durable as a whole.
struct NewLeader {
  Epoch epoch{};

  static auto fields(auto& m) { return std::tie(m.epoch); }
  bool operator==(const NewLeader&) const = default;
};

struct AckNewLeader {
  Epoch epoch{};
  Zxid up_to{};

  static auto fields(auto& m) { return std::tie(m.epoch, m.up_to); }
  bool operator==(const AckNewLeader&) const = default;
};

// The epoch is established: serve clients.
struct UpToDate {
  Zxid committed{};

  static auto fields(auto& m) { return std::tie(m.committed); }
  bool operator==(const UpToDate&) const = default;
};

// Cumulative, as is Commit.
struct Ack {
  Zxid up_to{};

  static auto fields(auto& m) { return std::tie(m.up_to); }
  bool operator==(const Ack&) const = default;
};

// `digest` is of the leader's state after `up_to`: a learner whose own differs must stop.
struct Commit {
  Zxid up_to{};
  std::uint64_t digest{};

  static auto fields(auto& m) { return std::tie(m.up_to, m.digest); }
  bool operator==(const Commit&) const = default;
};

struct Heartbeat {
  std::uint64_t number{};

  static auto fields(auto& m) { return std::tie(m.number); }
  bool operator==(const Heartbeat&) const = default;
};

// `alive` are the sessions the learner has heard of since its last reply.
struct HeartbeatReply {
  std::uint64_t number{};
  std::vector<SessionId> alive{};

  static auto fields(auto& m) { return std::tie(m.number, m.alive); }
  bool operator==(const HeartbeatReply&) const = default;
};

// Business of clients between a learner and its leader; its meaning is not zab's business.
struct Forwarded {
  Bytes payload{};

  static auto fields(auto& m) { return std::tie(m.payload); }
  bool operator==(const Forwarded&) const = default;
};

// The configuration that the sender has in force, and the one on its way, as text; empty if there
// is none. Who has older ones finds its leader, and the other servers, by them.
struct KnownEnsemble {
  std::string in_force{};
  std::string next{};

  static auto fields(auto& m) { return std::tie(m.in_force, m.next); }
  bool operator==(const KnownEnsemble&) const = default;
};

// The place in this list is the number on the wire: append, never reorder.
using Message =
    std::variant<Ballot, LearnerInfo, NewEpoch, AckEpoch, Difference, Truncate, SnapshotBegin,
                 SnapshotSlice, SnapshotEnd, Proposal, NewLeader, AckNewLeader, UpToDate, Ack,
                 Commit, Heartbeat, HeartbeatReply, Forwarded, KnownEnsemble>;

}  // namespace zabfs::replication::zab
