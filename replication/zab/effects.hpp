// What a step of the protocol asks for, in the order in which it must be done.
//
// The replica carries effects out one after the other; nothing in zab/ touches the world. Where
// something must be durable before the next step, zab waits to be told: of a Barrier, of SaveEpochs
// and of every advance of the durable log.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "replication/zab/messages.hpp"

namespace zabfs::replication::zab {

// Proposals are shared between the window of history and everybody they are sent to.
using ProposalPtr = std::shared_ptr<const Proposal>;

struct Send {
  ServerId to{};
  Message message{};
};

struct SendProposal {
  ServerId to{};
  ProposalPtr proposal{};
};

// Break the link: what it still carries must not be heard.
struct Disconnect {
  ServerId server{};
};

// Report with on_epochs_saved() when durable.
struct SaveEpochs {
  Epoch accepted{};
  Epoch current{};
};

// To the log, behind everything before.
struct Append {
  ProposalPtr proposal{};
};

// The log loses everything after `keep`; none of that was ever delivered.
struct TruncateAfter {
  Zxid keep{};
};

// The whole history is to be replaced by the state after `taken_at`, which comes in slices, and by
// what is appended from now on. The old one stays until SaveEpochs adopts the new one.
struct ReplaceHistory {
  Zxid taken_at{};
};

struct AddSlice {
  Bytes bytes{};
};

struct EndSlices {};

// Back to the old history.
struct AbandonReplacement {};

// Report with on_barrier(number) once everything asked for so far is durable.
struct Barrier {
  std::uint64_t number{};
};

// `learner` needs a snapshot: report with on_snapshot_begun() when its first slice can be made,
// send the slices, then report with on_snapshot_sent().
struct StreamSnapshot {
  ServerId learner{};
};

// Deliver everything up to `up_to`, as soon as the own log has it durably. A learner compares its
// state with the leader's `digest` there, unless that is 0.
struct CommitUpTo {
  Zxid up_to{};
  std::uint64_t digest{};
};

// From now on nobody is served: this server looks for a leader.
struct BeginLooking {
  const char* why{};  // the end of a sentence; nullptr if it has just begun
};

// The epoch is established and this server leads it: it may propose.
struct BeginLeading {
  Epoch epoch{};
};

// This server is up to date with `leader`: it may serve.
struct BeginFollowing {
  ServerId leader{};
  Epoch epoch{};
};

// Send HeartbeatReply with the sessions heard of.
struct AnswerHeartbeat {
  ServerId leader{};
  std::uint64_t number{};
};

// A learner's sessions, for the leader.
struct HearOfSessions {
  ServerId from{};
  std::vector<SessionId> alive{};
};

// A quorum has followed this leader at some time after confirm() returned `number` or less.
struct Confirmed {
  std::uint64_t number{};
};

struct DeliverForwarded {
  ServerId from{};
  Bytes payload{};
};

// Which servers there are, or will be, has changed; see Standing::membership.
struct EnsembleChanged {};

// This server's history contradicts the ensemble's: it must stop, with this sentence.
struct Fail {
  std::string sentence{};
};

using Effect =
    std::variant<Send, SendProposal, Disconnect, SaveEpochs, Append, TruncateAfter, ReplaceHistory,
                 AddSlice, EndSlices, AbandonReplacement, Barrier, StreamSnapshot, CommitUpTo,
                 BeginLooking, BeginLeading, BeginFollowing, AnswerHeartbeat, HearOfSessions,
                 Confirmed, DeliverForwarded, EnsembleChanged, Fail>;

using Effects = std::vector<Effect>;

}  // namespace zabfs::replication::zab
