// The inside of a Replica: everything it knows, and the steps of its loop.
//
//   file                      steps
//   ------------------------  ---------------------------------------------------------------
//   replica.cpp               start, propose, persist, commit, apply
//   replica_recovery.cpp      from what the disk holds to the state before the crash
//   replica_ensemble.cpp      links to the other servers, and what zab asks for
//   replica_replacement.cpp   a leader's state in place of one's own
//   replica_clients.cpp       connections, handshakes, requests, replies
//   replica_authentication.cpp  who clients are
//   replica_audit.cpp         what the audit hears
//   replica_watches.cpp       who is told of a change
//   replica_leading.cpp       the decisions of a leader, for its own clients and for learners'
//   replica_learning.cpp      the decisions of a leader, as a learner hears of them
//   replica_removals.cpp      containers and znodes with a time to live that have to go
//   replica_reconfiguration.cpp  other servers for the ensemble
//   replica_restoring.cpp     another state for the ensemble: who asks for it, and who leads
//   replica_snapshots.cpp     snapshots in slices while everything else goes on
//   replica_metrics.cpp       what operators can see, and nothing is decided by
//
// Invariant, in every moment between two events: applied <= committed, applied <= durable.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "replication/connection.hpp"
#include "replication/inspection.hpp"
#include "replication/model/metrics.hpp"
#include "replication/pipeline/execute.hpp"
#include "replication/pipeline/forwarding.hpp"
#include "replication/pipeline/large_writes.hpp"
#include "replication/pipeline/pending_changes.hpp"
#include "replication/pipeline/prepare.hpp"
#include "replication/replica.hpp"
#include "replication/restoration.hpp"
#include "replication/session/expiry_queue.hpp"
#include "replication/session/session_table.hpp"
#include "replication/store/storage.hpp"
#include "replication/tree/data_tree.hpp"
#include "replication/tree/restored_pieces.hpp"
#include "replication/tree/snapshot_reader.hpp"
#include "replication/tree/snapshot_writer.hpp"
#include "replication/tree/watch_table.hpp"
#include "replication/zab/peer.hpp"
#include "replication/zab/quorum.hpp"

namespace zabfs::replication {

class Replica::State {
 public:
  State(const ReplicaOptions& options, const ReplicaPorts& ports);

  std::optional<std::string> start();
  void on_connected(ConnectionId id, std::string address, Identities shown);
  void on_frame(ConnectionId id, ByteView payload);
  void on_disconnected(ConnectionId id);
  void on_disk_done(Ticket ticket);
  void on_tick();
  void on_turn_end();
  bool may_read(ConnectionId id, std::size_t bytes) const;
  ReplicaStatus status() const;
  void on_peer_up(ServerId server);
  void on_peer_frame(ServerId server, ByteView payload);
  void on_peer_down(ServerId server);
  const std::optional<std::string>& failure() const { return failure_; }
  Inspection inspect() const;
  void take_snapshot();
  void restore(std::unique_ptr<RestorableState> state, RestorationDone done);
  void reset_counts();
  void reset_conversations();

 private:
  // A transaction between propose and apply.
  struct Proposal {
    tree::Transaction transaction{};
    zab::Origin origin{};  // who waits for it
    std::size_t bytes{};
    std::int64_t proposed_us{};  // by this server
  };

  // Somebody whose reply waits for history to reach a point, without a transaction of his own.
  struct Waiter {
    Zxid until{};
    ConnectionId connection{};
  };

  // A sync that waits for a quorum to confirm that this leader still leads.
  struct Confirmation {
    std::uint64_t number{};
    zab::Origin origin{};
    Zxid until{};
  };

  // A leader's, from the proposal of a configuration until a quorum of it cannot forget that it is
  // in force.
  struct Reconfiguration {
    zab::Origin origin{};  // who waits for it
    Zxid ensemble{};       // the configuration's transaction
    Zxid seal{};           // one behind it, proposed once that is delivered; 0 before
    std::optional<std::uint64_t> handed_over_by{};  // the confirmation after which another may lead
  };

  // Where a session is attached, and what was negotiated there.
  struct Owner {
    zab::Origin origin{};
    std::int32_t timeout_ms{};
  };

  // What zab waits to be durable.
  struct AwaitedBarrier {
    std::uint64_t number{};
    Zxid end{};           // of the log
    bool is_truncated{};  // the log ends where it was truncated to: only what is behind proves it
  };

  // The leader's state after the zxid of a Commit.
  struct ExpectedDigest {
    Zxid zxid{};
    std::uint64_t digest{};
  };

