// An ensemble for tests that tell one story: who is leader, what happens to whom, and what clients
// are told. All checkers look on; the running test fails with what they find, and with the diary's
// last lines.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulator/checkers/ensemble_checkers.hpp"
#include "tests/simulator/ensemble_world.hpp"
#include "tests/support/wire_client.hpp"

namespace zabfs::test {

class ScenarioWorld : private EnsembleWorld::Observer {
 public:
  // Long enough for whatever should happen at all.
  static constexpr Micros patience = 60 * second;

  // Servers 1, 2, ... vote; observers come after them. `options` may say anything else.
  ScenarioWorld(std::uint64_t voters, std::uint64_t observers = 0, std::uint64_t seed = 1,
                const std::function<void(WorldOptions&)>& change = nullptr);
  ~ScenarioWorld() override;
  ScenarioWorld(const ScenarioWorld&) = delete;
  ScenarioWorld& operator=(const ScenarioWorld&) = delete;

  EnsembleWorld& world() { return *world_; }
  SimNetwork& network() { return world_->network(); }
  const std::vector<replication::ServerId>& servers() const { return world_->servers(); }

  // --- who is who ---
  void start_all();

  // The established leader of the highest epoch that is running; waits for one that serves.
  replication::ServerId leader();
  std::optional<replication::ServerId> leader_now() const;

  // A voter that follows, and serves; waits for it.
  replication::ServerId follower();
  void wait_until_serving(replication::ServerId server);
  void wait_until_all_serve();
  void wait(const std::function<bool()>& condition, const char* what);
  void run_for(Micros how_long) { world_->run_for(how_long); }

  // --- disasters ---
  void isolate(replication::ServerId server);
  void heal();

  // Every live server serves, takes a write, and is in the state of the others; what was delivered
  // is durable on a majority.
  void expect_one_history();

  // How often an event of this type was recorded, by all or by one.
  template <class Event>
  std::uint64_t count(replication::ServerId server) const {
    const auto found = counts_.find({server, replication::TraceEvent(Event{}).index()});
    return found == counts_.end() ? 0 : found->second;
  }
  template <class Event>
  std::uint64_t count() const {
    std::uint64_t all = 0;
    for (const auto server : world_->servers()) {
      all += count<Event>(server);
    }
    return all;
  }

  EnsembleCheckers& checkers() { return checkers_; }
  const std::vector<std::string>& refusals() const { return refusals_; }

  // From now on a server that gives up is what the test expects.
  void expect_refusals() { are_refusals_expected_ = true; }

 private:
  void on_starting(replication::ServerId server) override;
  void on_started(replication::ServerId server) override;
  void on_stopped(replication::ServerId server, bool without_power) override;
  void on_trace(replication::ServerId server, const replication::TraceEvent& event) override;
  void on_failure(replication::ServerId server, const std::string& sentence) override;
  void on_diary(const std::string& line) override;
  bool wants_diary() const override { return true; }

  bool takes_a_write(replication::ServerId server);
  void check_durability();

  Findings findings_;
  EnsembleCheckers checkers_;
  std::unique_ptr<EnsembleWorld> world_;
  std::map<replication::ServerId, replication::Epoch> leads_;
  std::map<std::pair<replication::ServerId, std::size_t>, std::uint64_t> counts_;
  std::vector<std::string> refusals_;
  std::deque<std::string> diary_;  // the last lines
  bool are_refusals_expected_{};
};

// A client of a scenario that waits for its answers. It stays with one server until it is moved.
class ScenarioClient : private ClientTransport {
 public:
  // `scenario` outlives the client.
  explicit ScenarioClient(ScenarioWorld& scenario, std::int32_t timeout_ms = 10'000)
      : scenario_(scenario), timeout_ms_(timeout_ms), wire_(*this) {}

  // Opens a session there, or comes back to it. False if it is told that its session is over, or
  // hears nothing.
  bool connect(replication::ServerId server);
  void hang_up() { wire_.disconnect(); }

  // Nullopt if the connection ends first or nothing comes within `at_most`.
  std::optional<Reply> ask(const replication::protocol::Request& request,
                           Micros at_most = ScenarioWorld::patience);

  // Sends and waits for nothing.
  void send(const replication::protocol::Request& request) { wire_.ask(request); }

  // What has come without being waited for.
  std::vector<Heard> hear() { return wire_.hear(); }

  // The zxid of the write, or nullopt if it was not acknowledged.
  std::optional<replication::Zxid> create(const std::string& path, std::int32_t flags = 0,
                                          const std::string& value = "");
  std::optional<replication::Zxid> set(const std::string& path, const std::string& value);

  // The value, behind a sync if asked for; nullopt if there is none or no answer.
  std::optional<std::string> read(const std::string& path, bool behind_sync);

  replication::SessionId session() const { return {session_.session_id}; }
  bool is_open() const { return wire_.is_open(); }

 private:
  replication::ConnectionId connect() override;
  void deliver(replication::ConnectionId connection, replication::ByteView payload) override;
  void disconnect(replication::ConnectionId connection) override;
  bool is_open(replication::ConnectionId connection) const override;
  replication::Bytes take_sent(replication::ConnectionId connection) override;

  std::optional<replication::Zxid> written(const replication::protocol::Request& request);

  ScenarioWorld& scenario_;
  const std::int32_t timeout_ms_;
  WireClient wire_;
  replication::ServerId server_{};
  replication::protocol::ConnectResponse session_{};
  replication::Zxid seen_{};
};

}  // namespace zabfs::test
