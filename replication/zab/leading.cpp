#include "replication/zab/leading.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "replication/model/check.hpp"
#include "replication/zab/sync_plan.hpp"

namespace zabfs::replication::zab {

namespace {

bool none(const Learner& /*learner*/) { return false; }

bool is_taking_over(const Learner& learner) {
  return learner.stage >= Learner::Stage::awaiting_snapshot &&
         learner.stage < Learner::Stage::synchronized;
}

}  // namespace

Leading::Leading(Standing& standing, std::int64_t now_ms)
    : standing_(standing), began_ms_(now_ms), looked_ms_(now_ms), beaten_ms_(now_ms) {
  choose_epoch();
}

// --- phase 1: discovery ---

void Leading::on_learner(ServerId from, const LearnerInfo& info, std::int64_t now_ms) {
  const auto [entry, is_new] = learners_.try_emplace(from);
  if (!is_new) {
    drop(from);  // what is under way for the first request cannot be told from what the second gets
    return;
  }
  Learner& learner = entry->second;
  learner = {.accepted = info.accepted, .heard_ms = now_ms};
  if (stage_ == Stage::discovering) {
    choose_epoch();
  } else if (stage_ != Stage::choosing) {
    invite(from, learner);
  }
}

// The epoch is above whatever a quorum of voters, this server among them, has promised; observers
// are not asked (ZOOKEEPER-2959). It is on this server's disk before anybody hears of it.
void Leading::choose_epoch() {
  std::set<ServerId> heard{standing_.self};
  Epoch highest = standing_.accepted;
  for (const auto& [id, learner] : learners_) {
    if (standing_.membership.is_voter(id)) {
      heard.insert(id);
      highest = std::max(highest, learner.accepted);
    }
  }
  if (!standing_.membership.contains_quorum(heard)) {
    return;
  }
  if (highest == Epoch{std::numeric_limits<std::uint32_t>::max()}) {
    why_over_ = "no epoch is left";
    return;
  }
  stage_ = Stage::choosing;
  epoch_ = Epoch{highest.value + 1};
  standing_.accepted = epoch_;
  standing_.effects.emplace_back(SaveEpochs{epoch_, standing_.current});
}

// A voter that has promised a later epoch can be led only by a leader of a later one still. An
// observer is invited once a quorum has promised this epoch, so that it never promises one that
// others could have to go below.
void Leading::invite(ServerId id, Learner& learner) {
  const bool is_voter = standing_.membership.is_voter(id);
  if (learner.stage != Learner::Stage::asked || (!is_voter && stage_ < Stage::synchronizing)) {
    return;
  }
  if (learner.accepted > epoch_) {
    why_over_ = "another server has promised a later epoch";
    return;
  }
  learner.stage = Learner::Stage::invited;
  standing_.send(id, NewEpoch{epoch_});
}

void Leading::on(ServerId from, Learner& learner, const AckEpoch& message) {
  if (learner.stage != Learner::Stage::invited) {
    drop(from);
    return;
  }
  learner.stage = Learner::Stage::promised;
  learner.last = message.last;
  if (stage_ == Stage::inviting && message.is_counted && standing_.membership.is_voter(from)) {
    const auto own = std::pair{standing_.history_epoch(), standing_.history.last()};
    if (std::pair{message.current, message.last} > own) {
      why_over_ = "another server has a more recent history";
      return;
    }
    promised_.insert(from);
    enter_epoch_if_promised();
  } else if (stage_ >= Stage::synchronizing) {
    synchronize(from, learner);
  }
}

void Leading::enter_epoch_if_promised() {
  if (standing_.membership.contains_quorum(promised_)) {
    stage_ = Stage::entering;
    standing_.current = epoch_;
    standing_.effects.emplace_back(SaveEpochs{epoch_, epoch_});
  }
}

void Leading::on_epochs_saved() {
  if (stage_ == Stage::choosing) {
    stage_ = Stage::inviting;
    promised_.insert(standing_.self);
    for (auto& [id, learner] : learners_) {
      invite(id, learner);
    }
    enter_epoch_if_promised();
  } else if (stage_ == Stage::entering) {
    stage_ = Stage::synchronizing;
    broadcast_.emplace(epoch_, standing_.history.last(), standing_.membership,
                       standing_.counter_max);
    acknowledged_.insert(standing_.self);
    for (auto& [id, learner] : learners_) {
      if (learner.stage == Learner::Stage::promised) {
        synchronize(id, learner);
      } else {
        invite(id, learner);
      }
    }
    establish_if_acknowledged();
  }
}

// --- phase 2: synchronization ---

void Leading::synchronize(ServerId id, Learner& learner) {
  const SyncPlan plan = plan_synchronization(standing_.history, learner.last);
  if (std::holds_alternative<WholeSnapshot>(plan)) {
    learner.stage = Learner::Stage::awaiting_snapshot;
    standing_.effects.emplace_back(StreamSnapshot{id});
    return;
  }
  if (const auto* difference = std::get_if<Difference>(&plan)) {
    standing_.send(id, *difference);
    send_history_after(id, difference->from);
  } else {
    const Truncate truncate = std::get<Truncate>(plan);
    standing_.send(id, truncate);
    send_history_after(id, truncate.keep);
  }
  learner.stage = Learner::Stage::synchronizing;
  standing_.send(id, NewLeader{epoch_});
}

void Leading::send_history_after(ServerId id, Zxid from) {
  standing_.history.for_each_after(from, [&](const ProposalPtr& entry) {
    standing_.effects.emplace_back(SendProposal{id, entry});
  });
}

void Leading::on_snapshot_begun(ServerId id, Zxid taken_at, std::string ensemble) {
  const auto learner = learners_.find(id);
  if (learner == learners_.end() || learner->second.stage != Learner::Stage::awaiting_snapshot) {
    return;
  }
  learner->second.stage = Learner::Stage::streaming;
  standing_.send(id, SnapshotBegin{taken_at, std::move(ensemble)});
  send_history_after(id, taken_at);
}

void Leading::on_snapshot_sent(ServerId id) {
  const auto learner = learners_.find(id);
  if (learner != learners_.end() && learner->second.stage == Learner::Stage::streaming) {
    learner->second.stage = Learner::Stage::synchronizing;
    standing_.send(id, SnapshotEnd{});
    standing_.send(id, NewLeader{epoch_});
  }
}

void Leading::on(ServerId from, Learner& learner, const AckNewLeader& message) {
  // Before the epoch is established, committed() is the end of the history that it began with.
  const bool lacks_history =
      stage_ != Stage::established && message.up_to < broadcast_->committed();
  if (learner.stage != Learner::Stage::synchronizing || message.epoch != epoch_ ||
      message.up_to > broadcast_->proposed() || lacks_history) {
    drop(from);
    return;
  }
  learner.stage = Learner::Stage::synchronized;
  if (standing_.membership.is_voter(from)) {
    acknowledged_.insert(from);
  }
  if (stage_ == Stage::established) {
    activate(from, learner);
    acknowledge(from, message.up_to);
  } else {
    broadcast_->acknowledge(from, message.up_to);
    establish_if_acknowledged();
  }
}

// Old acknowledgements may have been held up on the way while others went on without this server.
// The whole initial history becomes committed, also what nobody knew to be (ZAB.md, section 4).
void Leading::establish_if_acknowledged() {
  if (!standing_.membership.contains_quorum(acknowledged_) || !has_fresh_quorum(none)) {
    return;
  }
  stage_ = Stage::established;
  standing_.commit(broadcast_->committed());
  standing_.effects.emplace_back(CommitUpTo{.up_to = standing_.committed});
  standing_.effects.emplace_back(BeginLeading{epoch_});
  for (auto& [id, learner] : learners_) {
    if (learner.stage == Learner::Stage::synchronized) {
      activate(id, learner);
    }
  }
}

void Leading::activate(ServerId id, Learner& learner) {
  learner.stage = Learner::Stage::active;
  learner.active_ms = looked_ms_;
  standing_.send(id, UpToDate{.committed = standing_.committed});
}

// --- phase 3: broadcast ---

void Leading::propose(Origin origin, Bytes record) {
  CHECK(stage_ == Stage::established, "epoch ", epoch_);
  const bool is_ensemble = standing_.ensemble_text_in && standing_.ensemble_text_in(record);
  CHECK(!is_ensemble || !standing_.membership.is_changing(), "two configurations on their way");
  const Zxid zxid = is_ensemble ? broadcast_->propose_ensemble() : broadcast_->propose();
  auto proposal = std::make_shared<const Proposal>(
      Proposal{.zxid = zxid, .origin = origin, .record = std::move(record)});
  CHECK(standing_.append(proposal), "proposed a configuration that cannot be run");
  for (const auto& [id, learner] : learners_) {
    if (learner.hears_proposals()) {
      standing_.effects.emplace_back(SendProposal{id, proposal});
    }
  }
  standing_.effects.emplace_back(Append{std::move(proposal)});
}

void Leading::on(ServerId from, Learner& learner, const Ack& message) {
  if (learner.stage < Learner::Stage::synchronized || message.up_to > broadcast_->proposed()) {
    drop(from);
    return;
  }
  acknowledge(from, message.up_to);
}

// The leader's own vote counts like any other: after its own sync.
void Leading::on_durable() {
  if (stage_ == Stage::established) {
    acknowledge(standing_.self, standing_.durable);
  }
}

void Leading::acknowledge(ServerId from, Zxid up_to) {
  broadcast_->acknowledge(from, up_to);
  if (broadcast_->committed() > standing_.committed) {
    if (standing_.commit(broadcast_->committed())) {
      broadcast_->recount();  // behind the configuration, the new quorums alone count
      standing_.commit(broadcast_->committed());
    }
    standing_.effects.emplace_back(CommitUpTo{.up_to = standing_.committed});
  }
}

void Leading::on_delivered(Zxid up_to, std::uint64_t digest) {
  for (const auto& [id, learner] : learners_) {
    if (learner.stage == Learner::Stage::active) {
      standing_.send(id, Commit{.up_to = up_to, .digest = digest});
    }
  }
}

// --- the quorum's trust ---

void Leading::on(ServerId from, Learner& learner, const HeartbeatReply& message) {
  if (message.number > heartbeats_) {
    drop(from);
    return;
  }
  learner.answered = std::max(learner.answered, message.number);
  if (!recent_.empty() && message.number >= recent_.front().number) {
    const auto& sent = recent_[message.number - recent_.front().number];
    learner.heard_ms = std::max(learner.heard_ms, sent.sent_ms);
  }
  if (stage_ == Stage::synchronizing) {
    establish_if_acknowledged();
  }
  if (!message.alive.empty()) {
    standing_.effects.emplace_back(HearOfSessions{.from = from, .alive = message.alive});
  }
  confirm_answered();
}

void Leading::on(ServerId from, Learner& learner, const Forwarded& message) {
  if (learner.stage != Learner::Stage::active) {
    drop(from);
    return;
  }
  standing_.effects.emplace_back(DeliverForwarded{.from = from, .payload = message.payload});
}

std::uint64_t Leading::confirm() {
  must_confirm_ = true;
  return heartbeats_ + 1;
}

void Leading::on_turn_end(std::int64_t now_ms) {
  if (std::exchange(must_confirm_, false)) {
    send_heartbeats(now_ms);
  }
}

void Leading::send_heartbeats(std::int64_t now_ms) {
  beaten_ms_ = now_ms;
  recent_.push_back({.number = ++heartbeats_, .sent_ms = now_ms});
  while (now_ms - recent_.front().sent_ms > standing_.timeouts.lease_ms()) {
    recent_.pop_front();
  }
  for (const auto& [id, learner] : learners_) {
    standing_.send(id, Heartbeat{heartbeats_});
  }
  confirm_answered();
}

// Only servers that have taken over this epoch's history can vouch for it.
void Leading::confirm_answered() {
  std::vector<std::uint64_t> numbers{heartbeats_};
  for (const auto& [id, learner] : learners_) {
    numbers.push_back(learner.answered);
  }
  std::ranges::sort(numbers, std::greater<>{});
  for (const std::uint64_t number : numbers) {
    if (number <= confirmed_) {
      return;
    }
    std::set<ServerId> answered{standing_.self};
    for (const auto& [id, learner] : learners_) {
      if (learner.answered >= number && learner.stage >= Learner::Stage::synchronized) {
        answered.insert(id);
      }
    }
    if (standing_.membership.contains_quorum(answered)) {
      confirmed_ = number;
      standing_.effects.emplace_back(Confirmed{number});
      return;
    }
  }
}

// Whether a quorum has answered within the lease, or would if all did that have `excuse`.
bool Leading::has_fresh_quorum(bool (*excuse)(const Learner&)) const {
  std::set<ServerId> fresh{standing_.self};
  for (const auto& [id, learner] : learners_) {
    if (looked_ms_ - learner.heard_ms <= standing_.timeouts.lease_ms() || excuse(learner)) {
      fresh.insert(id);
    }
  }
  return standing_.membership.contains_quorum(fresh);
}

void Leading::on_tick(std::int64_t now_ms) {
  looked_ms_ = now_ms;
  if (now_ms - beaten_ms_ >= standing_.timeouts.heartbeat_ms()) {
    send_heartbeats(now_ms);
  }
  const bool is_overdue =
      stage_ != Stage::established && now_ms - began_ms_ > standing_.timeouts.init_ms;
  const bool had_time = now_ms - began_ms_ > standing_.timeouts.peer_ms;
  const bool needs_quorum = stage_ == Stage::established || had_time;
  if (is_over()) {
    return;
  }
  if (is_overdue) {
    why_over_ = "no quorum took over its history in the time of initLimit";
  } else if (needs_quorum &&
             !has_fresh_quorum(stage_ == Stage::established ? none : is_taking_over)) {
    why_over_ = "no quorum has answered it within 0.7 of the peer timeout";
  } else {
    give_up_the_silent(now_ms);
  }
}

// One that is up to date and answers nothing any more, while the others are a quorum.
void Leading::give_up_the_silent(std::int64_t now_ms) {
  std::vector<ServerId> silent;
  for (const auto& [id, learner] : learners_) {
    if (learner.stage == Learner::Stage::active &&
        now_ms - std::max(learner.heard_ms, learner.active_ms) > standing_.timeouts.sync_ms) {
      silent.push_back(id);
    }
  }
  for (const ServerId id : silent) {
    drop(id);
  }
}

// --- learners come and go ---

void Leading::on_message(ServerId from, const Message& message) {
  const auto learner = learners_.find(from);
  if (learner != learners_.end()) {
    std::visit([&](const auto& body) { on(from, learner->second, body); }, message);
  }
}

// What no learner says to its leader.
template <class Other>
void Leading::on(ServerId from, Learner& /*learner*/, const Other& /*message*/) {
  drop(from);
}

void Leading::drop(ServerId learner) {
  standing_.effects.emplace_back(Disconnect{learner});
  on_link_down(learner);
}

// Its promise and its acknowledgement of NewLeader stand: they are on its disk.
void Leading::on_link_down(ServerId server) { learners_.erase(server); }

bool Leading::has_quorum_in_sync(const Quorums& quorums) const {
  std::set<ServerId> in_sync{standing_.self};
  for (const auto& [id, learner] : learners_) {
    if (learner.stage == Learner::Stage::active) {
      in_sync.insert(id);
    }
  }
  return quorums.contains_quorum(in_sync);
}

LearnerCounts Leading::count_learners() const {
  LearnerCounts counts;
  for (const auto& [id, learner] : learners_) {
    const bool is_active = learner.stage == Learner::Stage::active;
    counts.active += is_active ? 1U : 0U;
    counts.active_observers += is_active && !standing_.membership.is_voter(id) ? 1U : 0U;
    counts.behind += is_active ? 0U : 1U;
  }
  return counts;
}

void Leading::leave() {
  for (const auto& [id, learner] : learners_) {
    standing_.effects.emplace_back(Disconnect{id});
  }
  learners_.clear();
}

}  // namespace zabfs::replication::zab