  // A leader's state on its way into the place of this server's whole history.
  struct Replacement {
    Zxid taken_at{};
    tree::SnapshotReader reader{};
    std::deque<Bytes> slices{};  // not yet with the disk; together at most the leader's snapshot
    std::optional<tree::LoadedSnapshot> loaded{};  // once the last slice has come
    bool is_finished{};                            // the disk has been told so
    bool is_adopted{};                             // the epochs that adopt it are on their way
    std::deque<Proposal> proposals{};
  };

  // A state that this server was given, on its way to the leader.
  struct Restoring {
    Restoring(std::unique_ptr<RestorableState> given, RestorationDone tell, std::int64_t now_ms)
        : state(std::move(given)), done(std::move(tell)), moved_ms(now_ms) {}

    std::unique_ptr<RestorableState> state;
    RestorationDone done;
    std::string name{};                         // of the last attempt; empty before the first
    std::optional<tree::PieceWriter> pieces{};  // of the attempt that is under way
    std::int32_t sent{};                        // pieces of it
    std::int32_t applied{};                     // here
    bool is_end_sent{};
    int attempts{};
    std::int64_t moved_ms;  // when something last came of it
  };

  // What a leader knows of the restore whose pieces it takes.
  struct Restoration {
    zab::Origin origin{};  // its server
    std::string name{};
    std::int32_t pieces{};    // so far
    std::uint64_t bytes{};    // in them
    Zxid last_piece{};        // its transaction
    bool is_complete{};       // that was the last
    Zxid replacing{};         // the Restore, once proposed
    std::int64_t moved_ms{};  // when something last came
  };

  // --- the loop: replica.cpp ---
  void begin_serving();
  void stop_serving();
  Zxid propose(SessionId session, tree::TransactionBody body, zab::Origin origin);
  void apply_committed();
  void apply(const Proposal& proposal);
  void compare_digest();
  std::uint64_t state_digest() const;
  void expect_every_session();
  void expire_sessions();
  void report_disk();
  void look_at_the_time();

  // --- the ensemble: replica_ensemble.cpp ---
  void carry_out_effects();
  void carry_out(zab::Send& effect);
  void carry_out(zab::SendProposal& effect);
  void carry_out(zab::Disconnect& effect);
  void carry_out(zab::SaveEpochs& effect);
  void carry_out(zab::Append& effect);
  void carry_out(zab::TruncateAfter& effect);
  void carry_out(zab::ReplaceHistory& effect);
  void carry_out(zab::AddSlice& effect);
  void carry_out(zab::EndSlices& effect);
  void carry_out(zab::AbandonReplacement& effect);
  void carry_out(zab::Barrier& effect);
  void carry_out(zab::StreamSnapshot& effect);
  void carry_out(zab::CommitUpTo& effect);
  void carry_out(zab::BeginLooking& effect);
  void carry_out(zab::BeginLeading& effect);
  void carry_out(zab::BeginFollowing& effect);
  void carry_out(zab::AnswerHeartbeat& effect);
  void carry_out(zab::HearOfSessions& effect);
  void carry_out(zab::Confirmed& effect);
  void carry_out(zab::DeliverForwarded& effect);
  void carry_out(zab::EnsembleChanged& effect);
  void carry_out(zab::Fail& effect);
  template <class Body>
  void send(ServerId to, const Body& message);
  void learn(const zab::Proposal& proposal);
  void forward(ServerId to, const pipeline::ForwardedMessage& message);
  bool is_behind(const AwaitedBarrier& barrier) const;
  void fail(const std::string& sentence);

  // --- a replaced history: replica_replacement.cpp ---
  void advance_replacement();
  void adopt_replacement();

  // --- recovery: replica_recovery.cpp ---
  std::optional<std::string> recover();

  // --- clients: replica_clients.cpp ---
  void greet(ConnectionId id, Connection& connection, ByteView payload);
  void take_request(ConnectionId id, Connection& connection, const protocol::RequestHeader& header,
                    ByteView body, protocol::Request request);
  void refuse(ConnectionId id, const std::string& why);
  static pipeline::LocalRequest local_request(const Connection& connection,
                                              protocol::Request request);
  void drop(ConnectionId id);

  // Queues `reply`, or answers at once if nothing is in front of it and history is there. What the
  // leader has yet to decide is queued by await_decision(); decided() then gives it its point of
  // history.
  void await(ConnectionId id, Connection& connection, pipeline::PendingReply reply);
  void await_decision(Connection& connection, pipeline::PendingReply reply);
  pipeline::PendingReply& enqueue(Connection& connection, pipeline::PendingReply reply);
  pipeline::PendingReply dequeue(Connection& connection);
  void note_answered(const pipeline::PendingReply& reply);
  void decided(ConnectionId id, pipeline::PendingReply& reply, Zxid until);
  void wait_until(Zxid until, ConnectionId id);

