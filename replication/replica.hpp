// One replica: the only loop there is. Events in; bytes for clients and jobs for the disk out.
//
//   frame from a client --> prepare --> propose --> persist --> commit --> apply --> reply, watches
//                              |                                  ^
//                              +-- an error: waits for what it depends on, then replies
//
// The order contract, obeyed here and nowhere else: a transaction is appended to the log and synced
// before it is acknowledged, even to ourselves; committed once a quorum has acknowledged; applied
// in zxid order after that; and only then does a client hear of it. A single replica is an ensemble
// of one voter and goes the same road. A learner sends its clients' writes to the leader, and
// answers them when it applies the transaction itself.
//
// It has no thread, clock, socket or file: the daemon and the simulator run this same object behind
// the ports. All calls come from one thread. Calls into the ports are made from inside these
// functions only.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "replication/model/acl.hpp"
#include "replication/model/bytes.hpp"
#include "replication/model/ensemble.hpp"
#include "replication/model/ids.hpp"
#include "replication/model/limits.hpp"
#include "replication/ports/audit.hpp"
#include "replication/ports/authenticator.hpp"
#include "replication/ports/client_links.hpp"
#include "replication/ports/clock.hpp"
#include "replication/ports/disk.hpp"
#include "replication/ports/entropy.hpp"
#include "replication/ports/peer_links.hpp"
#include "replication/ports/trace.hpp"

