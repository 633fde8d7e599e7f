#include "tests/simulator/fault_injector.hpp"

#include <algorithm>
#include <variant>

namespace zabfs::test {

using replication::ServerId;
using replication::TraceEvent;

namespace {

constexpr Micros restart_min = 10 * millisecond;
constexpr std::uint64_t disk_jobs_max = 40;
constexpr std::uint64_t events_max = 30;  // of one kind, until a crash point strikes
constexpr std::uint64_t slow_bytes_per_ms = 20;

}  // namespace

void FaultInjector::plan() {
  if (options_.all() == 0) {
    return;
  }
  world_.events().after(draw_between(world_.chance(), 0, options_.between_max), [this] {
    if (!is_over_) {
      strike();
      plan();
    }
  });
}

ServerId FaultInjector::anybody() {
  return world_.servers()[world_.chance().below(world_.servers().size())];
}

Micros FaultInjector::a_while() {
  return draw_between(world_.chance(), restart_min, options_.lasts_max);
}

void FaultInjector::plan_restart(ServerId server) {
  world_.events().after(a_while(), [this, server] {
    if (!is_over_) {
      world_.start(server);
    }
  });
}

void FaultInjector::strike() {
  const std::uint64_t of_servers = options_.all() - options_.one_way_cuts - options_.isolations -
                                   options_.splits - options_.breaks - options_.flappings -
                                   options_.slow_links - options_.client_breaks;
  const std::uint64_t kind = world_.chance().below(options_.all());
  if (kind < of_servers) {
    strike_servers(kind);
  } else {
    strike_links(kind - of_servers);
  }
}

void FaultInjector::strike_servers(std::uint64_t kind) {
  const ServerId server = anybody();
  auto& chance = world_.chance();
  const auto is = [&kind](std::uint64_t weight) {
    const bool is_it = kind < weight;
    kind -= is_it ? 0 : weight;
    return is_it;
  };
  if (is(options_.kills)) {
    world_.kill(server);
  } else if (is(options_.power_failures)) {
    world_.cut_power(server);
  } else if (is(options_.blackouts)) {
    stop_all();
  } else if (is(options_.pauses)) {
    world_.pause(server);
    world_.events().after(a_while(), [this, server] { world_.resume(server); });
  } else if (is(options_.crash_points)) {
    crash_somebody_at_an_event();
  } else if (is(options_.disk_crashes)) {
    world_.crash_after_disk_jobs(server, chance.below(disk_jobs_max), draw(chance, 700));
  } else {
    world_.stall_disk(server, a_while());
  }
}

void FaultInjector::strike_links(std::uint64_t kind) {
  const ServerId one = anybody();
  const ServerId other = anybody();
  auto& network = world_.network();
  const auto is = [&kind](std::uint64_t weight) {
    const bool is_it = kind < weight;
    kind -= is_it ? 0 : weight;
    return is_it;
  };
  if (is(options_.client_breaks)) {
    world_.connections().break_one();
  } else if (is(options_.isolations)) {
    isolate({one});
  } else if (is(options_.splits)) {
    isolate({one, other, anybody()});
  } else if (one == other) {
    return;
  } else if (is(options_.one_way_cuts)) {
    world_.note("from ", one, " to ", other, " nothing gets through");
    network.cut(one, other);
    world_.events().after(a_while(), [&network, one, other] { network.heal(one, other); });
  } else if (is(options_.breaks)) {
    network.break_connection(one, other);
  } else if (is(options_.flappings)) {
    flap(one, other, 2 + world_.chance().below(10));
  } else {
    world_.note("the link of ", one, " and ", other, " is slow");
    network.set_bytes_per_ms(one, other, slow_bytes_per_ms);
    world_.events().after(a_while(), [&network, one, other] {
      network.set_bytes_per_ms(one, other, NetworkOptions{}.bytes_per_ms);
    });
  }
}

void FaultInjector::stop_all() {
  for (const ServerId server : world_.servers()) {
    if (draw(world_.chance(), 700)) {
      world_.cut_power(server);
    } else {
      world_.kill(server);
    }
  }
}

void FaultInjector::crash_somebody_at_an_event() {
  auto& chance = world_.chance();
  CrashPoint point{.kind = chance.below(std::variant_size_v<TraceEvent>),
                   .countdown = 1 + chance.below(events_max),
                   .without_power = draw(chance, 700)};
  if (draw(chance, 500)) {
    point.server = anybody();
  }
  if (draw(chance, 500)) {
    point.countdown = 1;
  }
  world_.crash_at(point);
}

// Between `some` and the others nothing gets through.
void FaultInjector::isolate(const std::vector<ServerId>& some) {
  const auto is_inside = [&some](ServerId server) {
    return std::ranges::find(some, server) != some.end();
  };
  auto& network = world_.network();
  const Micros lasts = a_while();
  for (const ServerId inside : world_.servers()) {
    for (const ServerId outside : world_.servers()) {
      if (!is_inside(inside) || is_inside(outside)) {
        continue;
      }
      world_.note(inside, " and ", outside, " are separated");
      network.cut(inside, outside);
      network.cut(outside, inside);
      world_.events().after(lasts, [&network, inside, outside] {
        network.heal(inside, outside);
        network.heal(outside, inside);
      });
    }
  }
}

void FaultInjector::flap(ServerId one, ServerId other, std::uint64_t times) {
  if (times == 0 || is_over_) {
    return;
  }
  world_.network().break_connection(one, other);
  world_.events().after(draw_between(world_.chance(), 0, 200 * millisecond),
                        [this, one, other, times] { flap(one, other, times - 1); });
}

void FaultInjector::calm(const std::vector<ServerId>& left_out) {
  is_over_ = true;
  world_.forget_crash_points();
  world_.network().calm();
  for (const ServerId server : world_.servers()) {
    if (std::ranges::find(left_out, server) != left_out.end()) {
      world_.cut_power(server);
    } else {
      world_.resume(server);
      world_.start(server);
    }
  }
}

}  // namespace zabfs::test
