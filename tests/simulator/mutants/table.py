"""Mistakes that have been made in replicated services, each as one change of ours.

A mutant replaces `old` by `new` in `file`. White space does not matter for finding `old`, so a
mutant survives formatting; it must be found exactly once.
"""

from typing import NamedTuple


class Mutant(NamedTuple):
    name: str
    file: str
    old: str
    new: str


MUTANTS = [
    Mutant(
        "a learner acknowledges a proposal before it is on its disk",
        "replication/zab/following.cpp",
        """standing_.effects.emplace_back(Append{std::move(proposal)});
        }""",
        """standing_.effects.emplace_back(Append{std::move(proposal)});
          if (stage_ >= Stage::entered) {
            acknowledged_ = message.zxid;
            standing_.send(leader_, Ack{.up_to = message.zxid});
          }
        }""",
    ),
    Mutant(
        "a learner acknowledges NewLeader before its history is on its disk",
        "replication/zab/following.cpp",
        """stage_ = Stage::persisting;
           acknowledged_ = standing_.history.last();""",
        """acknowledged_ = standing_.history.last();
           if (!replaced_) {
             stage_ = Stage::entered;
             standing_.current = epoch_;
             standing_.effects.emplace_back(SaveEpochs{standing_.accepted, epoch_});
             standing_.send(leader_, AckNewLeader{.epoch = epoch_, .up_to = acknowledged_});
             return;
           }
           stage_ = Stage::persisting;""",
    ),
    Mutant(
        "a learner promises an epoch and does not write it down",
        "replication/zab/following.cpp",
        """stage_ = Stage::accepting;
           standing_.accepted = epoch_;
           standing_.effects.emplace_back(SaveEpochs{epoch_, standing_.current});""",
        """standing_.accepted = epoch_;
           acknowledge_epoch(true);""",
    ),
    Mutant(
        "what is durable is applied although it is not committed",
        "replication/replica.cpp",
        "const Zxid until = std::min(committed_, storage_.durable());",
        "const Zxid until = storage_.durable();",
    ),
    Mutant(
        "transactions that are committed together are applied from the last to the first",
        "replication/replica.cpp",
        """const Proposal proposal = std::move(proposals_.front());
           proposals_.pop_front();""",
        """const auto end = std::find_if(proposals_.begin(), proposals_.end(), [&](const auto& p) {
             return p.transaction.header.zxid > until; });
           const Proposal proposal = std::move(*std::prev(end));
           proposals_.erase(std::prev(end));""",
    ),
    Mutant(
        "a truncation keeps one transaction too many",
        "replication/replica_ensemble.cpp",
        "proposals_.back().transaction.header.zxid > effect.keep) {",
        "proposals_.back().transaction.header.zxid > Zxid{effect.keep.value + 1}) {",
    ),
    Mutant(
        "a learner keeps what its leader does not have",
        "replication/zab/sync_plan.cpp",
        "return Truncate{.keep = *keep};",
        "return Difference{.from = learner_last};",
    ),
    Mutant(
        "proposals of the old history are kept when a snapshot replaces it",
        "replication/replica_replacement.cpp",
        "proposals_ = std::move(replacement_->proposals);",
        """proposals_.insert(proposals_.end(), replacement_->proposals.begin(),
                             replacement_->proposals.end());""",
    ),
    Mutant(
        "observers count in quorums",
        "replication/zab/quorum.cpp",
        """if (member.is_observer) {
             continue;
           }""",
        "",
    ),
    Mutant(
        "a sync is answered without asking a quorum",
        "replication/replica_leading.cpp",
        """confirmations_.push_back(
             {.number = peer_.confirm(), .origin = origin, .until = peer_.proposed()});""",
        """tell(origin, pipeline::Reached{.connection = origin.connection,
                                          .until = peer_.proposed()});""",
    ),
    Mutant(
        "the leader does not hear of sessions at its learners",
        "replication/zab/leading.cpp",
        "if (!message.alive.empty()) {",
        "if (message.alive.size() > 1'000'000) {",
    ),
    Mutant(
        "a watch that is set again after a move is forgotten",
        "replication/pipeline/watching.cpp",
        "if (!is_overdue) { has_room = table_.add(kind, connection_, path) && has_room; }",
        "if (!is_overdue) { has_room = has_room || table_.add(kind, connection_, path); }",
    ),
    Mutant(
        "a change that a moving client missed is not told",
        "replication/pipeline/watching.cpp",
        "tell_or_set(node == nullptr || node->mzxid.wire() > seen,",
        "tell_or_set(node == nullptr,",
    ),
    Mutant(
        "the number of a sequential znode is its parent's number of children",
        "replication/pipeline/pending_changes.cpp",
        ".creates = present->creates,",
        ".creates = present->num_children,",
    ),
    Mutant(
        "a leader without a quorum goes on leading",
        "replication/zab/leading.cpp",
        "} else if (needs_quorum && !has_fresh_quorum(",
        "} else if (needs_quorum && false && !has_fresh_quorum(",
    ),
    Mutant(
        "a session may go on changing things after it has moved",
        "replication/replica_leading.cpp",
        """} else if (!owns(origin, client.session)) {
             failed.error = static_cast<std::int32_t>(ErrorCode::session_moved);
           } else {
             const""",
        """} else if (!owns(origin, client.session) && owners_.empty()) {
             failed.error = static_cast<std::int32_t>(ErrorCode::session_moved);
           } else {
             const""",
    ),
    Mutant(
        "the leader leads although another has a longer history",
        "replication/zab/leading.cpp",
        "if (std::pair{message.current, message.last} > own) {",
        "if (std::pair{message.current, message.last} > own && false) {",
    ),
    Mutant(
        "an acknowledgement of one voter commits",
        "replication/zab/broadcast.cpp",
        "committed_ = std::max(committed_, membership_->committable(acknowledged_, before_ensemble_));",
        "for (const auto& [voter, up_to] : acknowledged_) { committed_ = std::max(committed_, up_to); }",
    ),
    Mutant(
        "a configuration is committed by a quorum of the new ensemble alone",
        "replication/zab/membership.cpp",
        """if (!is_changing() || by_old <= before) {
             return by_old;
           }
           const Zxid by_both =
               std::min(by_old, stages_.back().quorums.reached_by_quorum(reached));""",
        """if (!is_changing()) {
             return by_old;
           }
           const Zxid by_both = stages_.back().quorums.reached_by_quorum(reached);""",
    ),
    Mutant(
        "a configuration is committed by a quorum of the old ensemble alone",
        "replication/zab/membership.cpp",
        """const Zxid by_both = std::min(by_old, stages_.back().quorums.reached_by_quorum(reached));""",
        """const Zxid by_both = by_old;""",
    ),
    Mutant(
        "a configuration is in force as soon as it is in the log",
        "replication/zab/membership.cpp",
        """if (is_changing()) {
           stages_.erase(stages_.begin());
         }
         stages_.push_back(stage_of(next));""",
        """stages_.clear();
           stages_.push_back(stage_of(next));""",
    ),
    Mutant(
        "a server leads with the new ensemble alone while its configuration may not be committed",
        "replication/zab/membership.cpp",
        """return std::ranges::all_of(
      stages_, [&](const Stage& stage) { return stage.quorums.contains_quorum(servers); });""",
        """return stages_.back().quorums.contains_quorum(servers);""",
    ),
    Mutant(
        "the operator is told before the new servers know for good",
        "replication/replica_reconfiguration.cpp",
        """if (change.seal == Zxid{} || tree_.last_applied() < change.seal || change.handed_over_by) {
             return;
           }
           if (change.origin != zab::Origin{}) {
             tell(change.origin,
                  pipeline::Reconfigured{.connection = change.origin.connection,
                                         .until = change.seal});""",
        """if (change.seal == Zxid{} || change.handed_over_by) {
             return;
           }
           if (change.origin != zab::Origin{}) {
             tell(change.origin,
                  pipeline::Reconfigured{.connection = change.origin.connection,
                                         .until = change.ensemble});""",
    ),
    Mutant(
        "what learners ask while the state is replaced is decided upon the old one",
        "replication/replica_ensemble.cpp",
        "if (peer_.is_leading() && is_being_replaced()) {",
        "if (peer_.is_leading() && is_being_replaced() && !is_serving_) {",
    ),
    Mutant(
        "a restore leaves the sessions as they are",
        "replication/apply.cpp",
        "sessions = std::move(*restored);",
        "static_cast<void>(restored);",
    ),
    Mutant(
        "a watch set again is compared with znodes that a restore has brought",
        "replication/pipeline/watching.cpp",
        "const std::int64_t seen = is_of_another_tree ? -1 : request.relative_zxid;",
        """static_cast<void>(is_of_another_tree);
           const std::int64_t seen = request.relative_zxid;""",
    ),
    Mutant(
        "a snapshot on its way is not told that all of the tree goes",
        "replication/tree/data_tree.cpp",
        "nodes_.walk([this](std::string_view, Slot slot) { observer_->before_change(slot); });",
        "",
    ),
    Mutant(
        "clients stay connected over a restore",
        "replication/replica_restoring.cpp",
        """while (!connections_.empty()) {
             drop(ConnectionId{connections_.begin()->first});
           }""",
        "",
    ),
    Mutant(
        "a restore is tried again although it has worked",
        "replication/replica_restoring.cpp",
        "if (!restoring_->name.empty() && tree::last_restored(tree_) == restoring_->name) {",
        "if (!restoring_->name.empty() && tree::last_restored(tree_) == restoring_->name + '-') {",
    ),
    Mutant(
        "a leader answers its own clients while the state is replaced",
        "replication/replica_clients.cpp",
        "if (!is_serving_ || is_being_replaced() ||",
        "if (!is_serving_ ||",
    ),
    Mutant(
        "a leader ends sessions while the state is replaced",
        "replication/replica.cpp",
        "if (!peer_.is_leading() || is_being_replaced()) {",
        "if (!peer_.is_leading()) {",
    ),
    Mutant(
        "a slice that is too long is not cut",
        "replication/tree/snapshot_writer.cpp",
        "if (out.size() - begin <= bounds_.bytes_max) {",
        "if (out.size() - begin <= bounds_.bytes_max || has_more) {",
    ),
]
