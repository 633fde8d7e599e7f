// The inside of a Replica: everything it knows, and the steps of its loop.
//
//   file                      steps
//   ------------------------  ---------------------------------------------------------------
//   replica.cpp               start, epochs, propose, persist, commit, apply
//   replica_recovery.cpp      from what the disk holds to the state before the crash
//   replica_clients.cpp       connections, handshakes, requests, replies
//   replica_snapshots.cpp     snapshots in slices while everything else goes on
//
// Invariant, in every moment between two events: applied <= committed <= durable <= proposed.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>

#include "replication/connection.hpp"
#include "replication/pipeline/execute.hpp"
#include "replication/pipeline/pending_changes.hpp"
#include "replication/pipeline/prepare.hpp"
#include "replication/replica.hpp"
#include "replication/session/expiry_queue.hpp"
#include "replication/session/session_table.hpp"
#include "replication/store/storage.hpp"
#include "replication/tree/data_tree.hpp"
#include "replication/tree/snapshot_writer.hpp"
#include "replication/tree/watch_table.hpp"
#include "replication/zab/broadcast.hpp"
#include "replication/zab/quorum.hpp"

namespace zabfs::replication {

class Replica::State {
 public:
  State(const ReplicaOptions& options, const ReplicaPorts& ports);

  std::optional<std::string> start();
  void on_connected(ConnectionId id, std::string address);
  void on_frame(ConnectionId id, ByteView payload);
  void on_disconnected(ConnectionId id);
  void on_disk_done(Ticket ticket);
  void on_tick();
  void on_turn_end();
  bool may_read(ConnectionId id) const;
  ReplicaStatus status() const;

 private:
  // A transaction between propose and apply.
  struct Proposal {
    tree::Transaction transaction{};
    ConnectionId origin{};  // who waits for it; 0 if nobody
    std::size_t bytes{};
  };

  // starting: the epoch is on its way to the disk. ending: its counter is used up, and what it
  // proposed is on its way.
  enum class Phase { starting, serving, ending };

  // Somebody whose reply waits for history to reach a point, without a transaction of his own.
  struct Waiter {
    Zxid until{};
    ConnectionId connection{};
  };

  // --- the loop: replica.cpp ---
  void begin_epoch();
  void start_serving();
  void stop_serving();
  Zxid propose(SessionId session, tree::TransactionBody body, ConnectionId origin);
  void apply_committed();
  void apply(const Proposal& proposal);
  void expire_sessions();

  // --- recovery: replica_recovery.cpp ---
  std::optional<std::string> recover();

  // --- clients: replica_clients.cpp ---
  void greet(ConnectionId id, Connection& connection, ByteView payload);
  void open_session(ConnectionId id, Connection& connection,
                    const protocol::ConnectRequest& request);
  void attach_session(ConnectionId id, Connection& connection,
                      const protocol::ConnectRequest& request);
  void take_request(ConnectionId id, Connection& connection, const protocol::RequestHeader& header,
                    protocol::Request request);
  void take_write(ConnectionId id, Connection& connection, const protocol::RequestHeader& header,
                  protocol::Request request);
  void close_session(ConnectionId id, Connection& connection, std::int32_t xid);
  void refuse(ConnectionId id, const std::string& why);
  void drop(ConnectionId id);

  // Queues `reply`, or answers at once if nothing is in front of it and history is there.
  void await(ConnectionId id, Connection& connection, pipeline::PendingReply reply);

  // Answers what is in front of the queue and ready. The connection may be gone afterwards.
  void answer_ready(ConnectionId id);
  bool answer(ConnectionId id, Connection& connection, const pipeline::PendingReply& reply);
  bool greet_back(ConnectionId id, const protocol::ConnectResponse& response);

  // Answers the request that waited for exactly this transaction.
  void answer_origin(const Proposal& proposal);
  void release_waiters();
  void notify(const tree::Applied& applied);
  void touch(const Connection& connection);

  // --- snapshots: replica_snapshots.cpp ---
  void advance_snapshot();

  ReplicaOptions options_;
  ReplicaPorts ports_;
  store::Storage storage_;

  tree::DataTree tree_;
  session::SessionTable sessions_;
  tree::WatchTable watches_;
  tree::Applied applied_;            // reused by every apply
  std::vector<ConnectionId> fired_;  // likewise

  Phase phase_{Phase::starting};
  store::Epochs epochs_{};  // of this reign; durable once phase_ is past starting
  zab::Quorums quorums_;
  std::optional<zab::Broadcast> broadcast_;
  std::deque<Proposal> proposals_;
  std::size_t proposal_bytes_{};
  Bytes record_;  // reused by every proposal

  pipeline::PendingChanges pending_;
  pipeline::Reader reader_;
  session::ExpiryQueue expiry_;
  std::set<SessionId> closing_;      // their end is proposed, so nothing more is accepted from them
  std::uint32_t sessions_opened_{};  // in this epoch

  Connections connections_;
  std::map<SessionId, ConnectionId> attached_;  // where each session is connected now
  std::deque<Waiter> waiters_;                  // ascending by `until`
  std::size_t unanswered_{};

  std::optional<tree::SnapshotWriter> snapshot_;
  std::uint64_t applied_since_snapshot_{};

  std::uint64_t requests_received_{};
  std::uint64_t replies_sent_{};
};

}  // namespace zabfs::replication