  // Answers what is in front of the queue and ready. The connection may be gone afterwards.
  void answer_ready(ConnectionId id);
  bool answer(ConnectionId id, Connection& connection, const pipeline::PendingReply& reply);
  bool append_answer(ConnectionId id, const Connection& connection,
                     const pipeline::PendingReply& reply, Bytes& out);

  // Answers the request that waited for exactly this transaction.
  void answer_origin(const Proposal& proposal);

  // Answers what the connection asked before this transaction, which is about to be applied.
  void answer_in_front_of(const Proposal& proposal);
  void release_waiters();

  // --- watches: replica_watches.cpp ---
  void notify(const tree::Applied& applied);

  // --- what the audit hears: replica_audit.cpp ---
  void note_for_audit(pipeline::PendingReply& reply, const protocol::Request& request) const;
  void audit(const Connection& connection, const pipeline::AuditedOperation& operation,
             AuditResult result);
  void audit_success(const Connection& connection, const pipeline::PendingReply& reply,
                     const tree::TransactionBody& done);
  void audit_local(const Connection& connection, const pipeline::PendingReply& reply);
  void audit_failure(const Connection& connection, const pipeline::PendingReply& reply);
  void audit_failed_authentication(const Connection& connection);
  void audit_end(SessionId session);

  // --- who clients are: replica_authentication.cpp ---
  void authenticate(ConnectionId id, Connection& connection, std::int32_t xid,
                    const protocol::AuthRequest& request);
  static bool gain(Connection& connection, Identities gained);
  bool is_authenticated(const Connection& connection) const;
  void refuse_in_turn(ConnectionId id, Connection& connection, std::int32_t xid,
                      protocol::OpCode op, ErrorCode error);

  // --- a leader's decisions: replica_leading.cpp ---
  void decide_request(ServerId from, const pipeline::ForwardedMessage& message);
  void hear_of(SessionId session);
  void decide(zab::Origin origin, const pipeline::Write& write);
  void decide_write(zab::Origin origin, const pipeline::Client& client, protocol::Request& request);
  void decide(zab::Origin origin, const pipeline::Open& open);
  void decide(zab::Origin origin, const pipeline::Attach& attach);
  void decide(zab::Origin origin, const pipeline::Close& close);
  void decide(zab::Origin origin, const pipeline::Sync& sync);
  void decide(zab::Origin origin, const pipeline::RestorePiece& piece);
  void decide(zab::Origin origin, const pipeline::RestoreEnd& end);
  template <class Other>
  void decide(zab::Origin origin, const Other& message);
  bool owns(zab::Origin origin, SessionId session) const;

  // Tells the origin, here or at a learner.
  void tell(zab::Origin origin, const pipeline::ForwardedMessage& outcome);

  // --- the decisions as a learner hears of them: replica_learning.cpp ---
  void request(const pipeline::ForwardedMessage& message);
  void hear_outcome(const pipeline::ForwardedMessage& message);
  void hear(const pipeline::Failed& outcome);
  void hear(const pipeline::Attached& outcome);
  void hear(const pipeline::Reached& outcome);
  void hear(const pipeline::Reconfigured& outcome);
  void hear(const pipeline::Detached& outcome);
  void hear(const pipeline::RestoreRefused& outcome);
  template <class Other>
  void hear(const Other& message);
  void hear_of_proposal(Proposal& proposal);

  // --- a leader's removals: replica_removals.cpp ---
  void remove_expendable();

  // --- the ensemble changes: replica_reconfiguration.cpp ---
  std::string ensemble_text_of_tree() const;
  std::optional<Ensemble> ensemble_of_tree() const;  // nullopt if there is text that is none
  void begin_with_ensemble();
  void propose_ensemble(Ensemble ensemble, SessionId session, zab::Origin origin);
  void advance_reconfiguration();
  void decide_reconfig(zab::Origin origin, const pipeline::Client& client,
                       const protocol::ReconfigRequest& request);
  Result<Ensemble> wanted_ensemble(zab::Origin origin, const pipeline::Client& client,
                                   const protocol::ReconfigRequest& request) const;
  bool must_hand_over() const;

  // --- another state: replica_restoring.cpp ---
  bool is_being_replaced() const { return restoration_ && restoration_->replacing != Zxid{}; }
  void begin_with_restored_state(Zxid zxid, const tree::Restore& restore);
  void look_after_restorations();
  std::optional<std::string> begin_restoration(zab::Origin origin,
                                               const pipeline::RestorePiece& first);
  std::optional<std::string> take_piece(zab::Origin origin, const pipeline::RestorePiece& piece);
  std::optional<std::string> replace_by_pieces();
  void refuse_restoration(const std::string& why);
  void advance_restoration();
  void remove_stray_pieces();
  void begin_attempt();
  void advance_restoring();
  void interrupt_restoring();
  void end_restoring(const std::variant<Zxid, std::string>& outcome);
  void note_piece(const tree::TransactionBody& applied);

