#include "tests/simulator/sim_client.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "replication/model/create_mode.hpp"

namespace zabfs::test {

using namespace replication;
using namespace replication::protocol;

namespace {

constexpr Micros greeting_max = 3 * second;
constexpr const char* lock_path = "/e/lock";

}  // namespace

SimClient::SimClient(int index, const ClientOptions& options, EnsembleWorld& world,
                     EnsembleCheckers& checkers, Findings& findings)
    : index_(index),
      options_(options),
      world_(world),
      checkers_(checkers),
      findings_(findings),
      chance_(world.chance().next()),
      wire_(*this,
            [this](const std::string& what) {
              findings_.add("SessionFifo", "client ", index_, " hears ", what);
            }),
      persistent_(index, findings) {}

void SimClient::start() { plan_act(); }

void SimClient::pin(ServerId server) { pinned_ = server; }

// --- its transport ---

ConnectionId SimClient::connect() {
  return world_.connections().open(server_, [this] { listen(); });
}

void SimClient::deliver(ConnectionId connection, ByteView payload) {
  world_.connections().send(connection, payload);
}

void SimClient::disconnect(ConnectionId connection) { world_.connections().hang_up(connection); }

bool SimClient::is_open(ConnectionId connection) const {
  return world_.connections().is_open(connection);
}

Bytes SimClient::take_sent(ConnectionId connection) {
  return world_.connections().take_received(connection);
}

// --- what it does ---

void SimClient::plan_act() {
  world_.events().after(draw_between(chance_, 100, options_.think_max), [this] {
    act();
    plan_act();
  });
}

void SimClient::act() {
  if (world_.now() < silent_until_ && !is_resting_) {
    return;
  }
  if (!wire_.is_open()) {
    if (draw(chance_, 300)) {
      open_connection();
    }
  } else if (!is_greeted_) {
    if (world_.now() - connected_ > greeting_max) {
      move_on();
    }
  } else {
    act_connected();
  }
}

void SimClient::act_connected() {
  const Micros timeout = Micros{session_.timeout_ms} * millisecond;
  if (world_.now() - heard_ > timeout * 2 / 3) {
    move_on();
    return;
  }
  if (draw(chance_, 30) || world_.now() - heard_ > timeout / 4) {
    pings_.push_back(world_.now());
    wire_.ask(PingRequest{});
  }
  if (is_closing_) {
    return;
  }
  if (!is_set_up_) {
    set_up();
  } else if (is_resting_) {
    read_everything();
  } else if (is_sparing_) {
    write_one();
  } else if (!pinned_ && draw(chance_, options_.moves_of_1000)) {
    move_on();
  } else if (draw(chance_, options_.closes_of_1000)) {
    is_closing_ = true;
    checkers_.sessions.on_close_asked({session_.session_id});
    ask(CloseSessionRequest{});
  } else if (draw(chance_, options_.silences_of_1000)) {
    silent_until_ = world_.now() + draw_between(chance_, 0, 2 * timeout);
  } else {
    burst();
  }
}

void SimClient::move_on() {
  wire_.disconnect();
  on_closed();
}

void SimClient::open_connection() {
  const auto& servers = world_.servers();
  server_ = pinned_ ? *pinned_ : servers[chance_.below(servers.size())];
  is_greeted_ = false;
  connected_ = world_.now();
  ++connections_;
  numbered_ = 0;
  world_.note("client ", index_, " calls server ", server_);
  wire_.connect({.last_zxid_seen = seen_.wire(),
                 .timeout_ms = options_.timeout_ms,
                 .session_id = session_.session_id,
                 .password = session_.session_id == 0 ? Bytes(16) : session_.password});
}

void SimClient::set_up() {
  if (!asked_.empty()) {
    return;
  }
  is_setting_up_ = true;
  std::vector<std::string> paths{"/s", "/e", "/w", "/c", "/t"};
  for (std::uint64_t i = 0; i < options_.registers; ++i) {
    paths.push_back("/r" + std::to_string(i));
  }
  for (auto& path : paths) {
    ask(CreateRequest{.path = std::move(path), .data = Bytes{}, .acl = open_acl(), .flags = 0});
  }
}

void SimClient::read_everything() {
  if (is_reading_everything_ || has_rested_ || !asked_.empty()) {
    return;
  }
  is_reading_everything_ = true;
  ask(SyncRequest{.path = "/"});
  for (std::uint64_t i = 0; i < options_.registers; ++i) {
    ask(GetDataRequest{.path = "/r" + std::to_string(i)});
  }
}

void SimClient::write_one() {
  if (asked_.empty() && writes_ == 0) {
    ask(SetDataRequest{.path = register_path(), .data = value()});
  }
}

void SimClient::burst() {
  if (asked_.size() > 4 * options_.burst_max) {
    return;
  }
  for (auto requests = 1 + chance_.below(options_.burst_max); requests > 0; --requests) {
    ask_one();
  }
}

void SimClient::ask_one() {
  const std::uint64_t weights[] = {
      options_.sets,     options_.multis,     options_.sequentials,  options_.ephemerals,
      options_.numbered, options_.locks,      options_.synced_reads, options_.watches,
      options_.acls,     options_.containers, options_.ttls,         options_.persistent_watches,
      options_.reads + 1};
  std::uint64_t all = 0;
  for (const auto weight : weights) {
    all += weight;
  }
  std::uint64_t drawn = chance_.below(all);
  std::size_t kind = 0;
  while (drawn >= weights[kind]) {
    drawn -= weights[kind++];
  }
  switch (kind) {
    case 0:
      return ask_set();
    case 1:
      return ask_multi();
    case 2:
      return ask_sequential();
    case 3:
      return ask_ephemeral();
    case 4:
      return ask_numbered();
    case 5:
      return ask_lock();
    case 6:
      return ask_read(true, false);
    case 7:
      return ask_read(false, true);
    case 8:
      return ask_acl();
    case 9:
      return ask_container();
    case 10:
      return ask_ttl();
    case 11:
      return ask_persistent_watch();
    default:
      return ask_read(false, false);
  }
}

void SimClient::ask(Request request) {
  Asked asked{.request = request,
              .sent = world_.now(),
              .floor = checkers_.real_time.floor(),
              .synced_floor = synced_floor_};
  if (std::holds_alternative<SyncRequest>(request)) {
    synced_floor_ = std::max(synced_floor_, asked.floor);
  }
  if (const auto* create = std::get_if<CreateRequest>(&request)) {
    asked.takes_lock = create->path == lock_path;
  }
  world_.note("client ", index_, " asks ", static_cast<std::int32_t>(op_of(request)), ", floor ",
              asked.floor);
  asked_.push_back(std::move(asked));
  wire_.ask(request);
}

void SimClient::ask_set() {
  SetDataRequest set{.path = register_path(), .data = value()};
  if (draw(chance_, 300)) {
    set.version = static_cast<std::int32_t>(chance_.below(50));
  }
  ask(std::move(set));
}

void SimClient::ask_multi() {
  MultiRequest multi;
  multi.operations.push_back(SetDataRequest{.path = register_path(), .data = value()});
  multi.operations.push_back(
      CreateRequest{.path = "/s/m-", .data = value(), .acl = open_acl(), .flags = 2});
  if (draw(chance_, 300)) {
    multi.operations.push_back(CheckRequest{
        .path = register_path(), .version = static_cast<std::int32_t>(chance_.below(50))});
  }
  ask(std::move(multi));
}

void SimClient::ask_sequential() {
  ask(CreateRequest{.path = draw(chance_, 500) ? "/s/x-" : "/s/y-",
                    .data = value(),
                    .acl = open_acl(),
                    .flags = draw(chance_, 300) ? 3 : 2});
}

void SimClient::ask_ephemeral() {
  std::string path = "/e/c" + std::to_string(index_) + '-';
  if (named_ > 0 && draw(chance_, 400)) {
    path += std::to_string(chance_.below(named_));
    checkers_.znodes.on_delete_asked(path);
    ask(DeleteRequest{.path = std::move(path)});
    return;
  }
  path += std::to_string(named_++);
  ask(Create2Request{.path = std::move(path), .data = value(), .acl = open_acl(), .flags = 1});
}

// Only one connection ever uses a stem, and the names in it ascend.
void SimClient::ask_numbered() {
  const std::string stem = "/w/c" + std::to_string(index_) + '-' + std::to_string(connections_);
  ask(CreateRequest{.path = AcknowledgedZnodes::numbered(stem, numbered_++),
                    .data = std::nullopt,
                    .acl = open_acl(),
                    .flags = 0});
}

void SimClient::ask_lock() {
  // A restore may have undone it, also one before the answer came.
  constexpr Zxid now{std::numeric_limits<std::uint64_t>::max()};
  const bool is_still_there = checkers_.restorations.is_visible(lock_taken_, now);
  if (std::exchange(has_lock_, false) && is_still_there) {
    checkers_.sessions.on_lock_released({session_.session_id});
    ask(DeleteRequest{.path = lock_path});
    return;
  }
  checkers_.znodes.on_delete_asked(lock_path);
  ask(CreateRequest{.path = lock_path, .data = value(), .acl = open_acl(), .flags = 1});
}

void SimClient::ask_read(bool is_synced, bool is_watching) {
  if (is_synced) {
    ask(SyncRequest{.path = "/"});
  }
  if (!is_synced && !is_watching && draw(chance_, 300)) {
    ask(GetChildren2Request{.path = draw(chance_, 500) ? "/s" : "/e"});
    return;
  }
  ask(GetDataRequest{.path = register_path(), .watch = is_watching});
}

void SimClient::ask_acl() { ask(SetAclRequest{.path = register_path(), .acl = open_acl()}); }

// A container with a child, which is the end of both if the child is deleted.
void SimClient::ask_container() {
  const std::string path = "/c/c" + std::to_string(index_) + '-' + std::to_string(named_++);
  const std::string child = path + "/x";
  MultiRequest multi;
  multi.operations.push_back(CreateContainerRequest{
      .path = path, .data = value(), .acl = open_acl(), .flags = container_flags});
  multi.operations.push_back(
      CreateRequest{.path = child, .data = value(), .acl = open_acl(), .flags = 0});
  ask(std::move(multi));
  if (draw(chance_, 600)) {
    checkers_.znodes.on_delete_asked(child);
    checkers_.znodes.on_delete_asked(path);
    ask(DeleteRequest{.path = child});
  }
}

// The clocks of servers differ by minutes, so only what lasts much longer must be there in the end.
void SimClient::ask_ttl() {
  const bool is_short = draw(chance_, 500);
  std::string path = "/t/c" + std::to_string(index_) + '-' + std::to_string(named_++);
  if (is_short) {
    checkers_.znodes.on_delete_asked(path);
  }
  ask(CreateTtlRequest{.path = std::move(path),
                       .data = value(),
                       .acl = open_acl(),
                       .flags = ttl_flags,
                       .ttl_ms = is_short ? 500 : 3'600'000});
}

void SimClient::ask_persistent_watch() {
  const std::string path =
      draw(chance_, 300) ? std::string(PersistentWatches::everything) : register_path();
  if (draw(chance_, 300)) {
    ask(RemoveWatchesRequest{.path = path, .type = static_cast<std::int32_t>(WatcherType::any)});
    return;
  }
  const auto mode = path == PersistentWatches::everything ? AddWatchMode::persistent_recursive
                                                          : AddWatchMode::persistent;
  ask(AddWatchRequest{.path = path, .mode = static_cast<std::int32_t>(mode)});
}

// On a new connection, all that the last one watched.
void SimClient::ask_watches_again() {
  SetWatches2Request request{.relative_zxid = seen_.wire(),
                             .data = std::vector<std::string>{},
                             .exist = std::vector<std::string>{},
                             .child = std::vector<std::string>{},
                             .persistent = std::vector<std::string>{},
                             .persistent_recursive = std::vector<std::string>{}};
  for (const auto& [path, version] : watched_) {
    request.data->push_back(path);
  }
  for (const std::string& path : persistent_.wanted()) {
    (path == PersistentWatches::everything ? request.persistent_recursive : request.persistent)
        ->push_back(path);
  }
  if (!persistent_.wanted().empty()) {
    ask(std::move(request));
  } else if (!watched_.empty()) {
    ask(SetWatchesRequest{.relative_zxid = request.relative_zxid,
                          .data = std::move(request.data),
                          .exist = std::move(request.exist),
                          .child = std::move(request.child)});
  }
}

std::string SimClient::register_path() {
  return "/r" + std::to_string(chance_.below(options_.registers));
}

// No two values are equal.
Bytes SimClient::value() {
  const std::string text = std::to_string(index_) + ':' + std::to_string(named_++) + ':';
  Bytes bytes(text.begin(), text.end());
  bytes.resize(bytes.size() + chance_.below(options_.value_bytes_max + 1));
  return bytes;
}

}  // namespace zabfs::test
