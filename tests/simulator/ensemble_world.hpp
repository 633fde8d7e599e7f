// An ensemble and the whole world around it: servers with disks and clocks, the network between
// them, the connections of clients, and everything that happens to such things.
//
//   kill          the process dies; what it wrote stays visible
//   cut_power     it dies, and what was not synced is up to chance
//   pause         nothing is handled, time goes on; resume: then all of it arrives
//   crash_at      it dies in the moment it records a certain event in its diary
//   stall_disk    no job of its disk is done for a while
//   network()     breaks, replaces, cuts, slows and heals links
//
// Everything is an event of one queue, and every choice comes from one Random: the same options and
// the same calls give the same run. A turn of a replica usually handles one event, sometimes all of
// the next moments, as a loop that is busy does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "replication/restoration.hpp"
#include "tests/simulator/event_queue.hpp"
#include "tests/simulator/sim_connections.hpp"
#include "tests/simulator/sim_network.hpp"
#include "tests/simulator/sim_server.hpp"

namespace zabfs::test {

struct WorldOptions {
  std::uint64_t seed{};
  replication::ReplicaOptions
      replica{};  // `ensemble` says which servers there are; `id` is ignored
  std::vector<replication::ServerId> joiners{};  // further servers: each knows those and itself
  NetworkOptions network{};
  Micros client_delay_max{1 * millisecond};
  Micros disk_job_min{20};
  Micros disk_job_max{300};
  std::uint64_t slow_jobs_of_1000{};  // that take up to `slow_job_max`
  Micros slow_job_max{100 * millisecond};
};

// A process dies when it records an event of this kind for the `countdown`-th time from now on.
struct CrashPoint {
  std::optional<replication::ServerId> server{};  // nullopt: whoever does
  std::size_t kind{};                             // TraceEvent::index()
  std::uint64_t countdown{1};
  bool without_power{};
};

class EnsembleWorld : private SimNetwork::Listener,
                      private SimConnections::Listener,
                      private SimServer::Surroundings {
 public:
  // Who hears what happens. May call anything of the world but in on_trace and on_diary.
  class Observer {
   public:
    virtual ~Observer() = default;
    // The process of `server` begins and will read its disk; on_started: it has.
    virtual void on_starting(replication::ServerId server) = 0;
    virtual void on_started(replication::ServerId server) = 0;
    virtual void on_stopped(replication::ServerId server, bool without_power) = 0;
    virtual void on_trace(replication::ServerId server, const replication::TraceEvent& event) = 0;
    // The data was refused, or the replica says it must stop. It is stopped already.
    virtual void on_failure(replication::ServerId server, const std::string& sentence) = 0;
    // One line of what happened, in order of time.
    virtual void on_diary(const std::string& line) = 0;
    // False if lines need not be made.
    virtual bool wants_diary() const = 0;
  };

  // `observer` outlives the world. No server runs yet.
  EnsembleWorld(const WorldOptions& options, Observer& observer);
  EnsembleWorld(const EnsembleWorld&) = delete;
  EnsembleWorld& operator=(const EnsembleWorld&) = delete;

  // --- servers; what is asked of one that is not in the state for it is left undone ---
  void start(replication::ServerId server);
  void kill(replication::ServerId server) { stop(server, false); }
  void cut_power(replication::ServerId server) { stop(server, true); }
  void pause(replication::ServerId server);
  void resume(replication::ServerId server);
  void crash_at(const CrashPoint& point) { crash_points_.push_back(point); }
  void crash_after_disk_jobs(replication::ServerId server, std::uint64_t jobs, bool without_power);
  void stall_disk(replication::ServerId server, Micros how_long);
  void forget_crash_points();

  // An operator gives the server a state for the whole ensemble; one that does not run hears
  // nothing of it.
  void restore(replication::ServerId server, std::unique_ptr<replication::RestorableState> state,
               const replication::RestorationDone& done);

  const std::vector<replication::ServerId>& servers() const { return ids_; }
  const replication::Ensemble& ensemble() const { return options_.replica.ensemble; }
  const replication::Member& member(replication::ServerId server) const;
  const SimServer& server(replication::ServerId server) const { return at(server).server; }
  SimDisk& disk(replication::ServerId server) { return at(server).server.disk(); }
  bool is_running(replication::ServerId server) const { return at(server).server.is_running(); }
  bool is_paused(replication::ServerId server) const { return at(server).is_paused; }
  bool is_serving(replication::ServerId server) const;

  SimNetwork& network() { return network_; }
  SimConnections& connections() { return connections_; }
  EventQueue& events() { return events_; }
  replication::Random& chance() { return chance_; }

  // --- time ---
  Micros now() const override { return events_.now(); }
  std::uint64_t handled() const { return events_.handled(); }
  void step() { events_.step(); }
  void run_for(Micros how_long);

  // Until `condition`, which is asked after every event; false if it is not so within `at_most`.
  bool run_until(const std::function<bool()>& condition, Micros at_most);

  // A line for the diary, made only if somebody wants it.
  template <class... Parts>
  void note(const Parts&... parts) {
    if (observer_.wants_diary()) {
      std::ostringstream line;
      line << events_.now() << "us ";
      ((line << parts), ...);
      observer_.on_diary(line.str());
    }
  }

 private:
  struct Place {
    Place(const replication::ReplicaOptions& options, std::uint64_t seed,
          SimServer::Surroundings& surroundings)
        : server(options, seed, surroundings) {}

    SimServer server;
    bool is_paused{};
    bool is_turn_open{};
    bool is_disk_busy{};
    bool dies_without_power{};  // how ProcessDied ends it
    Micros disk_stalled_until{};
    std::uint64_t jobs_until_crash{};         // 0: none planned
    bool crash_without_power{};               // of that one
    std::vector<replication::Ticket> done{};  // of the disk, not yet told
  };

  Place& at(replication::ServerId server) { return *places_.at(server); }
  const Place& at(replication::ServerId server) const { return *places_.at(server); }

  void stop(replication::ServerId server, bool without_power);
  void turn(replication::ServerId server, const std::function<void(replication::Replica&)>& event);
  void end_turn(replication::ServerId server);
  void send_outcome(replication::ServerId server);
  void plan_tick(replication::ServerId server, std::uint64_t life);
  void plan_disk(replication::ServerId server);
  void do_disk_job(replication::ServerId server);

  void on_peer_up(replication::ServerId at, replication::ServerId peer) override;
  void on_peer_frame(replication::ServerId at, replication::ServerId peer,
                     replication::ByteView payload) override;
  void on_peer_down(replication::ServerId at, replication::ServerId peer) override;
  bool know_each_other(replication::ServerId one, replication::ServerId other) const override;
  void on_client_connected(replication::ServerId at, replication::ConnectionId id) override;
  void on_client_frame(replication::ServerId at, replication::ConnectionId id,
                       replication::ByteView payload) override;
  void on_client_gone(replication::ServerId at, replication::ConnectionId id) override;
  bool may_read(replication::ServerId at, replication::ConnectionId id) const override;
  bool is_peer_up(replication::ServerId at, replication::ServerId peer) const override;
  std::size_t unsent(replication::ServerId from, replication::ServerId to) const override;
  void drop_peer(replication::ServerId at, replication::ServerId peer) override;
  void on_client_refused(replication::ConnectionId id) override { connections_.refuse(id); }
  void on_trace(replication::ServerId at, const replication::TraceEvent& event) override;

  const WorldOptions options_;
  Observer& observer_;
  replication::Random chance_;
  EventQueue events_;
  std::vector<replication::ServerId> ids_;
  SimNetwork network_;
  SimConnections connections_;
  std::map<replication::ServerId, std::unique_ptr<Place>> places_;
  std::vector<CrashPoint> crash_points_;
};

}  // namespace zabfs::test
