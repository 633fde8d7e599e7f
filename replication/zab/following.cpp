#include "replication/zab/following.hpp"

#include <algorithm>
#include <memory>
#include <sstream>
#include <utility>
#include <variant>

#include "replication/model/ensemble_text.hpp"

namespace zabfs::replication::zab {

Following::Following(Standing& standing, ServerId leader, std::int64_t now_ms)
    : standing_(standing), leader_(leader), looked_ms_(now_ms) {
  standing_.send(leader_, LearnerInfo{.accepted = standing_.accepted});
}

std::optional<Epoch> Following::established() const {
  return stage_ == Stage::following ? std::optional(epoch_) : std::nullopt;
}

void Following::on_message(const Message& message, std::int64_t now_ms) {
  looked_ms_ = now_ms;
  silent_ms_ = 0;
  if (!is_over()) {
    std::visit([this](const auto& body) { on(body); }, message);
  }
}

// What no leader says to its learner.
template <class Other>
void Following::on(const Other& /*message*/) {
  break_off();
}

void Following::break_off() { why_over_ = "its leader said what no leader says then"; }

// An epoch below a promised one belongs to a leader that was deposed. An equal one was promised on
// an earlier link: the leader must not count it twice, or two leaders could have one epoch.
void Following::on(const NewEpoch& message) {
  if (stage_ != Stage::asking || message.epoch < standing_.accepted) {
    break_off();
    return;
  }
  epoch_ = message.epoch;
  if (epoch_ == standing_.accepted) {
    acknowledge_epoch(false);
    return;
  }
  stage_ = Stage::accepting;
  standing_.accepted = epoch_;
  standing_.effects.emplace_back(SaveEpochs{epoch_, standing_.current});
}

void Following::acknowledge_epoch(bool is_counted) {
  stage_ = Stage::awaiting_history;
  standing_.send(leader_, AckEpoch{.current = standing_.history_epoch(),
                                   .last = standing_.history.last(),
                                   .is_counted = is_counted});
}

void Following::on(const Difference& message) {
  if (stage_ != Stage::awaiting_history || message.from != standing_.history.last()) {
    break_off();
    return;
  }
  stage_ = Stage::receiving;
}

void Following::on(const Truncate& message) {
  if (stage_ != Stage::awaiting_history) {
    break_off();
    return;
  }
  if (message.keep < standing_.committed) {
    fail("told it to forget some of that");
    return;
  }
  if (!standing_.history.contains(message.keep)) {
    break_off();
    return;
  }
  stage_ = Stage::receiving;
  standing_.truncate_after(message.keep);
  standing_.effects.emplace_back(TruncateAfter{message.keep});
}

// Nothing of an epoch that was not promised may get into this server's history.
void Following::on(const SnapshotBegin& message) {
  if (stage_ != Stage::awaiting_history || message.taken_at.epoch() > epoch_) {
    break_off();
    return;
  }
  const auto ensemble = parse_ensemble(message.ensemble);
  const auto* in_force = std::get_if<Ensemble>(&ensemble);
  if (in_force == nullptr || in_force->members.empty() != message.ensemble.empty() ||
      mistake_in(*in_force)) {
    break_off();
    return;
  }
  stage_ = Stage::receiving;
  is_receiving_snapshot_ = true;
  replaced_.emplace(
      Replaced{std::move(standing_.history), standing_.committed, standing_.membership});
  Membership membership = standing_.membership;
  membership.restart(*in_force);
  standing_.replace_membership(std::move(membership));
  standing_.history = replaced_->history.starting_anew(message.taken_at);
  standing_.committed = message.taken_at;
  standing_.effects.emplace_back(ReplaceHistory{message.taken_at});
}

void Following::on(const SnapshotSlice& message) {
  if (!is_receiving_snapshot_ || message.bytes.empty()) {
    break_off();
    return;
  }
  standing_.effects.emplace_back(AddSlice{message.bytes});
}

void Following::on(const SnapshotEnd& /*message*/) {
  if (!is_receiving_snapshot_) {
    break_off();
    return;
  }
  is_receiving_snapshot_ = false;
  standing_.effects.emplace_back(EndSlices{});
}

// Continuity is checked here, at the door, whatever the leader believes (ZOOKEEPER-4925).
void Following::on(const Proposal& message) {
  if (stage_ < Stage::receiving || message.zxid.epoch() > epoch_ ||
      !standing_.history.last().is_followed_by(message.zxid)) {
    break_off();
    return;
  }
  auto proposal = std::make_shared<const Proposal>(message);
  if (!standing_.append(proposal)) {
    break_off();
    return;
  }
  standing_.effects.emplace_back(Append{std::move(proposal)});
}

void Following::on(const NewLeader& message) {
  if (stage_ != Stage::receiving || is_receiving_snapshot_ || message.epoch != epoch_) {
    break_off();
    return;
  }
  // The state may be older than what is committed here: a leader that is not established yet has
  // applied less than it has in its log. The whole of what it gave may not.
  if (replaced_ && standing_.history.last() < replaced_->committed) {
    fail("gave it one that ends before that");
    return;
  }
  stage_ = Stage::persisting;
  acknowledged_ = standing_.history.last();
  barrier_ = standing_.barrier();
}

void Following::on_barrier(std::uint64_t number) {
  if (stage_ == Stage::persisting && number == barrier_) {
    stage_ = Stage::entering;
    standing_.current = epoch_;
    standing_.effects.emplace_back(SaveEpochs{standing_.accepted, epoch_});
  }
}

void Following::on_epochs_saved() {
  if (stage_ == Stage::accepting) {
    acknowledge_epoch(true);
  } else if (stage_ == Stage::entering) {
    stage_ = Stage::entered;
    replaced_.reset();  // adopted
    standing_.send(leader_, AckNewLeader{.epoch = epoch_, .up_to = acknowledged_});
    on_durable();
  }
}

void Following::on_durable() {
  if (stage_ >= Stage::entered && standing_.durable > acknowledged_) {
    acknowledged_ = standing_.durable;
    standing_.send(leader_, Ack{.up_to = acknowledged_});
  }
}

void Following::on(const UpToDate& message) {
  if (stage_ != Stage::entered || message.committed > standing_.history.last()) {
    break_off();
    return;
  }
  stage_ = Stage::following;
  standing_.commit(message.committed);
  standing_.effects.emplace_back(CommitUpTo{.up_to = message.committed});
  standing_.effects.emplace_back(BeginFollowing{.leader = leader_, .epoch = epoch_});
}

void Following::on(const Commit& message) {
  if (stage_ != Stage::following || message.up_to > standing_.history.last()) {
    break_off();
    return;
  }
  // What the leader has delivered may still be behind what it announced in UpToDate.
  standing_.commit(message.up_to);
  standing_.effects.emplace_back(CommitUpTo{.up_to = message.up_to, .digest = message.digest});
}

void Following::on(const Heartbeat& message) {
  standing_.effects.emplace_back(AnswerHeartbeat{.leader = leader_, .number = message.number});
}

void Following::on(const Forwarded& message) {
  if (stage_ != Stage::following) {
    break_off();
    return;
  }
  standing_.effects.emplace_back(DeliverForwarded{.from = leader_, .payload = message.payload});
}

// A server that was held up (the machine, a long piece of work, a signal) has not listened, and
// what its leader said meanwhile still waits to be read: of such a time only the first moment
// counts. Who takes over a large state would lose its leader over that work, again and again.
void Following::on_tick(std::int64_t now_ms) {
  silent_ms_ += std::min(now_ms - looked_ms_, standing_.timeouts.heartbeat_ms());
  looked_ms_ = now_ms;
  if (silent_ms_ > standing_.timeouts.peer_ms && !is_over()) {
    why_over_ = "its leader was silent for longer than the peer timeout";
  }
}

void Following::leave(bool link_is_up) {
  if (link_is_up) {
    standing_.effects.emplace_back(Disconnect{leader_});
  }
  // Once the epoch is on its way to the disk, the new history is adopted with it, or the process
  // has died.
  if (replaced_ && stage_ < Stage::entering) {
    standing_.history = std::move(replaced_->history);
    standing_.committed = replaced_->committed;
    standing_.replace_membership(std::move(replaced_->membership));
    standing_.effects.emplace_back(AbandonReplacement{});
  }
}

void Following::fail(const std::string& deed) {
  const Zxid committed = replaced_ ? replaced_->committed : standing_.committed;
  std::ostringstream text;
  text
      << "Server " << standing_.self << " knows its history to be committed up to " << committed
      << ", but its leader, server " << leader_ << ", " << deed
      << ". A majority of the servers must have lost their data. Stop all of them, and start again "
         "from the data directory that reaches furthest.";
  standing_.effects.emplace_back(Fail{text.str()});
  why_over_ = "its leader contradicts what is known to be committed";
}

}  // namespace zabfs::replication::zab
