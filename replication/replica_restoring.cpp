#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>
#include <variant>

#include "replication/model/check.hpp"
#include "replication/model/limits.hpp"
#include "replication/model/path.hpp"
#include "replication/replica_state.hpp"

namespace zabfs::replication {

using tree::Restore;

// --- every replica ---

// Nobody is told anything more about the tree that was: whoever comes back is of a session of the
// restored state, or begins anew.
void Replica::State::begin_with_restored_state(Zxid zxid, const Restore& restore) {
  while (!connections_.empty()) {
    drop(ConnectionId{connections_.begin()->first});
  }
  waiters_.clear();
  confirmations_.clear();
  closing_.clear();
  owners_.clear();
  pending_.clear();
  removals_.clear();
  expiry_ = session::ExpiryQueue(options_.tick_ms);
  if (peer_.is_leading()) {
    expect_every_session();
  }
  wants_snapshot_ = true;  // A start need not put the pieces together again.
  if (restoring_ && restoring_->name == restore.name) {
    end_restoring(zxid);
  }
}

void Replica::State::look_after_restorations() {
  const std::int64_t now = ports_.clock.monotonic_ms();
  if (restoring_ && now - restoring_->moved_ms > limits::restoration_stalled_ms) {
    end_restoring(
        "Nothing has come of it for too long: too few servers are there to agree. Nothing has been "
        "restored by now, but what is in the log may still be; look before you try again.");
  }
  if (restoration_ && !is_being_replaced() &&
      now - restoration_->moved_ms > limits::restoration_stalled_ms) {
    refuse_restoration("Its pieces have stopped to come. Try again.");
  }
  remove_stray_pieces();
}

// --- who leads ---

void Replica::State::refuse_restoration(const std::string& why) {
  const Restoration refused = std::move(*restoration_);
  restoration_.reset();
  tell(refused.origin, pipeline::RestoreRefused{.name = refused.name, .why = why});
}

void Replica::State::decide(zab::Origin origin, const pipeline::RestorePiece& piece) {
  if (peer_.is_exhausted()) {
    return;  // It is sent again to the next leader.
  }
  auto why = piece.number == 0 ? begin_restoration(origin, piece) : std::nullopt;
  if (!why && !epoch_to_pass_) {
    why = take_piece(origin, piece);
  }
  if (why) {
    tell(origin, pipeline::RestoreRefused{.name = piece.name, .why = *why});
  }
}

// Why it cannot begin; or nullopt, and it has, or this leader must make way before.
std::optional<std::string> Replica::State::begin_restoration(zab::Origin origin,
                                                             const pipeline::RestorePiece& first) {
  if (restoration_ && (restoration_->origin.server != origin.server || is_being_replaced())) {
    return "Another restore is under way. Wait for its end.";
  }
  if (first.snapshot.epoch().value > limits::restored_epoch_max) {
    return "Its epoch is beyond all that a server could count on from.";
  }
  restoration_.reset();
  if (first.snapshot >= peer_.next_zxid()) {
    epoch_to_pass_ = first.snapshot.epoch();
    return std::nullopt;
  }
  const auto mark = pending_.find(Restore::path);
  if (mark && mark->ephemeral_owner != SessionId{}) {
    return "A client has created /zookeeper/restoration as a znode that ends by itself. Delete it.";
  }
  if (!mark) {
    const auto parent = pending_.find(parent_of(Restore::path));
    tree::CreateNode create{.path = std::string(Restore::path),
                            .data = Bytes{},
                            .acl = read_only_acl(),
                            .parent_creates = parent->creates + 1};
    pending_.create(create.path, create.acl, {}, 0);
    propose({}, std::move(create), {});
  }
  restoration_ = {.origin = origin, .name = first.name};
  return std::nullopt;
}

std::optional<std::string> Replica::State::take_piece(zab::Origin origin,
                                                      const pipeline::RestorePiece& piece) {
  if (peer_.is_exhausted()) {
    return std::nullopt;  // It is sent again to the next leader.
  }
  if (!restoration_ || restoration_->origin != origin || restoration_->name != piece.name ||
      restoration_->pieces != piece.number || restoration_->is_complete) {
    return "Its pieces came out of order. Try again.";
  }
  restoration_->bytes += piece.bytes.size();
  const std::string path = tree::piece_path(piece.name, piece.number);
  const auto mark = pending_.find(Restore::path);
  if (restoration_->bytes > limits::restoration_bytes_max + limits::restoration_piece_bytes ||
      piece.bytes.size() > limits::restoration_piece_bytes || !mark || pending_.find(path)) {
    restoration_.reset();
    return "It is too large, or somebody else wrote below /zookeeper/restoration.";
  }
  tree::CreateNode create{.path = path,
                          .data = piece.bytes,
                          .acl = tree::sealed_acl(),
                          .parent_creates = mark->creates + 1};
  pending_.create(path, create.acl, {}, static_cast<std::int64_t>(piece.bytes.size()));
  ++restoration_->pieces;
  restoration_->moved_ms = ports_.clock.monotonic_ms();
  restoration_->last_piece = propose({}, std::move(create), {});
  return std::nullopt;
}

void Replica::State::decide(zab::Origin origin, const pipeline::RestoreEnd& end) {
  if (peer_.is_exhausted()) {
    return;
  }
  if (!restoration_ || restoration_->origin != origin || restoration_->name != end.name ||
      restoration_->pieces != end.pieces) {
    tell(origin, pipeline::RestoreRefused{.name = end.name,
                                          .why = "Its pieces are not all there. Try again."});
    return;
  }
  restoration_->is_complete = true;
}

// Proposes the Restore once all pieces are applied, and no reconfiguration is under way: from then
// on until it is applied, nothing else is decided, for it would be decided upon the old tree.
void Replica::State::advance_restoration() {
  if (!is_serving_ || !peer_.is_leading()) {
    return;
  }
  if (restoration_ && is_being_replaced() && tree_.last_applied() >= restoration_->replacing) {
    restoration_.reset();
    for (const auto& [from, message] : std::exchange(held_, {})) {
      decide_request(from, message);
    }
  }
  if (restoration_ && restoration_->is_complete && !is_being_replaced() &&
      tree_.last_applied() >= restoration_->last_piece && !reconfiguration_ &&
      !peer_.standing().membership.is_changing() && !peer_.is_exhausted()) {
    if (const auto why = replace_by_pieces()) {
      refuse_restoration(*why);
    }
  }
  carry_out_effects();
}

// What is proposed can be applied: so it is tried here first.
std::optional<std::string> Replica::State::replace_by_pieces() {
  const Restore restore{.name = restoration_->name, .pieces = restoration_->pieces};
  for (std::int32_t number = 0; number < restore.pieces; ++number) {
    if (pending_.touches(tree::piece_path(restore.name, number))) {
      return "Somebody else wrote below /zookeeper/restoration.";
    }
  }
  const auto loaded = tree::put_together(tree_, restore);
  if (const auto* why = std::get_if<std::string>(&loaded)) {
    return *why;
  }
  const auto& snapshot = std::get<tree::LoadedSnapshot>(loaded);
  if (snapshot.tree.last_applied() >= peer_.next_zxid() ||
      !session::SessionTable::from_bytes(snapshot.sessions)) {
    return "It is not what it was said to be.";
  }
  restoration_->replacing = peer_.next_zxid();
  propose({}, restore, {});
  return std::nullopt;
}

// What is left of a restore that came to nothing, or was under way when the snapshot was taken.
void Replica::State::remove_stray_pieces() {
  const tree::Node* mark = tree_.find(Restore::path);
  if (!is_serving_ || !peer_.is_leading() || restoration_ || epoch_to_pass_ || mark == nullptr ||
      mark->num_children == 0) {
    return;
  }
  std::vector<std::string> paths;
  tree_.for_each_child(*mark, [&](std::string_view name) {
    if (paths.size() < limits::restoration_pieces_removed_at_once) {
      paths.push_back(std::string(Restore::path) + "/" + std::string(name));
    }
  });
  for (const std::string& path : paths) {
    const auto piece = pending_.find(path);
    if (piece && piece->num_children == 0 && !peer_.is_exhausted()) {
      pending_.remove(path);
      propose({}, tree::DeleteNode{.path = path}, {});
    }
  }
}

// --- who was given the state ---

void Replica::State::restore(std::unique_ptr<RestorableState> state, RestorationDone done) {
  if (restoring_) {
    done("Another restore is under way. Wait for its end.");
    return;
  }
  restoring_.emplace(std::move(state), std::move(done), ports_.clock.monotonic_ms());
}

void Replica::State::end_restoring(const std::variant<Zxid, std::string>& outcome) {
  const RestorationDone done = std::move(restoring_->done);
  restoring_.reset();
  done(outcome);
}

// Whoever leads next knows nothing of the pieces.
void Replica::State::interrupt_restoring() {
  if (restoring_) {
    restoring_->pieces.reset();
  }
}

// This server serves again, and has all that is history: had the last attempt worked, the tree
// would say so.
void Replica::State::begin_attempt() {
  if (!restoring_->name.empty() && tree::last_restored(tree_) == restoring_->name) {
    end_restoring(tree_.find(Restore::path)->mzxid);
    return;
  }
  if (++restoring_->attempts > limits::restoration_attempts_max) {
    end_restoring("The leader has changed too often. Nothing has been restored; try again.");
    return;
  }
  std::array<std::uint8_t, sizeof(std::uint64_t)> chance{};
  ports_.entropy.fill(chance);
  restoring_->name.clear();
  for (const std::uint8_t byte : chance) {
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02x", byte);
    restoring_->name += digits;
  }
  RestorableState& state = *restoring_->state;
  restoring_->pieces.emplace(state.tree, state.sessions.to_bytes(),
                             options_.restoration_piece_bytes, slice_bounds());
  restoring_->sent = 0;
  restoring_->applied = 0;
  restoring_->is_end_sent = false;
}

// Sends what may be sent. The leader may refuse at once, if it is this server.
void Replica::State::advance_restoring() {
  if (restoring_ && is_serving_ && !restoring_->pieces) {
    begin_attempt();
  }
  const auto has_room = [this] {
    return restoring_ && is_serving_ && restoring_->pieces && !restoring_->is_end_sent &&
           restoring_->sent - restoring_->applied <
               static_cast<std::int32_t>(limits::restoration_pieces_ahead_max);
  };
  while (has_room()) {
    auto bytes = restoring_->pieces->next();
    if (!bytes) {
      restoring_->is_end_sent = true;
      request(pipeline::RestoreEnd{.name = restoring_->name, .pieces = restoring_->sent});
      break;
    }
    pipeline::RestorePiece piece{.name = restoring_->name,
                                 .number = restoring_->sent++,
                                 .snapshot = restoring_->state->tree.last_applied(),
                                 .bytes = std::move(*bytes)};
    request(piece);
  }
  carry_out_effects();
}

void Replica::State::note_piece(const tree::TransactionBody& applied) {
  const auto* create = std::get_if<tree::CreateNode>(&applied);
  if (create != nullptr && !restoring_->name.empty() &&
      tree::is_piece_of(create->path, restoring_->name)) {
    ++restoring_->applied;
    restoring_->moved_ms = ports_.clock.monotonic_ms();
  }
}

void Replica::State::hear(const pipeline::RestoreRefused& outcome) {
  if (restoring_ && restoring_->name == outcome.name) {
    end_restoring(outcome.why);
  }
}

}  // namespace zabfs::replication
