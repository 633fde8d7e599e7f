#include "tests/simulator/ensemble_world.hpp"

#include <algorithm>
#include <utility>

#include "replication/model/check.hpp"
#include "replication/model/limits.hpp"
#include "replication/protocol/peer_frame.hpp"

namespace zabfs::test {

using replication::Bytes;
using replication::ByteView;
using replication::ConnectionId;
using replication::Replica;
using replication::ServerId;

namespace {

std::vector<ServerId> ids_of(const WorldOptions& options) {
  std::vector<ServerId> ids = options.joiners;
  for (const auto& member : options.replica.ensemble.members) {
    ids.push_back(member.id);
  }
  std::ranges::sort(ids);
  return ids;
}

}  // namespace

EnsembleWorld::EnsembleWorld(const WorldOptions& options, Observer& observer)
    : options_(options),
      observer_(observer),
      chance_(options.seed),
      ids_(ids_of(options)),
      network_(options.network, ids_, events_, chance_, *this),
      connections_(options.client_delay_max, events_, chance_, *this) {
  SimServer::Surroundings& surroundings = *this;
  for (const ServerId id : ids_) {
    auto replica = options_.replica;
    replica.id = id;
    if (find_member(replica.ensemble, id) == nullptr) {
      replica.ensemble.members.push_back({.id = id, .host = "host", .port = 1});
    }
    places_[id] = std::make_unique<Place>(replica, chance_.next(), surroundings);
  }
}

const replication::Member& EnsembleWorld::member(ServerId server) const {
  const auto& members = options_.replica.ensemble.members;
  const auto found = std::ranges::find(members, server, &replication::Member::id);
  CHECK(found != members.end(), "no server ", server);
  return *found;
}

bool EnsembleWorld::is_serving(ServerId server) const {
  return is_running(server) && at(server).server.replica().status().serving;
}

// --- time ---

void EnsembleWorld::run_for(Micros how_long) {
  run_until([] { return false; }, how_long);
}

bool EnsembleWorld::run_until(const std::function<bool()>& condition, Micros at_most) {
  const Micros end = events_.now() + at_most;
  bool is_over = false;
  events_.after(at_most, [] {});
  while (!condition()) {
    is_over = events_.now() >= end;
    if (is_over || !events_.step()) {
      return false;
    }
  }
  return true;
}

// --- processes ---

void EnsembleWorld::start(ServerId server) {
  Place& place = at(server);
  if (place.server.is_running()) {
    return;
  }
  note(server, " starts");
  observer_.on_starting(server);
  std::optional<std::string> refusal;
  try {
    refusal =
        place.server.start([&place](replication::Ticket ticket) { place.done.push_back(ticket); });
  } catch (const ProcessDied&) {
    stop(server, place.dies_without_power);
    return;
  }
  if (refusal) {
    note(server, " refuses: ", *refusal);
    observer_.on_failure(server, *refusal);
    return;
  }
  observer_.on_started(server);
  network_.start(server);
  connections_.start(server);
  plan_tick(server, place.server.life());
  turn(server, [](Replica&) {});
}

void EnsembleWorld::stop(ServerId server, bool without_power) {
  Place& place = at(server);
  if (!place.server.is_running()) {
    return;
  }
  note(server, without_power ? " loses its power" : " is killed");
  place.server.stop(without_power ? &chance_ : nullptr);
  place.is_paused = false;
  place.is_turn_open = false;
  place.is_disk_busy = false;
  place.disk_stalled_until = 0;
  place.jobs_until_crash = 0;
  place.done.clear();
  network_.stop(server, without_power ? SimNetwork::Stop::without_power : SimNetwork::Stop::killed);
  connections_.stop(server, without_power);
  observer_.on_stopped(server, without_power);
}

void EnsembleWorld::pause(ServerId server) {
  Place& place = at(server);
  if (place.server.is_running() && !place.is_paused) {
    note(server, " is paused");
    place.is_paused = true;
    network_.hold(server);
    connections_.hold(server);
  }
}

// Its timers have run out and its sockets are full; which of them it looks at first is chance.
void EnsembleWorld::resume(ServerId server) {
  Place& place = at(server);
  if (!place.is_paused) {
    return;
  }
  note(server, " goes on");
  place.is_paused = false;
  const bool ticks_first = draw(chance_, 500);
  if (ticks_first) {
    turn(server, [](Replica& replica) { replica.on_tick(); });
  }
  network_.release(server);
  connections_.release(server);
  if (place.is_turn_open) {
    end_turn(server);
  }
  plan_disk(server);
}

void EnsembleWorld::crash_after_disk_jobs(ServerId server, std::uint64_t jobs, bool without_power) {
  at(server).jobs_until_crash = jobs + 1;
  at(server).crash_without_power = without_power;
}

void EnsembleWorld::stall_disk(ServerId server, Micros how_long) {
  at(server).disk_stalled_until = events_.now() + how_long;
}

void EnsembleWorld::forget_crash_points() {
  crash_points_.clear();
  for (auto& [id, place] : places_) {
    place->jobs_until_crash = 0;
    place->disk_stalled_until = 0;
  }
}

void EnsembleWorld::restore(ServerId server, std::unique_ptr<replication::RestorableState> state,
                            const replication::RestorationDone& done) {
  if (is_running(server) && !is_paused(server)) {
    turn(server, [&](Replica& replica) { replica.restore(std::move(state), done); });
  }
}

// --- turns ---

void EnsembleWorld::turn(ServerId server, const std::function<void(Replica&)>& event) {
  Place& place = at(server);
  if (!place.server.is_running()) {
    return;
  }
  try {
    event(place.server.replica());
  } catch (const ProcessDied&) {
    stop(server, place.dies_without_power);
    return;
  }
  if (draw(chance_, 800)) {
    end_turn(server);
  } else if (!place.is_turn_open) {
    place.is_turn_open = true;
    events_.after(draw_between(chance_, 0, 200), [this, server, life = place.server.life()] {
      Place& later = at(server);
      if (later.server.life() == life && later.is_turn_open && !later.is_paused) {
        end_turn(server);
      }
    });
  }
}

void EnsembleWorld::end_turn(ServerId server) {
  Place& place = at(server);
  place.is_turn_open = false;
  try {
    place.server.replica().on_turn_end();
  } catch (const ProcessDied&) {
    stop(server, place.dies_without_power);
    return;
  }
  send_outcome(server);
  const auto failure = place.server.replica().failure();
  if (failure) {
    note(server, " fails: ", *failure);
    stop(server, false);
    observer_.on_failure(server, *failure);
    return;
  }
  connections_.read_on(server);
  plan_disk(server);
}

void EnsembleWorld::send_outcome(ServerId server) {
  auto outcome = at(server).server.take_outcome();
  for (auto& [peer, bytes] : outcome.to_peers) {
    for (ByteView rest = bytes; !rest.empty() && network_.is_up(server, peer);) {
      const auto frame =
          replication::protocol::split_peer_frame(rest, replication::limits::peer_frame_bytes_max);
      CHECK(frame.state == replication::protocol::PeerFrameSplit::State::whole,
            "half a frame for a peer");
      network_.send(server, peer, Bytes(frame.payload.begin(), frame.payload.end()));
      rest = rest.subspan(frame.consumed);
    }
  }
  for (auto& [connection, bytes] : outcome.to_clients) {
    connections_.reply(connection, std::move(bytes));
  }
  for (const ConnectionId connection : outcome.closed) {
    connections_.close(connection);
  }
}

void EnsembleWorld::plan_tick(ServerId server, std::uint64_t life) {
  const Micros most = options_.replica.peer_timeout_ms * millisecond / 20;
  events_.after(draw_between(chance_, most / 2, most), [this, server, life] {
    Place& place = at(server);
    if (place.server.life() != life || !place.server.is_running()) {
      return;
    }
    if (!place.is_paused) {
      turn(server, [](Replica& replica) { replica.on_tick(); });
    }
    plan_tick(server, life);
  });
}

// --- disks ---

void EnsembleWorld::plan_disk(ServerId server) {
  Place& place = at(server);
  if (!place.server.is_running() || place.is_paused || place.is_disk_busy ||
      place.server.disk().jobs_waiting() == 0) {
    return;
  }
  place.is_disk_busy = true;
  Micros takes = draw_between(chance_, options_.disk_job_min, options_.disk_job_max);
  if (draw(chance_, options_.slow_jobs_of_1000)) {
    takes += draw_between(chance_, 0, options_.slow_job_max);
  }
  takes += std::max<Micros>(0, place.disk_stalled_until - events_.now());
  events_.after(takes, [this, server, life = place.server.life()] {
    Place& later = at(server);
    if (later.server.life() == life && later.server.is_running()) {
      later.is_disk_busy = false;
      do_disk_job(server);
    }
  });
}

void EnsembleWorld::do_disk_job(ServerId server) {
  Place& place = at(server);
  if (place.is_paused) {
    return;
  }
  if (place.jobs_until_crash > 0 && --place.jobs_until_crash == 0) {
    stop(server, place.crash_without_power);
    return;
  }
  place.server.disk().step();
  for (const auto ticket : std::exchange(place.done, {})) {
    turn(server, [ticket](Replica& replica) { replica.on_disk_done(ticket); });
  }
  plan_disk(server);
}

// --- what reaches a replica, and what it asks of the world ---

void EnsembleWorld::on_peer_up(ServerId at, ServerId peer) {
  note(at, " is connected with ", peer);
  turn(at, [peer](Replica& replica) { replica.on_peer_up(peer); });
}

void EnsembleWorld::on_peer_frame(ServerId at, ServerId peer, ByteView payload) {
  turn(at, [peer, payload](Replica& replica) { replica.on_peer_frame(peer, payload); });
}

void EnsembleWorld::on_peer_down(ServerId at, ServerId peer) {
  note(at, " has lost ", peer);
  turn(at, [peer](Replica& replica) { replica.on_peer_down(peer); });
}

void EnsembleWorld::on_client_connected(ServerId at, ConnectionId id) {
  turn(at, [id](Replica& replica) { replica.on_connected(id, "client"); });
}

void EnsembleWorld::on_client_frame(ServerId at, ConnectionId id, ByteView payload) {
  turn(at, [id, payload](Replica& replica) { replica.on_frame(id, payload); });
}

void EnsembleWorld::on_client_gone(ServerId at, ConnectionId id) {
  turn(at, [id](Replica& replica) { replica.on_disconnected(id); });
}

bool EnsembleWorld::may_read(ServerId at, ConnectionId id) const {
  return !is_running(at) || this->at(at).server.replica().may_read(id);
}

bool EnsembleWorld::know_each_other(ServerId one, ServerId other) const {
  return at(one).server.knows(other) || at(other).server.knows(one);
}

bool EnsembleWorld::is_peer_up(ServerId at, ServerId peer) const {
  return network_.is_up(at, peer);
}

std::size_t EnsembleWorld::unsent(ServerId from, ServerId to) const {
  return network_.unsent(from, to);
}

void EnsembleWorld::drop_peer(ServerId at, ServerId peer) {
  note(at, " drops ", peer);
  network_.drop(at, peer);
}

void EnsembleWorld::on_trace(ServerId at, const replication::TraceEvent& event) {
  if (observer_.wants_diary()) {
    note(at, ": ", replication::to_text(event));
  }
  observer_.on_trace(at, event);
  for (auto& point : crash_points_) {
    if (point.countdown > 0 && point.kind == event.index() &&
        (!point.server || *point.server == at) && --point.countdown == 0) {
      this->at(at).dies_without_power = point.without_power;
      throw ProcessDied();
    }
  }
}

}  // namespace zabfs::test
