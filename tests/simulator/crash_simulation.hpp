// A replica's life under load and disaster, drawn from one seed, against the model.
//
//   start  -->  clients connect, come back, ask (pipelined); the disk works job by job; time
//   passes,
//     ^         sessions expire                                                          |
//     +---------------- kill -9, or the power fails and tears what was not synced --------+
//
// What is held against the model, all the time and after every start:
//
//   every reply         exactly what the model says, at the zxid its header states
//   order               replies in the order of the requests; zxids of one client never go back
//   durability          nothing that anybody has heard of is gone; what is gone is the end of
//   history the whole state     every znode, every Stat, every session; the tree's digest,
//   recomputed too epochs              every one is above all before it
//
// A finding fails the running test. The same seed and options give the same diary.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "replication/ports/random.hpp"
#include "tests/simulator/model.hpp"
#include "tests/simulator/workload.hpp"
#include "tests/support/replica_world.hpp"
#include "tests/support/wire_client.hpp"

namespace zabfs::test {

class CrashSimulation {
 public:
  struct Options {
    std::uint64_t seed{};
    std::uint32_t epoch_transactions_max{};
    std::uint64_t events_max{};       // between two crashes
    std::uint64_t znodes_at_first{};  // created before the first event
  };

  // What happened, so that a test can ask whether anything did.
  struct Totals {
    std::uint64_t rounds{};
    std::uint64_t replies{};
    std::uint64_t histories_cut{};  // by a crash, behind what anybody had heard of
    std::uint64_t sessions_expired{};
    std::uint64_t snapshots{};
    std::uint64_t epochs_begun{};
  };

  explicit CrashSimulation(const Options& options);

  // From a start to a crash. Nothing more is done once the test has failed.
  void run_round();

  const Totals& totals() const { return totals_; }

  // Everything that was recorded and heard, as text.
  const std::string& diary() const { return diary_; }

 private:
  // What the next reply of a connection has to be.
  struct Expected {
    replication::protocol::Request request{};
    bool is_read{};
    Model::Outcome outcome{};        // of a write
    replication::Zxid not_before{};  // the least zxid its header may state
  };

  struct Client {
    explicit Client(ReplicaWorld& world) : wire(world) {}

    WireClient wire;
    replication::protocol::ConnectResponse session{};  // 0 if none
    std::size_t opening{};  // of the model's sessions, while the answer to the handshake is awaited
    bool is_greeted{};
    bool may_be_closed{};            // its session has ended, or the epoch has
    std::int64_t silent_until_ms{};  // it asks nothing before
    replication::Zxid seen{};        // the highest zxid it was told
    replication::Zxid written{};     // its last write
    std::deque<Expected> expected{};
  };

  // --- starts and crashes ---
  void start_until_serving();
  void start();
  void settle();
  void settle_and_compare();
  void crash();
  void on_trace(const replication::TraceEvent& event);
  void on_recovered(replication::Zxid last);
  void expect_state(replication::Zxid last);
  void expect_sessions(const std::map<replication::SessionId, std::int32_t>& found);

  // --- load ---
  void fill();
  void one_event();
  void connect(Client& client);
  void ask_something(Client& client);
  void ask_write(Client& client, const replication::protocol::Request& request);
  void ask_read(Client& client, const replication::protocol::Request& request);
  void close_session(Client& client);
  void let_time_pass();
  bool is_used_up() const;
  bool has_ended(const Client& client);

  // --- what comes back ---
  void listen();
  void on_heard(Client& client, const Heard& heard);
  void on_greeting(Client& client, const replication::protocol::ConnectResponse& response);
  void on_reply(Client& client, const Reply& reply);
  void on_closed(Client& client);
  void expect_reply(const Expected& expected, const Reply& reply);

  void touch(replication::SessionId session, std::int64_t timeout_ms);

  const Options options_;
  replication::Random chance_;
  replication::ReplicaOptions replica_options_;
  ReplicaWorld world_;
  Model model_;
  Workload workload_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::map<replication::SessionId, std::int64_t> deadlines_;  // of sessions that are heard of
  replication::Epoch epoch_{};
  replication::Zxid heard_{};  // the highest zxid that anybody was told
  Totals totals_;
  std::string diary_;
};

}  // namespace zabfs::test
