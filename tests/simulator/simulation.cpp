#include "tests/simulator/simulation.hpp"

#include <algorithm>
#include <utility>

#include "replication/rebuild.hpp"
#include "tests/simulator/checkers/voting_power.hpp"

namespace zabfs::test {

using namespace replication;

namespace {

// What was just committed is looked for on the disks after each crash, when a leader is
// established, and once in so many transactions.
constexpr std::size_t deliveries_between_checks = 50;

// Epochs that a few clients' load uses up as fast as leaders are elected.
bool has_tiny_epochs(const Swarm& swarm) {
  return swarm.world.replica.epoch_transactions_max < 1000;
}

// How much of a session's time may go unheard: the clocks' drift, and answers of a server whose
// leader does not hear it any more.
Micros session_tolerance(const Swarm& swarm) {
  return 4 * swarm.world.replica.peer_timeout_ms * millisecond + 300 * millisecond;
}

}  // namespace

SimulationTotals& SimulationTotals::operator+=(const SimulationTotals& other) {
  worlds += other.worlds;
  virtual_time += other.virtual_time;
  steps += other.steps;
  starts += other.starts;
  crashes += other.crashes;
  elections += other.elections;
  transactions += other.transactions;
  truncations += other.truncations;
  replacements += other.replacements;
  replies += other.replies;
  sessions_ended += other.sessions_ended;
  configurations += other.configurations;
  restores += other.restores;
  return *this;
}

std::ostream& operator<<(std::ostream& out, const SimulationTotals& totals) {
  return out << totals.worlds << " worlds, " << totals.virtual_time / second << " virtual seconds, "
             << totals.steps << " steps, " << totals.starts << " starts, " << totals.crashes
             << " crashes, " << totals.elections << " elections, " << totals.transactions
             << " transactions, " << totals.truncations << " truncations, " << totals.replacements
             << " replaced histories, " << totals.replies << " replies, " << totals.sessions_ended
             << " sessions ended, " << totals.configurations << " configurations, "
             << totals.restores << " restores";
}

Simulation::Simulation(const Swarm& swarm, Diary diary)
    : swarm_(swarm),
      diary_(std::move(diary)),
      findings_([this](const std::string& sentence) {
        if (diary_) {
          diary_("FOUND " + sentence);
        }
      }),
      checkers_(findings_, session_tolerance(swarm), swarm.world.replica.ensemble),
      world_(swarm.world, *this),
      faults_(swarm.faults, world_) {
  if (swarm_.is_reconfigured) {
    operator_ = std::make_unique<SimOperator>(swarm_.operating, world_);
  }
  if (swarm_.restores_after > 0) {
    restorer_ = std::make_unique<SimRestorer>(swarm_.restores_after, world_);
  }
  for (std::uint64_t i = 0; i < swarm_.clients; ++i) {
    clients_.push_back(std::make_unique<SimClient>(static_cast<int>(i), swarm_.client, world_,
                                                   checkers_, findings_));
  }
}

void Simulation::run() {
  run_safety();
  if (findings_.empty()) {
    run_liveness();
  }
}

SimulationTotals Simulation::totals() const {
  SimulationTotals totals = totals_;
  totals.worlds = 1;
  totals.virtual_time = world_.now();
  totals.steps = world_.handled();
  totals.transactions = checkers_.prefix.history().size();
  totals.sessions_ended = checkers_.sessions.closed();
  totals.configurations = checkers_.configurations.count();
  totals.restores = checkers_.restorations.count();
  for (const auto& client : clients_) {
    totals.replies += client->replies();
  }
  return totals;
}

void Simulation::run_safety() {
  for (const ServerId server : world_.servers()) {
    world_.start(server);
  }
  for (auto& client : clients_) {
    client->start();
  }
  faults_.start();
  if (operator_) {
    operator_->start();
  }
  if (restorer_) {
    restorer_->start();
  }
  while (findings_.empty() && world_.events().handled() < swarm_.steps) {
    world_.step();
    if (std::exchange(wants_durability_check_, false)) {
      check_durability("after an event");
    }
  }
}

// --- liveness ---

// A minority of the voters may stay away, if the others are a quorum without them.
std::vector<ServerId> Simulation::draw_left_out() {
  std::vector<ServerId> left_out;
  if (operator_) {
    return draw_departed();
  }
  if (draw(world_.chance(), 300)) {
    for (std::uint64_t i = 1; i <= (swarm_.voters - 1) / 2; ++i) {
      left_out.push_back(world_.servers()[world_.chance().below(swarm_.voters)]);
    }
  }
  const auto stays = [&](ServerId id) { return std::ranges::find(left_out, id) == left_out.end(); };
  if (!are_quorum(world_.ensemble(), stays)) {
    left_out.clear();
  }
  return left_out;
}

// Who is told that the ensemble has changed may switch off for good whoever is not in it.
std::vector<ServerId> Simulation::draw_departed() {
  std::vector<ServerId> departed;
  if (operator_->told() && operator_->is_answered() && draw(world_.chance(), 500)) {
    const auto needed = checkers_.configurations.members_since(*operator_->told());
    for (const ServerId server : world_.servers()) {
      if (!needed.contains(server)) {
        departed.push_back(server);
      }
    }
  }
  return departed;
}

std::vector<ServerId> Simulation::live() const {
  std::vector<ServerId> running;
  for (const ServerId server : world_.servers()) {
    if (world_.is_running(server)) {
      running.push_back(server);
    }
  }
  return running;
}

bool Simulation::reach(const std::function<bool()>& condition, const char* what) {
  const Micros at_most = 30 * second + 2 * swarm_.world.replica.init_timeout_ms * millisecond +
                         4 * swarm_.client.timeout_ms * millisecond;
  const Micros began = world_.now();
  const bool is_reached =
      world_.run_until([&] { return !findings_.empty() || condition(); }, at_most);
  world_.note(what, is_reached ? ": after " : ": not within ", world_.now() - began, " us");
  if (!is_reached) {
    findings_.add("Liveness", "not within ", at_most / second, " seconds: ", what);
  }
  return findings_.empty();
}

void Simulation::run_liveness() {
  world_.note("the disasters are over");
  if (operator_) {
    operator_->rest();
  }
  if (restorer_) {
    restorer_->rest();
  }
  faults_.calm(draw_left_out());
  for (auto& client : clients_) {
    client->rest();  // where epochs are tiny, load alone could use up one after another
  }
  const auto all_serve = [this] {
    return std::ranges::all_of(live(), [this](ServerId id) { return world_.is_serving(id); });
  };
  if (!reach(all_serve, "every live server serves")) {
    return;
  }
  probe_every_server();
  const auto has_rested = [](const auto& client) { return client->has_rested(); };
  if (findings_.empty() &&
      reach([&] { return std::ranges::all_of(clients_, has_rested); },
            "every client has read what it can") &&
      reach([this] { return are_equal(); }, "all live servers are in the same state")) {
    check_end();
  }
}

// A fresh client writes at every live server.
void Simulation::probe_every_server() {
  std::vector<SimClient*> probes;
  for (const ServerId server : live()) {
    clients_.push_back(std::make_unique<SimClient>(static_cast<int>(clients_.size()), swarm_.client,
                                                   world_, checkers_, findings_));
    clients_.back()->pin(server);
    if (has_tiny_epochs(swarm_)) {
      clients_.back()->write_sparingly();
    }
    clients_.back()->start();
    probes.push_back(clients_.back().get());
  }
  const auto has_written = [](const SimClient* probe) { return probe->writes() > 0; };
  if (!reach([&] { return std::ranges::all_of(probes, has_written); },
             "a fresh write succeeds at every live server")) {
    return;
  }
  for (SimClient* probe : probes) {
    probe->rest();
  }
}

bool Simulation::are_equal() const {
  const auto running = live();
  const auto first = world_.server(running.front()).replica().status();
  return std::ranges::all_of(running, [&](ServerId id) {
    const auto status = world_.server(id).replica().status();
    return status.last_applied == first.last_applied && status.digest == first.digest;
  });
}

void Simulation::check_end() {
  check_durability("in the end");
  checkers_.registers.check();
  const ServerId server = live().front();
  const SimDisk& disk = world_.server(server).disk();
  tree::DataTree tree;
  session::SessionTable sessions;
  Rebuild rebuild(tree, sessions);
  const auto recovered =
      store::recover_directory(disk, world_.server(server).options().snapshots_kept, rebuild);
  if (!recovered) {
    findings_.add("ProcessConsistency", "in the end, the data of server ", server,
                  " is refused: ", recovered.error().sentence);
    return;
  }
  // The load has ended, but a leader goes on removing znodes whose time is over.
  const auto status = world_.server(server).replica().status();
  for (const auto& [zxid, payload] : recovered->recovery.tail) {
    if (zxid <= status.last_applied) {
      rebuild.on_entry(zxid, payload);
    }
  }
  if (const auto refusal = rebuild.finish()) {
    findings_.add("ProcessConsistency", *refusal);
    return;
  }
  if (tree.digest() != status.digest || tree.digest() != tree.recomputed_digest()) {
    findings_.add("ProcessConsistency", "the tree of server ", server,
                  " is not what its snapshot and log make");
  }
  checkers_.znodes.check(tree, sessions);
}

void Simulation::check_durability(const char* when) {
  std::vector<CommittedLogDurability::Server> servers;
  for (const ServerId server : world_.servers()) {
    servers.push_back({.id = server, .disk = &world_.server(server).disk()});
  }
  checkers_.durability.check(checkers_.configurations.newest(), servers, when);
}

// --- what happens ---

void Simulation::on_starting(ServerId server) {
  ++totals_.starts;
  checkers_.on_starting(server, world_.server(server).disk());
}

void Simulation::on_started(ServerId server) {
  checkers_.on_started(server, world_.server(server).replica().status().last_applied);
}

void Simulation::on_stopped(ServerId server, bool /*without_power*/) {
  ++totals_.crashes;
  wants_durability_check_ = true;
  faults_.plan_restart(server);
}

void Simulation::on_trace(ServerId server, const TraceEvent& event) {
  totals_.elections += std::holds_alternative<LeadershipBegan>(event) ? 1U : 0U;
  totals_.truncations += std::holds_alternative<HistoryTruncated>(event) ? 1U : 0U;
  totals_.replacements += std::holds_alternative<HistoryReplaced>(event) ? 1U : 0U;
  checkers_.on_trace(server, event, world_.now(), world_.server(server).disk());
  checkers_.configurations.on_trace(server, event, [this](ServerId id, Zxid zxid) {
    return read_log(world_.server(id).disk().durable_copy()).end() >= zxid;
  });
  const bool is_sample = std::holds_alternative<Delivered>(event) &&
                         checkers_.prefix.history().size() % deliveries_between_checks == 0;
  wants_durability_check_ =
      wants_durability_check_ || is_sample || std::holds_alternative<LeadershipBegan>(event);
}

void Simulation::on_failure(ServerId server, const std::string& sentence) {
  findings_.add("ProcessConsistency", "server ", server, " gives up: ", sentence);
}

}  // namespace zabfs::test