  // --- snapshots: replica_snapshots.cpp ---
  tree::SliceBounds slice_bounds() const;
  void advance_snapshot();
  void begin_snapshot();
  void draw_next_snapshot();
  void stop_snapshot();
  void forget_learner(ServerId server);
  void advance_learner_snapshot();

  // --- measurements: replica_metrics.cpp ---
  void count_answer(Connection& connection, std::int32_t xid, protocol::OpCode op,
                    std::int64_t asked_us, bool is_update, std::size_t bytes);
  void count_watches(tree::EventKind event, std::size_t fired);
  void count_commits(Zxid up_to);
  void count_durable(Zxid before);
  void count_election();
  void note_digest(Zxid zxid);
  void count_established();
  std::int64_t wall_us_since(std::int64_t wall_ms) const;
  std::int64_t now_us() const { return ports_.clock.monotonic_us(); }

  ReplicaOptions options_;
  ReplicaPorts ports_;
  std::unique_ptr<Metrics> own_metrics_;
  Metrics& metrics_;
  store::Storage storage_;

  tree::DataTree tree_;
  session::SessionTable sessions_;
  tree::WatchTable watches_;
  tree::Applied applied_;            // reused by every apply
  std::vector<ConnectionId> fired_;  // likewise
  Bytes notice_{};                   // likewise

  zab::Peer peer_;
  std::set<ServerId> linked_{};
  zab::Effects effects_{};  // reused
  bool is_carrying_out_{};
  std::int64_t looked_ms_{};  // when zab was last told the time
  std::int64_t looked_us_{};  // the time of the event at hand
  bool is_serving_{};
  Zxid committed_{};                // zab allows to deliver up to there
  std::deque<Proposal> proposals_;  // in the log, not applied
  std::size_t proposal_bytes_{};
  std::optional<store::Epochs> saving_{};  // asked for, and not reported to zab yet
  std::deque<AwaitedBarrier> barriers_{};
  Zxid truncated_to_{};
  Zxid reported_durable_{};
  std::deque<ExpectedDigest> expected_{};
  std::optional<Replacement> replacement_{};
  std::optional<std::string> failure_{};

  const pipeline::Rules rules_;
  pipeline::PendingChanges pending_;
  pipeline::Reader reader_;
  session::ExpiryQueue expiry_;
  std::set<SessionId> closing_;  // their end is proposed, so nothing more is accepted from them
  std::map<SessionId, Owner> owners_{};       // as the leader knows
  std::deque<Confirmation> confirmations_{};  // ascending by number
  std::uint32_t sessions_opened_{};           // in this epoch
  std::vector<std::string> removals_{};       // znodes that were found due, the last one first
  std::int64_t removals_looked_ms_{};         // when they were looked for
  std::int64_t removed_ms_{};                 // when some were removed
  std::optional<Reconfiguration> reconfiguration_{};
  std::optional<Restoration> restoration_{};
  std::optional<Epoch> epoch_to_pass_{};  // for a restore; this leader then makes way
  // What learners asked while the state is replaced: at most what they may have unanswered.
  std::deque<std::pair<ServerId, pipeline::ForwardedMessage>> held_{};
  std::optional<Restoring> restoring_{};
  std::uint64_t confirmed_{};  // the last Confirmed of this reign

  Connections connections_;
  std::map<SessionId, ConnectionId> attached_;  // where each session is connected now
  std::deque<Waiter> waiters_;                  // ascending by `until`
  std::size_t unanswered_{};
  std::size_t writes_unanswered_{};  // of those
  std::size_t unanswered_bytes_{};
  pipeline::LargeWrites large_writes_{};

  std::optional<tree::SnapshotWriter> snapshot_;
  std::optional<ServerId> snapshot_for_{};  // the learner it is for; otherwise it is for the disk
  std::deque<ServerId> learners_without_snapshot_{};
  // What is applied, or may be, between two snapshots.
  struct LogLength {
    std::uint64_t transactions{};
    std::uint64_t bytes{};
  };
  LogLength applied_since_snapshot_{};
  LogLength snapshot_due_{};
  Zxid newest_snapshot_{};  // on the disk
  bool wants_snapshot_{};   // an operator does, however little is applied since the last one

  std::int64_t snapshot_began_us_{};
  std::int64_t serving_since_ms_{};
  std::int64_t looking_since_us_{};
  std::optional<std::int64_t> elected_us_{};            // somebody leads, since
  std::optional<std::int64_t> not_durable_since_us_{};  // the oldest record that is not

  NotedDigests noted_digests_{};

  std::uint64_t requests_received_{};
  std::uint64_t replies_sent_{};
};

}  // namespace zabfs::replication
