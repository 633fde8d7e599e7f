#include "tests/simulator/swarm.hpp"

#include <limits>

namespace zabfs::test {

using replication::Random;
using replication::ServerId;

namespace {

// 0 in half of the worlds.
std::uint64_t maybe(Random& chance, std::uint64_t most) {
  return draw(chance, 500) ? 1 + chance.below(most) : 0;
}

std::uint64_t draw_voters(Random& chance) {
  const std::uint64_t kind = chance.below(100);
  return kind < 10 ? 1 : kind < 15 ? 2 : kind < 65 ? 3 : kind < 70 ? 4 : 5;
}

replication::ReplicaOptions draw_replica(const Swarm& swarm, Random& chance) {
  replication::ReplicaOptions options;
  for (std::uint64_t i = 1; i <= swarm.voters + swarm.observers; ++i) {
    options.ensemble.members.push_back(
        {.id = ServerId{static_cast<std::int64_t>(i)}, .is_observer = i > swarm.voters});
  }
  options.peer_timeout_ms = 200 << chance.below(3);
  options.init_timeout_ms = 10 * options.peer_timeout_ms;
  options.tick_ms = 500;
  options.session_timeout_min_ms = 1000;
  options.epoch_transactions_max = draw(chance, 300)
                                       ? static_cast<std::uint32_t>(20 + chance.below(200))
                                       : std::numeric_limits<std::uint32_t>::max();
  if (draw(chance, 500)) {
    options.history_bytes = 200 + chance.below(5000);
  }
  options.snapshot_every = draw(chance, 500) ? 10 + chance.below(90) : 1000;
  options.log_segment_bytes = (4 + chance.below(60)) << 10;
  return options;
}

// One in five ensembles has voters of different weight, some of none; most of these have groups.
// The dice are others than those of the world, which is the same without this.
void draw_weights(replication::Ensemble& ensemble, Random chance) {
  if (!draw(chance, 200)) {
    return;
  }
  const std::uint64_t groups = 1 + chance.below(3);
  for (auto& member : ensemble.members) {
    member.weight = chance.below(4);
    member.group = static_cast<std::uint32_t>(chance.below(groups));
  }
  if (mistake_in(ensemble, ensemble.members.front().id)) {  // nobody weighs anything
    ensemble.members.front().weight = 1;
  }
}

NetworkOptions draw_network(Random& chance) {
  NetworkOptions options;
  options.delay_max = millisecond << chance.below(5);
  options.connect_max = (5 * millisecond) << chance.below(6);
  options.silence_max = second << chance.below(4);
  options.breaks_per_100k = maybe(chance, 100);
  options.replacements_per_100k = maybe(chance, 100);
  return options;
}

ClientOptions draw_client(Random& chance) {
  ClientOptions options;
  options.think_max = (10 * millisecond) << chance.below(4);
  options.burst_max = 1 + chance.below(8);
  options.timeout_ms = static_cast<std::int32_t>(2000 << chance.below(3));
  options.registers = 1 + chance.below(5);
  options.value_bytes_max = draw(chance, 200) ? 2000 : 40;
  options.sets = 1 + chance.below(12);
  options.multis = maybe(chance, 8);
  options.sequentials = maybe(chance, 8);
  options.ephemerals = maybe(chance, 8);
  options.numbered = maybe(chance, 12);
  options.locks = maybe(chance, 4);
  options.reads = chance.below(12);
  options.synced_reads = chance.below(12);
  options.watches = maybe(chance, 10);
  options.moves_of_1000 = maybe(chance, 30);
  options.closes_of_1000 = maybe(chance, 10);
  options.silences_of_1000 = maybe(chance, 8);
  return options;
}

// Znodes that end by themselves, each kind in half of the worlds; with dice of their own, as above.
void draw_ends(Swarm& swarm, Random chance) {
  swarm.world.replica.removal_check_ms = 100 << chance.below(4);
  swarm.world.replica.removals_per_minute = 60 << chance.below(8);
  swarm.world.replica.container_never_used_ms = draw(chance, 500) ? 1'000 : 0;
  swarm.client.acls = maybe(chance, 6);
  swarm.client.containers = maybe(chance, 6);
  swarm.client.ttls = maybe(chance, 6);
}

FaultOptions draw_faults(Random& chance) {
  FaultOptions options;
  if (draw(chance, 60)) {
    return options;  // a quiet world
  }
  options.between_max = (500 * millisecond) << chance.below(4);
  options.lasts_max = (200 * millisecond) << chance.below(5);
  options.kills = maybe(chance, 10);
  options.power_failures = maybe(chance, 10);
  options.blackouts = maybe(chance, 3);
  options.pauses = maybe(chance, 10);
  options.crash_points = maybe(chance, 20);
  options.disk_crashes = maybe(chance, 10);
  options.disk_stalls = maybe(chance, 10);
  options.one_way_cuts = maybe(chance, 10);
  options.isolations = maybe(chance, 10);
  options.splits = maybe(chance, 10);
  options.breaks = maybe(chance, 10);
  options.flappings = maybe(chance, 5);
  options.slow_links = maybe(chance, 5);
  options.client_breaks = maybe(chance, 10);
  return options;
}

// In one of four worlds the ensemble changes, among its servers and up to three more. The dice are
// others, as with weights.
void draw_operator(Swarm& swarm, Random chance, bool must) {
  if (!draw(chance, must ? 1000 : 250)) {
    return;
  }
  auto& replica = swarm.world.replica;
  swarm.is_reconfigured = true;
  replica.is_reconfigurable = true;
  replica.voters_min = 1;
  for (auto& member : replica.ensemble.members) {
    member = {.id = member.id,
              .is_observer = member.is_observer,
              .host = "host",
              .port = static_cast<std::uint16_t>(3000 + 10 * member.id.value),
              .election_port = static_cast<std::uint16_t>(4000 + member.id.value),
              .client_port = std::uint16_t{2181}};
  }
  const auto members = static_cast<std::int64_t>(replica.ensemble.members.size());
  for (std::int64_t i = 1 + static_cast<std::int64_t>(chance.below(3)); i > 0; --i) {
    swarm.world.joiners.push_back(ServerId{members + i});
  }
  swarm.operating.think_max = (100 * millisecond) << chance.below(5);
  swarm.operating.switches_off_of_1000 = maybe(chance, 500);
}

// In one of four worlds the state is set back now and then. In some the size of the log, too, is a
// reason for a snapshot.
void draw_restores(Swarm& swarm, Random chance) {
  if (draw(chance, 300)) {
    swarm.world.replica.snapshot_log_bytes = 500 + chance.below(20'000);
  }
  if (draw(chance, 250)) {
    swarm.restores_after = (500 * millisecond) << chance.below(4);
    swarm.world.replica.restoration_piece_bytes = 200 + chance.below(3'000);
  }
}

// In one of three worlds snapshots come in many small slices, so that much happens between two of
// them, and what is longer than the second bound is cut. Each is two jobs of the disk and one frame
// of the link. Where those are slow or break, slices are larger: a server must have the state of
// the others, however large a world makes it, within the time that is allowed.
void draw_slices(WorldOptions& world, Random chance) {
  if (!draw(chance, 333)) {
    return;
  }
  constexpr std::uint64_t state_bytes = 2'000'000;
  constexpr auto time_us = static_cast<std::uint64_t>(10 * second);
  const auto job_us =
      static_cast<std::uint64_t>(world.disk_job_max) +
      static_cast<std::uint64_t>(world.slow_job_max) * world.slow_jobs_of_1000 / 2'000;
  const std::uint64_t breaks_per_100k =
      world.network.breaks_per_100k + world.network.replacements_per_100k;
  const std::uint64_t least =
      50 + 2 * state_bytes * job_us / time_us + 2 * state_bytes * breaks_per_100k / 100'000;
  world.replica.snapshot_slice_bytes = least + chance.below(1'500);
  world.replica.snapshot_slice_bytes_max = least + chance.below(1'500);
}

}  // namespace

std::uint64_t FaultOptions::all() const {
  return kills + power_failures + blackouts + pauses + crash_points + disk_crashes + disk_stalls +
         one_way_cuts + isolations + splits + breaks + flappings + slow_links + client_breaks;
}

Swarm draw_swarm(std::uint64_t seed, std::uint64_t steps, std::uint64_t voters,
                 bool must_be_reconfigured) {
  Random chance(seed);
  Swarm swarm{.seed = seed, .steps = steps};
  swarm.voters = draw_voters(chance);
  swarm.observers = draw(chance, 300) ? 1 + chance.below(2) : 0;
  if (voters > 0) {
    swarm.voters = voters;
    swarm.observers = 0;
  }
  swarm.clients = 2 + chance.below(6);
  swarm.world.replica = draw_replica(swarm, chance);
  swarm.world.network = draw_network(chance);
  swarm.world.client_delay_max = millisecond << chance.below(4);
  swarm.world.slow_jobs_of_1000 = maybe(chance, 50);
  swarm.world.slow_job_max = (5 * millisecond) << chance.below(6);
  swarm.client = draw_client(chance);
  swarm.faults = draw_faults(chance);
  swarm.world.seed = chance.next();
  draw_weights(swarm.world.replica.ensemble, Random(~seed));
  draw_ends(swarm, Random(~seed ^ 1));
  draw_operator(swarm, Random(seed ^ 0x5eed'0f'0000'0000), must_be_reconfigured);
  draw_restores(swarm, Random(seed ^ 0x5e7'bac'0000'0000));
  draw_slices(swarm.world, Random(seed ^ 0x511'ce5'0000'0000));
  return swarm;
}

std::ostream& operator<<(std::ostream& out, const Swarm& swarm) {
  const auto& replica = swarm.world.replica;
  const auto& network = swarm.world.network;
  const auto& client = swarm.client;
  const auto& faults = swarm.faults;
  out << "seed " << swarm.seed << ": " << swarm.voters << " voters, " << swarm.observers
      << " observers, " << swarm.clients << " clients, " << swarm.steps << " steps\n";
  out << "  replica: peer timeout " << replica.peer_timeout_ms << " ms, epochs of "
      << replica.epoch_transactions_max << ", " << replica.history_bytes
      << " bytes of history, snapshot every " << replica.snapshot_every << " or "
      << replica.snapshot_log_bytes << " bytes in slices of " << replica.snapshot_slice_bytes
      << " and at most " << replica.snapshot_slice_bytes_max << ", segments of "
      << replica.log_segment_bytes << " bytes";
  for (const auto& member : replica.ensemble.members) {
    if (member.weight != 1 || member.group != 0) {
      out << ", server " << member.id << " weighs " << member.weight << " in group "
          << member.group;
    }
  }
  out << '\n';
  out << "  network: delay up to " << network.delay_max << " us, connecting up to "
      << network.connect_max << " us, silence up to " << network.silence_max
      << " us, of 100000 frames " << network.breaks_per_100k << " break and "
      << network.replacements_per_100k << " replace their connection\n";
  out << "  disk: " << swarm.world.slow_jobs_of_1000 << " of 1000 jobs take up to "
      << swarm.world.slow_job_max << " us\n";
  out << "  clients: every " << client.think_max << " us up to " << client.burst_max
      << " requests, timeout " << client.timeout_ms << " ms; sets " << client.sets << ", multis "
      << client.multis << ", sequentials " << client.sequentials << ", ephemerals "
      << client.ephemerals << ", numbered " << client.numbered << ", locks " << client.locks
      << ", reads " << client.reads << ", synced reads " << client.synced_reads << ", watches "
      << client.watches << ", ACLs " << client.acls << ", containers " << client.containers
      << ", times to live " << client.ttls << "; of 1000 bursts " << client.moves_of_1000
      << " move, " << client.closes_of_1000 << " close, " << client.silences_of_1000
      << " fall silent\n";
  out << "  faults: one within " << faults.between_max << " us for up to " << faults.lasts_max
      << " us; kills " << faults.kills << ", power failures " << faults.power_failures
      << ", blackouts " << faults.blackouts << ", pauses " << faults.pauses << ", crash points "
      << faults.crash_points << ", disk crashes " << faults.disk_crashes << ", disk stalls "
      << faults.disk_stalls << ", one-way cuts " << faults.one_way_cuts << ", isolations "
      << faults.isolations << ", splits " << faults.splits << ", breaks " << faults.breaks
      << ", flappings " << faults.flappings << ", slow links " << faults.slow_links
      << ", client breaks " << faults.client_breaks;
  if (swarm.is_reconfigured) {
    out << "\n  operator: every " << swarm.operating.think_max << " us, with "
        << swarm.world.joiners.size() << " more servers; of 1000 that left "
        << swarm.operating.switches_off_of_1000 << " are switched off";
  }
  if (swarm.restores_after > 0) {
    out << "\n  restores: every " << swarm.restores_after << " us, in pieces of "
        << replica.restoration_piece_bytes << " bytes";
  }
  return out;
}

}  // namespace zabfs::test
