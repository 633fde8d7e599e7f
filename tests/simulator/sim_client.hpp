// A client of the simulated ensemble: it opens a session, pipelines requests, loses and closes
// connections, moves to other servers with the last zxid it has seen, comes back with its password,
// watches, goes silent, and tells the checkers everything it was told.
//
//   /r0 /r1 ...   registers, set with and without a condition, read with watches
//   /s            sequential znodes
//   /e            ephemeral znodes, and /e/lock, which only one session can have
//   /w            numbered znodes, each connection its own stem: none of them may be left out
//   /c            containers, which may go when their only child is gone and not before
//   /t            znodes with a time to live: one that is over soon, or only behind the end of time
//
// What it checks itself is what only the listener of one connection can see:
//
//   SessionFifo      zxids of answers never go back, also over connections; replies come in order
//   WatchOrder       nothing newer than a watched version is shown before the watch event
//   WatchCompleteness  see persistent_watches.hpp
//   Integrity        no answer states a zxid that nobody has delivered
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/simulator/checkers/ensemble_checkers.hpp"
#include "tests/simulator/ensemble_world.hpp"
#include "tests/simulator/persistent_watches.hpp"
#include "tests/support/wire_client.hpp"

namespace zabfs::test {

// How often a client does what: weights, unless the name says otherwise.
struct ClientOptions {
  Micros think_max{20 * millisecond};  // between two bursts of requests
  std::uint64_t burst_max{6};          // requests sent together
  std::int32_t timeout_ms{6000};       // of its sessions
  std::uint64_t registers{4};          // how many there are
  std::uint64_t value_bytes_max{40};
  std::uint64_t sets{10};
  std::uint64_t multis{4};
  std::uint64_t sequentials{4};
  std::uint64_t ephemerals{3};
  std::uint64_t numbered{6};
  std::uint64_t locks{2};
  std::uint64_t reads{8};
  std::uint64_t synced_reads{6};
  std::uint64_t watches{5};
  std::uint64_t acls{};        // of registers, set to what they are
  std::uint64_t containers{};  // made, and emptied
  std::uint64_t ttls{};
  std::uint64_t persistent_watches{2};
  std::uint64_t moves_of_1000{};     // bursts before which it changes to another server
  std::uint64_t closes_of_1000{};    // bursts before which it closes its session
  std::uint64_t silences_of_1000{};  // bursts before which it goes silent
};

class SimClient : private ClientTransport {
 public:
  // All but the options outlive the client.
  SimClient(int index, const ClientOptions& options, EnsembleWorld& world,
            EnsembleCheckers& checkers, Findings& findings);
  SimClient(const SimClient&) = delete;
  SimClient& operator=(const SimClient&) = delete;

  // Begins to act, and goes on until rest().
  void start();

  // From now on it talks to this server only.
  void pin(replication::ServerId server);

  // From now on it writes one register at a time, and nothing more once that was acknowledged.
  void write_sparingly() { is_sparing_ = true; }

  // No more load: once what it asked is answered, it reads every register behind a sync, and then
  // only keeps its session.
  void rest() { is_resting_ = true; }
  bool has_rested() const { return has_rested_; }

  // Writes that were acknowledged to it.
  std::uint64_t writes() const { return writes_; }
  std::uint64_t replies() const { return replies_; }

 private:
  struct Asked {
    replication::protocol::Request request{};
    Micros sent{};
    replication::Zxid floor{};         // acknowledged to anybody when it was sent
    replication::Zxid synced_floor{};  // a read behind a sync: the floor of that
    bool takes_lock{};
  };

  // --- ClientTransport ---
  replication::ConnectionId connect() override;
  void deliver(replication::ConnectionId connection, replication::ByteView payload) override;
  void disconnect(replication::ConnectionId connection) override;
  bool is_open(replication::ConnectionId connection) const override;
  replication::Bytes take_sent(replication::ConnectionId connection) override;

  // --- what it does ---
  void plan_act();
  void act();
  void act_connected();
  void move_on();
  void open_connection();
  void write_one();
  void burst();
  void set_up();
  void read_everything();
  void ask(replication::protocol::Request request);
  void ask_one();
  void ask_set();
  void ask_multi();
  void ask_sequential();
  void ask_ephemeral();
  void ask_numbered();
  void ask_lock();
  void ask_read(bool is_synced, bool is_watching);
  void ask_acl();
  void ask_container();
  void ask_ttl();
  void ask_persistent_watch();
  void ask_watches_again();
  std::string register_path();
  replication::Bytes value();

  // --- what it hears ---
  void listen();
  void on_greeting(const replication::protocol::ConnectResponse& response);
  void on_reply(const Reply& reply);
  void on_notice(const Notice& notice);
  void on_closed();
  void on_error(const Asked& asked, const Reply& reply);
  void on_success(const Asked& asked, replication::Zxid at,
                  const replication::protocol::Response& response);
  void on_written(const Asked& asked, replication::Zxid at,
                  const replication::protocol::Response& response);
  void on_created(const Asked& asked, replication::Zxid at, std::int32_t flags,
                  const std::string& path);
  void on_multi(const Asked& asked, replication::Zxid at,
                const replication::protocol::MultiResponse& response);
  void on_watching(const replication::protocol::Request& request, replication::Zxid at);
  void on_no_watcher(const replication::protocol::Request& request);
  void on_data(const Asked& asked, replication::Zxid at,
               const replication::protocol::GetDataRequest& request,
               const replication::protocol::GetDataResponse& response);
  void see(replication::Zxid zxid);
  void forget_session();

  const int index_;
  const ClientOptions options_;
  EnsembleWorld& world_;
  EnsembleCheckers& checkers_;
  Findings& findings_;
  replication::Random chance_;
  WireClient wire_;
  std::optional<replication::ServerId> pinned_{};
  replication::ServerId server_{};
  replication::protocol::ConnectResponse session_{};  // 0 if none
  bool is_greeted_{};
  bool is_closing_{};
  bool is_setting_up_{};  // on this connection
  bool is_set_up_{};
  bool is_sparing_{};
  bool is_resting_{};
  bool is_reading_everything_{};
  bool has_rested_{};
  bool has_lock_{};
  replication::Zxid lock_taken_{};
  Micros heard_{};
  Micros connected_{};
  Micros silent_until_{};
  replication::Zxid seen_{};
  replication::Zxid synced_floor_{};
  std::uint64_t connections_{};
  std::uint64_t numbered_{};  // on this connection
  std::uint64_t named_{};     // values and names it made up so far
  std::uint64_t writes_{};
  std::uint64_t replies_{};
  std::deque<Asked> asked_{};
  std::deque<Micros> pings_{};                          // when they were sent
  std::map<std::string, replication::Zxid> watched_{};  // the version at which each was set
  PersistentWatches persistent_;
};

}  // namespace zabfs::test
