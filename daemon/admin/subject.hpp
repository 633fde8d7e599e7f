// The server as operators see it: what they may ask about it, and the little that they may do.
//
// Four-letter words, the commands over HTTP and the metrics all ask this one object, so that they
// cannot contradict each other. Everything is of the moment it is asked for.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "replication/inspection.hpp"
#include "replication/model/acl.hpp"
#include "replication/model/bytes.hpp"
#include "replication/model/metrics.hpp"
#include "replication/replica.hpp"
#include "replication/restoration.hpp"

namespace zabfs::daemon::admin {

struct ClientFacts {
  replication::ConnectionId id{};
  std::string endpoint{};  // "127.0.0.1:40312"
  bool is_read_from{};
  std::uint64_t unanswered{};
  std::uint64_t received{};
  std::uint64_t sent{};
  std::int64_t since_ms{};  // on the wall clock
};

// One server of the ensemble, as the configuration in force has it.
struct MemberFacts {
  replication::ServerId id{};
  std::string host{};
  std::uint16_t port{};
  std::uint16_t election_port{};
  bool is_observer{};
  std::string client_address{};  // "host:port"; empty if it is not known
};

// How the server was configured, and who the others are by now.
struct Settings {
  std::string address{};  // that clients connect to
  std::uint16_t client_port{};
  int secure_client_port{-1};
  std::string data_directory{};
  std::string log_directory{};
  std::int64_t tick_ms{};
  std::size_t connections_per_address_max{};
  std::int64_t session_timeout_min_ms{};
  std::int64_t session_timeout_max_ms{};
  int listen_backlog{};
  std::int64_t server_id{};
  std::int64_t init_ticks{};
  std::int64_t sync_ticks{};
  std::vector<MemberFacts> members{};  // empty: a server alone
  replication::Zxid ensemble_version{};
  std::string text{};  // the file, as it was read at the start
};

struct Facts {
  replication::ReplicaStatus replica{};
  std::string version{};
  std::string host{};
  std::int64_t uptime_ms{};
  std::int64_t now_ms{};   // on the monotonic clock
  std::int64_t wall_ms{};  // at the same moment
  bool is_standalone{};    // a server alone, not one of an ensemble
};

// What an operator has proved to be.
enum class Standing { nobody, somebody, master };  // a master has every permission on "/"

// A whole snapshot on the disk.
struct SnapshotFile {
  std::string path{};
  replication::Zxid zxid{};
  std::uint64_t bytes{};
};

class Subject {
 public:
  virtual ~Subject() = default;

  virtual Facts facts() const = 0;
  virtual const Settings& settings() const = 0;
  virtual const replication::Metrics& metrics() const = 0;
  virtual replication::Inspection inspect() const = 0;

  // The connections that are open, at most `count`; and how many there are.
  virtual std::vector<ClientFacts> clients(std::size_t count) const = 0;
  virtual std::size_t client_count() const = 0;

  // Operators begin to count anew: of the server, of every connection.
  virtual void reset_counts() = 0;
  virtual void reset_conversations() = 0;

  // Of who shows a credential under a scheme, from an address.
  virtual Standing standing(std::string_view scheme, const replication::Data& credential,
                            const std::string& address) const = 0;

  // Has a snapshot written of what is applied by now, or later, and calls back once it is on the
  // disk; with nothing if there is nothing to write, or the server stops serving before.
  using SnapshotTaken = std::function<void(const std::optional<SnapshotFile>&)>;
  virtual void take_snapshot(SnapshotTaken taken) = 0;

  // Puts the state of a snapshot, given as the bytes of its file, in the place of the whole
  // ensemble's (replication/restoration.hpp), and calls back with its zxid once that is durable and
  // applied here; or with a sentence if nothing came of it. Returns a sentence, and will not call,
  // if the bytes are no such snapshot.
  virtual std::optional<std::string> restore(replication::ByteView snapshot,
                                             replication::RestorationDone done) = 0;
};

}  // namespace zabfs::daemon::admin
