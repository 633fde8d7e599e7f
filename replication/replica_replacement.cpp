#include <utility>
#include <variant>

#include "replication/model/check.hpp"
#include "replication/replica_state.hpp"

namespace zabfs::replication {

// The old state goes on being this server's until the epochs that adopt the new one are durable.
void Replica::State::carry_out(zab::ReplaceHistory& effect) {
  if (snapshot_) {
    stop_snapshot();
  }
  storage_.begin_replacement(effect.taken_at);
  replacement_.emplace(Replacement{.taken_at = effect.taken_at});
}

void Replica::State::carry_out(zab::AddSlice& effect) {
  if (const auto wrong = replacement_->reader.append(effect.bytes)) {
    fail("The leader's snapshot cannot be read: " + *wrong +
         ". Run the same version on all servers.");
    return;
  }
  replacement_->slices.push_back(std::move(effect.bytes));
  advance_replacement();
}

void Replica::State::carry_out(zab::EndSlices& /*effect*/) {
  auto loaded = std::move(replacement_->reader).finish();
  if (const auto* wrong = std::get_if<std::string>(&loaded)) {
    fail("The leader's snapshot cannot be read: " + *wrong +
         ". Run the same version on all servers.");
    return;
  }
  auto& snapshot = std::get<tree::LoadedSnapshot>(loaded);
  if (snapshot.tree.last_applied() != replacement_->taken_at) {
    fail(
        "The leader's snapshot is not of the moment it was said to be of. Run the same version on "
        "all servers.");
    return;
  }
  replacement_->loaded = std::move(snapshot);
  advance_replacement();
}

void Replica::State::carry_out(zab::AbandonReplacement& /*effect*/) {
  storage_.abandon_replacement();
  replacement_.reset();
}

// Gives the disk what it has room for.
void Replica::State::advance_replacement() {
  if (!replacement_ || replacement_->is_finished) {
    return;
  }
  auto& slices = replacement_->slices;
  if (!slices.empty() && storage_.wants_replacement_slice()) {
    storage_.add_replacement_slice(slices.front());
    slices.pop_front();
  }
  if (slices.empty() && replacement_->loaded && storage_.wants_replacement_slice()) {
    storage_.finish_replacement(replacement_->taken_at);
    replacement_->is_finished = true;
  }
}

void Replica::State::adopt_replacement() {
  auto sessions = session::SessionTable::from_bytes(replacement_->loaded->sessions);
  if (!sessions) {
    fail(
        "The sessions of the leader's snapshot cannot be read. Run the same version on all "
        "servers.");
    return;
  }
  CHECK(!is_serving_ && watches_.size() == 0, "somebody is served from a state that is replaced");
  tree_ = std::move(replacement_->loaded->tree);
  sessions_ = std::move(*sessions);
  proposals_ = std::move(replacement_->proposals);
  proposal_bytes_ = 0;
  for (const Proposal& proposal : proposals_) {
    proposal_bytes_ += proposal.bytes;
  }
  committed_ = replacement_->taken_at;
  truncated_to_ = {};
  applied_since_snapshot_ = {};
  newest_snapshot_ = replacement_->taken_at;
  ports_.trace.record(HistoryReplaced{.taken_at = replacement_->taken_at});
  replacement_.reset();
  peer_.on_delivered(tree_.last_applied(), state_digest());
}

}  // namespace zabfs::replication
