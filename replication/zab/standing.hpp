// What one server knows of itself in every role: who it is, what it has promised, what it holds.
//
// The roles change it, and ask for effects, through this one object; it has no rules of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "replication/model/bytes.hpp"
#include "replication/model/ensemble.hpp"
#include "replication/model/ids.hpp"
#include "replication/zab/effects.hpp"
#include "replication/zab/history.hpp"
#include "replication/zab/membership.hpp"

namespace zabfs::replication::zab {

struct Timeouts {
  std::int64_t peer_ms{};  // this long without a word from its leader, and a follower looks for one
  std::int64_t init_ms{};  // this long for a leader to be established
  std::int64_t sync_ms{};  // this long without an answer, and a leader gives up an active learner

  // A leader whose quorum answers nothing that was sent within this time steps down. A follower's
  // timer starts when it hears, which is later than the sending; so the leader is gone first, as
  // long as no clock runs a quarter faster than another.
  std::int64_t lease_ms() const { return peer_ms * 7 / 10; }

  std::int64_t heartbeat_ms() const { return peer_ms / 10; }
};

// The configuration that a transaction puts on its way, as text; nullopt for any other transaction.
using EnsembleTextIn = std::function<std::optional<std::string>(ByteView record)>;

struct Standing {
  ServerId self{};
  Membership membership;
  EnsembleTextIn ensemble_text_in{};
  Timeouts timeouts{};
  std::uint32_t counter_max{};  // transactions of one epoch

  Epoch accepted{};  // the highest epoch promised; saved, or being saved
  Epoch current{};   // the epoch of the leader whose history was taken over, likewise
  History history;
  Zxid committed{};  // what this server knows to be
  Zxid durable{};    // as far as its log is on disk
  std::uint64_t barriers{};

  Effects effects{};

  bool is_voter() const { return membership.is_voter(self); }

  // Puts the proposal behind the history, and its configuration, if it has one, on its way. False,
  // and nothing done, if that is none with which servers can be run.
  bool append(ProposalPtr proposal);

  void truncate_after(Zxid keep);

  // The history is another, and so is what counts in it.
  void replace_membership(Membership other);

  // Everything up to there is committed. True if another configuration is in force by that.
  bool commit(Zxid up_to);

  // The epoch that the history belongs to. A log that has a transaction of an epoch has the whole
  // history that epoch began with, so its word is as good as the recorded one (ZAB.md, 1653).
  Epoch history_epoch() const {
    return current > history.last().epoch() ? current : history.last().epoch();
  }

  void send(ServerId to, Message message) { effects.emplace_back(Send{to, std::move(message)}); }

  // The number to hear in on_barrier() when everything asked for so far is durable.
  std::uint64_t barrier() {
    effects.emplace_back(Barrier{++barriers});
    return barriers;
  }
};

}  // namespace zabfs::replication::zab
