#include "tests/simulator/crash_simulation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "replication/protocol/codec.hpp"
#include "replication/rebuild.hpp"

namespace zabfs::test {

using namespace replication;
using namespace replication::protocol;

namespace {

constexpr std::size_t client_count = 4;
constexpr std::int64_t tick_ms = 2000;

ReplicaOptions replica_options(const CrashSimulation::Options& options, Random& chance) {
  return {.tick_ms = tick_ms,
          .snapshot_every = 10 + chance.below(60),
          .snapshots_kept = 3,
          .log_segment_bytes = (4 + chance.below(28)) << 10,
          .removal_check_ms = std::int64_t{1} << 40,  // never: the model does not know of it
          .epoch_transactions_max = options.epoch_transactions_max};
}

}  // namespace

CrashSimulation::CrashSimulation(const Options& options)
    : options_(options),
      chance_(options.seed),
      replica_options_(replica_options(options, chance_)),
      world_(replica_options_, options.seed),
      workload_(chance_, model_) {
  for (std::size_t i = 0; i < client_count; ++i) {
    clients_.push_back(std::make_unique<Client>(world_));
  }
}

void CrashSimulation::run_round() {
  if (testing::Test::HasFailure()) {
    return;
  }
  start_until_serving();
  if (!testing::Test::HasFailure() && totals_.rounds++ == 0) {
    fill();
  }
  auto events = chance_.below(options_.events_max);
  for (; events > 0 && !testing::Test::HasFailure(); --events) {
    one_event();
    listen();
  }
  if (!testing::Test::HasFailure() && chance_.below(4) == 0) {
    settle_and_compare();
  }
  if (!testing::Test::HasFailure()) {
    crash();
  }
}

// --- starts and crashes ---

// A start may itself be cut short, any number of times.
void CrashSimulation::start_until_serving() {
  start();
  while (!testing::Test::HasFailure() && !world_.status().serving) {
    ASSERT_TRUE(world_.step_disk()) << "it waits for nothing and does not serve";
    listen();
    if (chance_.below(40) == 0) {
      crash();
      start();
    }
  }
}

void CrashSimulation::start() {
  if (testing::Test::HasFailure()) {
    return;
  }
  const auto refusal = world_.start();
  ASSERT_FALSE(refusal) << *refusal;
  listen();
}

// `last` is the end of the log.
void CrashSimulation::on_recovered(Zxid last) {
  EXPECT_GE(last, heard_) << "somebody was told of what is lost";
  EXPECT_LE(last, model_.head()) << "nobody ever asked for this";
  if (model_.head() > last) {
    ++totals_.histories_cut;
  }
  model_.forget_after(last);
  for (auto& client : clients_) {
    client->written = std::min(client->written, last);
  }
}

// Until nothing is in flight. A used-up epoch ends and the next begins within.
void CrashSimulation::settle() {
  for (auto& client : clients_) {
    client->may_be_closed = client->may_be_closed || is_used_up();
  }
  world_.settle();
  listen();
}

// What runs and what is on the disk are the same.
void CrashSimulation::settle_and_compare() {
  settle();
  EXPECT_EQ(world_.status().last_applied, model_.head());
  expect_state(model_.head());
}

void CrashSimulation::crash() {
  if (chance_.below(3) == 0) {
    world_.kill();
  } else {
    world_.crash(chance_);
  }
  for (auto& client : clients_) {
    client->may_be_closed = true;
  }
  listen();
  deadlines_.clear();
}

void CrashSimulation::on_trace(const TraceEvent& event) {
  diary_ += to_text(event) + '\n';
  if (const auto* recovered = std::get_if<Recovered>(&event)) {
    on_recovered(recovered->last);
  } else if (const auto* began = std::get_if<LeadershipBegan>(&event)) {
    EXPECT_GT(began->epoch, epoch_);
    epoch_ = began->epoch;
    ++totals_.epochs_begun;
    model_.begin_epoch(epoch_);
    expect_state(model_.head());
    model_.forget_before_head();  // it is durable, so no crash leads back behind it
    deadlines_.clear();           // what an earlier leader had heard is not known to this one
    for (const Model::Session& session : model_.sessions()) {
      if (session.closed == Zxid{}) {
        touch(session.id, session.timeout_ms);
      }
    }
  } else if (const auto* closed = std::get_if<SessionClosed>(&event)) {
    totals_.sessions_expired += closed->expired ? 1U : 0U;
  } else if (std::holds_alternative<SnapshotFinished>(event)) {
    ++totals_.snapshots;
  } else if (const auto* refused = std::get_if<ClientRefused>(&event)) {
    ADD_FAILURE() << "connection " << refused->connection << " refused: " << refused->why;
  }
}

// Reads the disk as a start would, and compares everything with the model, whose head is `last`.
void CrashSimulation::expect_state(Zxid last) {
  tree::DataTree tree;
  session::SessionTable sessions;
  Rebuild rebuild(tree, sessions);
  const auto recovered =
      store::recover_directory(world_.disk(), replica_options_.snapshots_kept, rebuild);
  ASSERT_TRUE(recovered) << recovered.error().sentence;
  for (const auto& [zxid, payload] : recovered->recovery.tail) {
    const auto objection = rebuild.on_entry(zxid, payload);
    ASSERT_FALSE(objection) << *objection;
  }
  const auto refusal = rebuild.finish();
  ASSERT_FALSE(refusal) << *refusal;
  EXPECT_EQ(tree.last_applied(), last);
  EXPECT_EQ(tree.digest(), tree.recomputed_digest());
  EXPECT_EQ(tree.digest(), world_.status().digest);

  auto wanted = model_.znodes();
  tree.nodes().walk([&](std::string_view path, tree::Slot slot) {
    const auto found = wanted.find(std::string(path));
    if (found == wanted.end()) {
      ADD_FAILURE() << path << " should not be there";
      return;
    }
    const tree::Node& node = tree.nodes()[slot];
    const auto data = tree.data_of(node);
    EXPECT_EQ(tree.stat_of(node), found->second->stat) << path;
    EXPECT_EQ(data ? Data(Bytes(data->begin(), data->end())) : Data(), found->second->data) << path;
    wanted.erase(found);
  });
  for (const auto& [path, znode] : wanted) {
    ADD_FAILURE() << path << " is lost, created by " << Zxid::from_wire(znode->stat.czxid);
  }
  std::map<SessionId, std::int32_t> timeouts;
  for (const auto& [id, session] : sessions.sessions()) {
    timeouts[id] = session.timeout_ms;
  }
  expect_sessions(timeouts);
}

// Sessions nobody was greeted for get their names here: ids ascend, as their beginnings do.
void CrashSimulation::expect_sessions(const std::map<SessionId, std::int32_t>& found) {
  auto unknown = found;
  for (const Model::Session& session : model_.sessions()) {
    unknown.erase(session.id);
  }
  std::map<SessionId, std::int32_t> wanted;
  for (Model::Session& session : model_.sessions()) {
    if (session.closed != Zxid{}) {
      continue;
    }
    if (session.id == SessionId{} && !unknown.empty()) {
      session.id = unknown.begin()->first;
      unknown.erase(unknown.begin());
    }
    wanted[session.id] = session.timeout_ms;
  }
  EXPECT_EQ(found, wanted);
}

// --- load ---

void CrashSimulation::fill() {
  constexpr std::uint64_t znodes_per_request = 200;
  Client& client = *clients_.front();
  connect(client);
  settle();
  for (std::uint64_t made = 0; made < options_.znodes_at_first; made += znodes_per_request) {
    const CreateRequest create{.path = "/a", .data = Bytes(20), .acl = open_acl(), .flags = 2};
    ask_write(client, MultiRequest{std::vector<MultiOperation>(znodes_per_request, create)});
  }
  settle();
}

void CrashSimulation::one_event() {
  const std::uint64_t kind = chance_.below(24);
  if (kind < 8) {
    world_.step_disk();
  } else if (kind < 11) {
    world_.end_turn();
  } else if (kind == 11) {
    let_time_pass();
  } else if (world_.status().serving) {
    Client& client = *clients_[chance_.below(client_count)];
    if (world_.now_ms() < client.silent_until_ms) {
      return;
    }
    if (chance_.below(60) == 0) {
      client.silent_until_ms = world_.now_ms() + static_cast<std::int64_t>(chance_.below(20'000));
    }
    if (!client.wire.is_open() || chance_.below(60) == 0) {
      connect(client);
      return;
    }
    for (auto requests = 1 + chance_.below(4); requests > 0 && client.wire.is_open(); --requests) {
      ask_something(client);
    }
  }
}

// A client that has a session comes back to it; others open one.
void CrashSimulation::connect(Client& client) {
  if (client.wire.is_open() && !client.is_greeted) {
    return;
  }
  const bool is_known = model_.open_session_of({client.session.session_id}) != nullptr;
  const std::int32_t timeout_ms = static_cast<std::int32_t>(4000 + chance_.below(8000));
  client.expected.clear();
  client.is_greeted = false;
  client.may_be_closed = is_used_up();
  client.wire.connect({.last_zxid_seen = client.seen.wire(),
                       .timeout_ms = timeout_ms,
                       .session_id = client.session.session_id,
                       .password = client.session.password});
  if (is_used_up()) {
    return;
  }
  if (client.session.session_id == 0) {
    client.written = model_.open_session(timeout_ms);
    client.opening = model_.sessions().size() - 1;
  } else if (is_known) {
    client.session.timeout_ms = timeout_ms;
    touch({client.session.session_id}, timeout_ms);
  }
}

void CrashSimulation::ask_something(Client& client) {
  if (!client.is_greeted) {
    return;
  }
  touch({client.session.session_id}, client.session.timeout_ms);
  const std::uint64_t kind = chance_.below(40);
  if (kind < 10) {
    const std::string path = workload_.path();
    ask_read(client, kind < 4   ? Request{GetDataRequest{.path = path}}
                     : kind < 7 ? Request{GetChildren2Request{.path = path}}
                     : kind < 9 ? Request{ExistsRequest{.path = path}}
                                : Request{SyncRequest{.path = path}});
  } else if (kind == 10) {
    client.wire.ask(PingRequest{});
  } else if (kind == 11 && chance_.below(4) == 0) {
    close_session(client);
  } else {
    ask_write(client, workload_.write());
  }
}

void CrashSimulation::ask_write(Client& client, const Request& request) {
  if (!has_ended(client)) {
    Expected expected{.request = request, .not_before = model_.head()};
    expected.outcome = model_.decide(request, {client.session.session_id},
                                     ReplicaWorld::wall_ms_at_start + world_.now_ms());
    if (expected.outcome.zxid != Zxid{}) {
      client.written = expected.outcome.zxid;
    }
    client.expected.push_back(std::move(expected));
  }
  client.wire.ask(request);
}

void CrashSimulation::ask_read(Client& client, const Request& request) {
  if (!has_ended(client)) {
    const bool is_sync = std::holds_alternative<SyncRequest>(request);
    client.expected.push_back({.request = request,
                               .is_read = true,
                               .not_before = is_sync ? model_.head() : client.written});
  }
  client.wire.ask(request);
}

void CrashSimulation::close_session(Client& client) {
  if (!has_ended(client)) {
    const Zxid zxid = model_.close_session({client.session.session_id});
    client.expected.push_back({.request = CloseSessionRequest{},
                               .outcome = {.zxid = zxid, .body = EmptyResponse{}},
                               .not_before = zxid});
    client.may_be_closed = true;
  }
  client.wire.ask(CloseSessionRequest{});
}

// Sessions whose time is up end, in the order of their deadlines. Time stands still while a session
// is being opened, so that the moment at which it begins to be heard of is known.
void CrashSimulation::let_time_pass() {
  const bool is_opening = std::ranges::any_of(
      clients_, [](const auto& client) { return client->wire.is_open() && !client->is_greeted; });
  if (is_opening || !world_.status().serving) {
    return;
  }
  world_.advance(static_cast<std::int64_t>(chance_.below(3000)));
  std::vector<std::pair<std::int64_t, SessionId>> due;
  for (const auto& [session, deadline] : deadlines_) {
    if (deadline <= world_.now_ms()) {
      due.emplace_back(deadline, session);
    }
  }
  std::ranges::sort(due);
  for (const auto& [deadline, session] : due) {
    deadlines_.erase(session);
    if (is_used_up() || model_.open_session_of(session) == nullptr) {
      continue;
    }
    model_.close_session(session);
    for (auto& client : clients_) {
      if (client->session.session_id == session.value) {
        client->may_be_closed = true;
      }
    }
  }
}

// True if the epoch has no transaction left, so nothing is carried out until the next begins.
bool CrashSimulation::is_used_up() const {
  return model_.head() == Zxid::at(epoch_, options_.epoch_transactions_max);
}

// True if nothing that the client asks is carried out or answered any more.
bool CrashSimulation::has_ended(const Client& client) {
  return is_used_up() || model_.open_session_of({client.session.session_id}) == nullptr;
}

// --- what comes back ---

void CrashSimulation::listen() {
  for (const TraceEvent& event : world_.take_trace()) {
    on_trace(event);
  }
  for (auto& client : clients_) {
    for (const Heard& heard : client->wire.hear()) {
      on_heard(*client, heard);
    }
  }
}

void CrashSimulation::on_heard(Client& client, const Heard& heard) {
  if (const auto* greeting = std::get_if<ConnectResponse>(&heard)) {
    on_greeting(client, *greeting);
  } else if (const auto* reply = std::get_if<Reply>(&heard)) {
    on_reply(client, *reply);
  } else if (std::holds_alternative<Closed>(heard)) {
    on_closed(client);
  } else {
    ADD_FAILURE() << "a watch event, and nobody watches";
  }
}

void CrashSimulation::on_greeting(Client& client, const ConnectResponse& response) {
  std::ostringstream line;
  line << "greeting " << response.session_id << " timeout " << response.timeout_ms << '\n';
  diary_ += line.str();
  if (client.session.session_id != 0) {
    const bool is_known = model_.open_session_of({client.session.session_id}) != nullptr;
    if (response.session_id == 0) {
      EXPECT_FALSE(is_known) << "a session that is open was refused";
      client.session = {};
      client.may_be_closed = true;
      return;
    }
    EXPECT_TRUE(is_known) << "a session that has ended was welcomed";
    EXPECT_EQ(response.session_id, client.session.session_id);
    EXPECT_EQ(response.password, client.session.password);
    EXPECT_EQ(response.timeout_ms, client.session.timeout_ms);
  } else {
    Model::Session& session = model_.sessions().at(client.opening);
    EXPECT_GE(world_.status().last_applied, session.opened);
    heard_ = std::max(heard_, session.opened);
    session.id = {response.session_id};
    touch(session.id, session.timeout_ms);
    client.session = response;
  }
  client.is_greeted = true;
}

void CrashSimulation::on_reply(Client& client, const Reply& reply) {
  ++totals_.replies;
  const Zxid zxid = Zxid::from_wire(reply.header.zxid);
  std::ostringstream line;
  line << reply.header.xid << ' ' << reply.op << ' ' << zxid << ' ' << reply.header.error << '\n';
  diary_ += line.str();
  EXPECT_GE(zxid, client.seen) << "history went back";
  EXPECT_LE(zxid, model_.head()) << "a zxid that was never given out";
  client.seen = std::max(client.seen, zxid);
  heard_ = std::max(heard_, zxid);
  if (reply.op == static_cast<std::int32_t>(OpCode::ping)) {
    return;
  }
  if (client.expected.empty()) {
    ADD_FAILURE() << "an answer from a session that has ended";
    return;
  }
  const Expected expected = std::move(client.expected.front());
  client.expected.pop_front();
  expect_reply(expected, reply);
}

void CrashSimulation::expect_reply(const Expected& expected, const Reply& reply) {
  const Zxid zxid = Zxid::from_wire(reply.header.zxid);
  ASSERT_EQ(reply.op, static_cast<std::int32_t>(op_of(expected.request)));
  EXPECT_GE(zxid, expected.not_before) << "answered too early";
  std::optional<Response> wanted;
  auto error = ErrorCode::ok;
  if (const auto* sync = std::get_if<SyncRequest>(&expected.request)) {
    wanted = PathResponse{.path = sync->path};
  } else if (expected.is_read) {
    wanted = model_.read(expected.request, zxid);
    error = wanted ? ErrorCode::ok : ErrorCode::no_node;
  } else {
    error = expected.outcome.error;
    if (error == ErrorCode::ok) {
      wanted = expected.outcome.body;
    }
    if (expected.outcome.zxid != Zxid{}) {
      EXPECT_EQ(zxid, expected.outcome.zxid);
    }
  }
  auto got = reply.body;
  if (got && std::holds_alternative<GetChildren2Response>(*got)) {
    std::ranges::sort(std::get<GetChildren2Response>(*got).children);
  }
  EXPECT_EQ(ErrorCode{reply.header.error}, error);
  EXPECT_EQ(got, wanted) << "operation " << reply.op << " at " << zxid;
}

void CrashSimulation::on_closed(Client& client) {
  EXPECT_TRUE(client.may_be_closed || is_used_up() || !world_.is_running() ||
              !world_.status().serving)
      << "closed without a reason";
  if (model_.open_session_of({client.session.session_id}) == nullptr) {
    client.session = {};
  }
  client.is_greeted = false;
  client.expected.clear();
}

void CrashSimulation::touch(SessionId session, std::int64_t timeout_ms) {
  const std::int64_t deadline = (world_.now_ms() + timeout_ms + tick_ms - 1) / tick_ms * tick_ms;
  auto& known = deadlines_[session];
  known = std::max(known, deadline);
}

}  // namespace zabfs::test
