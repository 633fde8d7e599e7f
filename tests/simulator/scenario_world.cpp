#include "tests/simulator/scenario_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "tests/simulator/checkers/durable_log.hpp"

namespace zabfs::test {

using namespace replication;
using namespace replication::protocol;

namespace {

constexpr std::size_t diary_lines = 60;

WorldOptions options_of(std::uint64_t voters, std::uint64_t observers, std::uint64_t seed,
                        const std::function<void(WorldOptions&)>& change) {
  WorldOptions options{.seed = seed};
  for (std::uint64_t i = 1; i <= voters + observers; ++i) {
    options.replica.ensemble.members.push_back(
        {.id = ServerId{static_cast<std::int64_t>(i)}, .is_observer = i > voters});
  }
  options.replica.peer_timeout_ms = 400;
  options.replica.init_timeout_ms = 4000;
  options.replica.tick_ms = 500;
  options.replica.session_timeout_min_ms = 1000;
  options.replica.log_segment_bytes = 16 << 10;
  if (change) {
    change(options);
  }
  return options;
}

}  // namespace

ScenarioWorld::ScenarioWorld(std::uint64_t voters, std::uint64_t observers, std::uint64_t seed,
                             const std::function<void(WorldOptions&)>& change)
    : checkers_(findings_, 3 * second,
                options_of(voters, observers, seed, change).replica.ensemble) {
  Observer& observer = *this;
  world_ = std::make_unique<EnsembleWorld>(options_of(voters, observers, seed, change), observer);
}

ScenarioWorld::~ScenarioWorld() {
  for (const auto& sentence : findings_.sentences()) {
    ADD_FAILURE() << sentence;
  }
  if (testing::Test::HasFailure()) {
    std::cout << "the last lines of the diary:\n";
    for (const auto& line : diary_) {
      std::cout << "  " << line << '\n';
    }
  }
}

// --- who is who ---

void ScenarioWorld::start_all() {
  for (const ServerId server : servers()) {
    world_->start(server);
  }
}

std::optional<ServerId> ScenarioWorld::leader_now() const {
  std::optional<ServerId> found;
  for (const auto& [server, epoch] : leads_) {
    if (world_->is_serving(server) && (!found || epoch > leads_.at(*found))) {
      found = server;
    }
  }
  return found;
}

ServerId ScenarioWorld::leader() {
  wait([this] { return leader_now().has_value(); }, "somebody leads");
  return leader_now().value_or(servers().front());
}

ServerId ScenarioWorld::follower() {
  const auto find = [this]() -> std::optional<ServerId> {
    for (const ServerId server : servers()) {
      if (world_->is_serving(server) && !world_->is_paused(server) && leader_now() != server &&
          !world_->member(server).is_observer) {
        return server;
      }
    }
    return std::nullopt;
  };
  wait([&] { return leader_now() && find(); }, "somebody follows");
  return find().value_or(servers().front());
}

void ScenarioWorld::wait(const std::function<bool()>& condition, const char* what) {
  EXPECT_TRUE(world_->run_until(condition, patience)) << "in vain: " << what;
}

void ScenarioWorld::wait_until_serving(ServerId server) {
  wait([this, server] { return world_->is_serving(server); }, "a certain server serves");
}

void ScenarioWorld::wait_until_all_serve() {
  wait(
      [this] {
        return std::ranges::all_of(servers(), [this](ServerId server) {
          return !world_->is_running(server) || world_->is_serving(server);
        });
      },
      "all that run serve");
}

// --- disasters ---

void ScenarioWorld::isolate(ServerId server) {
  for (const ServerId other : servers()) {
    if (other != server) {
      network().cut(server, other);
      network().cut(other, server);
    }
  }
}

void ScenarioWorld::heal() { network().calm(); }

// --- what must be so in the end ---

void ScenarioWorld::expect_one_history() {
  for (const ServerId server : servers()) {
    if (world_->is_running(server)) {
      EXPECT_TRUE(takes_a_write(server)) << "server " << server;
    }
  }
  wait(
      [this] {
        std::optional<ReplicaStatus> first;
        return std::ranges::all_of(servers(), [this, &first](ServerId server) {
          if (!world_->is_running(server)) {
            return true;
          }
          const auto status = world_->server(server).replica().status();
          first = first ? first : status;
          return status.last_applied == first->last_applied && status.digest == first->digest;
        });
      },
      "all that run are in the same state");
  check_durability();
}

// Leaders may still change, so a client tries more than once.
bool ScenarioWorld::takes_a_write(ServerId server) {
  for (const Micros end = world_->now() + patience; world_->now() < end;) {
    wait_until_all_serve();
    ScenarioClient client(*this);
    if (client.connect(server) && client.create("/fresh", 2)) {
      return true;
    }
    run_for(100 * millisecond);
  }
  return false;
}

void ScenarioWorld::check_durability() {
  std::vector<CommittedLogDurability::Server> all;
  for (const ServerId server : servers()) {
    all.push_back({.id = server, .disk = &world_->server(server).disk()});
  }
  checkers_.durability.check(checkers_.configurations.newest(), all, "in the scenario");
}

// --- what happens ---

void ScenarioWorld::on_starting(ServerId server) {
  checkers_.on_starting(server, world_->server(server).disk());
}

void ScenarioWorld::on_started(ServerId server) {
  checkers_.on_started(server, world_->server(server).replica().status().last_applied);
}

void ScenarioWorld::on_stopped(ServerId server, bool /*without_power*/) {
  leads_.erase(server);
  world_->events().after(0, [this] { check_durability(); });
}

void ScenarioWorld::on_trace(ServerId server, const TraceEvent& event) {
  ++counts_[{server, event.index()}];
  if (const auto* began = std::get_if<LeadershipBegan>(&event)) {
    leads_[server] = began->epoch;
    world_->events().after(0, [this] { check_durability(); });
  } else if (std::holds_alternative<LookingBegan>(event)) {
    leads_.erase(server);
  }
  checkers_.on_trace(server, event, world_->now(), world_->server(server).disk());
  checkers_.configurations.on_trace(server, event, [this](ServerId id, Zxid zxid) {
    return read_log(world_->server(id).disk().durable_copy()).end() >= zxid;
  });
}

void ScenarioWorld::on_failure(ServerId server, const std::string& sentence) {
  refusals_.push_back(sentence);
  if (!are_refusals_expected_) {
    findings_.add("ProcessConsistency", "server ", server, " gives up: ", sentence);
  }
}

void ScenarioWorld::on_diary(const std::string& line) {
  diary_.push_back(line);
  if (diary_.size() > diary_lines) {
    diary_.pop_front();
  }
}

// --- clients ---

ConnectionId ScenarioClient::connect() {
  return scenario_.world().connections().open(server_, [] {});
}

void ScenarioClient::deliver(ConnectionId connection, ByteView payload) {
  scenario_.world().connections().send(connection, payload);
}

void ScenarioClient::disconnect(ConnectionId connection) {
  scenario_.world().connections().hang_up(connection);
}

bool ScenarioClient::is_open(ConnectionId connection) const {
  return scenario_.world().connections().is_open(connection);
}

Bytes ScenarioClient::take_sent(ConnectionId connection) {
  return scenario_.world().connections().take_received(connection);
}

bool ScenarioClient::connect(ServerId server) {
  server_ = server;
  wire_.connect({.last_zxid_seen = seen_.wire(),
                 .timeout_ms = timeout_ms_,
                 .session_id = session_.session_id,
                 .password = session_.session_id == 0 ? Bytes(16) : session_.password});
  std::optional<ConnectResponse> response;
  bool is_closed = false;
  scenario_.world().run_until(
      [&] {
        for (const Heard& heard : wire_.hear()) {
          if (const auto* greeting = std::get_if<ConnectResponse>(&heard)) {
            response = *greeting;
          }
          is_closed = is_closed || std::holds_alternative<Closed>(heard);
        }
        return response || is_closed;
      },
      ScenarioWorld::patience);
  if (!response || response->session_id == 0) {
    return false;
  }
  session_ = *response;
  return true;
}

std::optional<Reply> ScenarioClient::ask(const Request& request, Micros at_most) {
  if (!wire_.is_open()) {
    return std::nullopt;
  }
  wire_.ask(request);
  std::optional<Reply> reply;
  bool is_closed = false;
  scenario_.world().run_until(
      [&] {
        for (const Heard& heard : wire_.hear()) {
          const auto* one = std::get_if<Reply>(&heard);
          if (one != nullptr && one->op == static_cast<std::int32_t>(op_of(request))) {
            reply = *one;
            seen_ = std::max(seen_, Zxid::from_wire(one->header.zxid));
          }
          is_closed = is_closed || std::holds_alternative<Closed>(heard);
        }
        return reply || is_closed;
      },
      at_most);
  return reply;
}

std::optional<Zxid> ScenarioClient::written(const Request& request) {
  const Zxid floor = scenario_.checkers().real_time.floor();
  const auto reply = ask(request);
  if (!reply || reply->header.error != 0) {
    return std::nullopt;
  }
  const Zxid zxid = Zxid::from_wire(reply->header.zxid);
  scenario_.checkers().real_time.on_write(0, zxid, floor);
  return zxid;
}

std::optional<Zxid> ScenarioClient::create(const std::string& path, std::int32_t flags,
                                           const std::string& value) {
  return written(CreateRequest{
      .path = path, .data = Bytes(value.begin(), value.end()), .acl = open_acl(), .flags = flags});
}

std::optional<Zxid> ScenarioClient::set(const std::string& path, const std::string& value) {
  return written(SetDataRequest{.path = path, .data = Bytes(value.begin(), value.end())});
}

std::optional<std::string> ScenarioClient::read(const std::string& path, bool behind_sync) {
  if (behind_sync && !ask(SyncRequest{.path = path})) {
    return std::nullopt;
  }
  const auto reply = ask(GetDataRequest{.path = path});
  if (!reply || !reply->body) {
    return std::nullopt;
  }
  const auto& data = std::get<GetDataResponse>(*reply->body).data;
  return data ? std::string(data->begin(), data->end()) : std::string();
}

}  // namespace zabfs::test