namespace zabfs::replication {

struct Inspection;
struct RestorableState;
struct Metrics;

struct ReplicaOptions {
  ServerId id{1};
  Ensemble ensemble{};                                   // to begin with; empty: this server alone
  bool is_reconfigurable{};                              // operators may change it
  std::size_t voters_min{2};                             // of an ensemble they ask for
  std::int64_t peer_timeout_ms{1000};                    // a follower's patience with its leader
  std::int64_t init_timeout_ms{20'000};                  // for a leader to be established
  std::int64_t sync_timeout_ms{10'000};                  // a leader's patience with a follower
  std::size_t history_bytes{limits::history_bytes_max};  // kept for learners that are behind
  std::int64_t tick_ms{2000};                            // granularity of session expiry
  std::int64_t session_timeout_min_ms{4000};             // asked timeouts are clamped to these two
  std::int64_t session_timeout_max_ms{40000};
  // What is applied between two snapshots: transactions at most, and bytes of the log (0: however
  // many). In an ensemble every server draws anew each time how much of that it will be, at least
  // half, so that they do not all write at the same moment.
  std::uint64_t snapshot_every{limits::snapshot_every_transactions};
  std::uint64_t snapshot_log_bytes{limits::snapshot_log_bytes_default};
  std::size_t snapshot_slice_bytes{limits::snapshot_slice_bytes};  // from where a slice ends
  std::size_t snapshot_slice_bytes_max{limits::snapshot_slice_bytes_max};  // whatever is in it
  std::size_t restoration_piece_bytes{limits::restoration_piece_bytes};    // at most that
  std::uint64_t snapshots_kept{3};  // at least limits::snapshots_kept_min
  std::size_t request_bytes_max{limits::request_bytes_in_flight_max};  // unanswered, of all clients
  std::uint64_t log_segment_bytes{limits::log_segment_bytes};
  // Who has proved none of these schemes is not served; empty: all are.
  std::vector<std::string> required_schemes{};
  bool knows_certificates{};  // clients can show some, so ACLs may name them: on every server alike
  bool has_ttl{true};         // znodes with a time to live may be created
  // A leader's care for containers and such znodes: how often it looks, how many it removes in a
  // minute, and for how long a container without any child ever is left alone (0: for good).
  std::int64_t removal_check_ms{limits::removal_check_ms_default};
  std::int64_t removals_per_minute{limits::removals_per_minute_default};
  std::int64_t container_never_used_ms{0};
  bool enforces_quota{false};  // a write that would pass a hard limit fails
  // Transactions of one epoch; then the next begins.
  std::uint32_t epoch_transactions_max{std::numeric_limits<std::uint32_t>::max()};
};

enum class ServerRole { looking, following, observing, leading };

// Numbers for operators; cheap to take.
struct ReplicaStatus {
  bool serving{};
  ServerRole role{};
  Epoch epoch{};                     // of the leader whose history this server has taken over
  std::optional<ServerId> leader{};  // that this server follows, or itself
  std::uint64_t voters{};
  std::uint64_t learners{};         // that are up to date, if this server leads
  std::uint64_t observers{};        // those of them that do not vote
  std::uint64_t learners_behind{};  // that are being brought up to date
  std::int64_t serving_since_ms{};  // on the monotonic clock; 0 while it does not serve
  Zxid ensemble_version{};          // of the configuration in force
  Zxid last_applied{};
  Zxid newest_snapshot{};  // on the disk; 0 if there is none
  std::uint64_t digest{};  // the same on every replica that has applied the same; not of sessions
  std::uint64_t znodes{};
  std::uint64_t ephemerals{};
  std::uint64_t watches{};
  std::uint64_t data_bytes{};
  std::uint64_t sessions{};
  std::uint64_t connections{};
  std::uint64_t requests_outstanding{};
  std::uint64_t writes_outstanding{};  // of those; the others may be reads behind one of them
  std::uint64_t requests_received{};
  std::uint64_t replies_sent{};
};

// The doors of one replica; all outlive it.
struct ReplicaPorts {
  Clock& clock;
  Entropy& entropy;
  const Authenticator& authenticator;
  Disk& disk;
  ClientLinks& clients;
  PeerLinks& peers;
  Trace& trace;
  Metrics* metrics{};  // where it counts; null if nobody wants to know
  Audit* audit{};      // null: nothing is audited
};

class Replica {
 public:
  Replica(const ReplicaOptions& options, const ReplicaPorts& ports);
  ~Replica();
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  // Reads the disk (blocking) and submits what must be durable before serving. Returns the sentence
  // for the operator if the data cannot be trusted; the process must then end. It serves once the
  // disk has reported; see status().serving.
  std::optional<std::string> start();

  // A client connected from `address`, without its port. Connection ids are never reused. `shown`
  // is who it has proved to be by connecting, beside its address.
  void on_connected(ConnectionId connection, std::string address, Identities shown = {});

  // One whole frame of `connection`, without its length. May close the connection through the port.
  void on_frame(ConnectionId connection, ByteView payload);

  // The client's connection is gone. Not called for connections the replica itself closed.
  void on_disconnected(ConnectionId connection);

  // The link to another server is up; bytes may be put into its outbox.
  void on_peer_up(ServerId server);

  // One whole frame of that link, without its length and checksum. May drop the link.
  void on_peer_frame(ServerId server, ByteView payload);

  // The link is gone. Not called for links the replica itself dropped.
  void on_peer_down(ServerId server);

  // Everything submitted to the disk up to `ticket` is done. What waits for the disk stays until
  // on_turn_end().
  void on_disk_done(Ticket ticket);

  // Time passed. Call at least every tick_ms / 4 and peer_timeout_ms / 20; sooner is harmless.
  void on_tick();

  // The events at hand have been handled: what they proposed goes to the disk as one batch. Call it
  // once after each burst of the calls above; nothing is persisted without it. What belongs to one
  // burst is the caller's business.
  void on_turn_end();

  // False while the next frame of `connection` should be left in the socket: it, or all connections
  // together, have too many requests unanswered; or it has `bytes`, which is much, and too much is
  // on its way already. Small requests of others pass it then. Ask again when replies have left.
  bool may_read(ConnectionId connection, std::size_t bytes = 0) const;

  ReplicaStatus status() const;

  // Everything there is to look at; see inspection.hpp. Good until the next event.
  Inspection inspect() const;

  // Has a snapshot written of what is applied by now, or later, if there is none yet;
  // status().newest_snapshot tells when it is on the disk.
  void take_snapshot();

  // Puts a state in the place of the ensemble's, through whoever leads, and calls back when that is
  // applied here, or came to nothing; see restoration.hpp. One at a time: a second one is refused.
  // Whoever destroys the replica will not be called.
  void restore(std::unique_ptr<RestorableState> state,
               std::function<void(const std::variant<Zxid, std::string>&)> done);

  // Begins to count anew what the replica, or each of its connections, has received and answered.
  void reset_counts();
  void reset_conversations();

  // Set once this server's state contradicts the ensemble's: a sentence for the operator. The
  // process must end, without telling anybody anything more.
  const std::optional<std::string>& failure() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace zabfs::replication
