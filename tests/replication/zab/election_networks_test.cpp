// Elections among many servers: thousands of networks, each with the order of its messages, and
// most with a past, drawn by chance from a seed.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/replication/zab/election_network.hpp"

namespace zabfs::replication::zab {
namespace {

using test::ElectionNetwork;

constexpr ServerId one{1};
constexpr ServerId two{2};
constexpr ServerId three{3};
constexpr ServerId four{4};
constexpr ServerId five{5};

Ensemble voters(std::int64_t count) {
  Ensemble ensemble;
  for (std::int64_t id = 1; id <= count; ++id) {
    ensemble.members.push_back({.id = {id}});
  }
  return ensemble;
}

constexpr std::uint64_t seeds = 1'000;

void start_by_chance(ElectionNetwork& network, ServerId server, Random& random) {
  const Epoch epoch{static_cast<std::uint32_t>(random.below(3))};
  network.start(server, epoch, Zxid::at(epoch, static_cast<std::uint32_t>(random.below(4))));
}

// Voters and observers, sometimes with weights.
Ensemble ensemble_by_chance(Random& random) {
  Ensemble ensemble = voters(1 + static_cast<std::int64_t>(random.below(6)));
  for (Member& member : ensemble.members) {
    member.is_observer = random.below(6) == 0;
    member.weight = random.below(8) == 0 ? random.below(3) : 1;
  }
  ensemble.members.front().is_observer = false;
  ensemble.members.front().weight = 1;
  return ensemble;
}

// Processes start and end, links come and go, messages arrive, time passes.
void live_by_chance(ElectionNetwork& network, const Ensemble& ensemble, Random& random) {
  const auto anybody = [&] { return ensemble.members[random.below(ensemble.members.size())].id; };
  for (std::uint64_t step = 0, steps = random.below(150); step < steps; ++step) {
    const ServerId a = anybody();
    const ServerId b = anybody();
    switch (random.below(12)) {
      case 0:
        network.stop(a);
        break;
      case 1:
      case 2:
        if (!network.is_running(a)) {
          start_by_chance(network, a, random);
        }
        break;
      case 3:
      case 4:
        if (network.is_running(a) && network.is_running(b)) {
          network.link(a, b);
        }
        break;
      case 5:
        network.cut(a, b);
        break;
      case 6:
        network.advance(static_cast<std::int64_t>(random.below(1'500)));
        break;
      default:
        network.deliver_one();
    }
  }
}

TEST(ElectionNetworks, ElectTheBestOfThoseWhoStartTogetherWithoutWaiting) {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    Random random(seed);
    const Ensemble ensemble = ensemble_by_chance(random);
    ElectionNetwork network(ensemble, seed);
    for (const Member& member : ensemble.members) {
      start_by_chance(network, member.id, random);
    }
    const auto alone = [&](ServerId server) {
      return network.quorums(server).contains_quorum({server});
    };
    if (ensemble.members.size() > 1 && std::ranges::any_of(network.running(), alone)) {
      continue;  // its weight let it lead before it had a link
    }
    network.link_all();
    Vote best{};
    for (const ServerId server : network.running()) {
      if (network.quorums(server).may_lead(server)) {
        best = std::max(best, network.own_vote(server));
      }
    }
    EXPECT_EQ(network.agree(network.running(), 0), best.leader) << "seed " << seed;
  }
}

// After any past, a quorum with all its links agrees soon; and without a quorum, nobody does.
TEST(ElectionNetworks, AgreeOnceTheirLinksAreStable) {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    Random random(seed);
    const Ensemble ensemble = ensemble_by_chance(random);
    ElectionNetwork network(ensemble, seed);
    live_by_chance(network, ensemble, random);
    network.link_all();
    const auto running = network.running();
    if (running.empty()) {
      continue;
    }
    const bool is_enough = network.quorums(*running.begin()).contains_quorum(running);
    EXPECT_EQ(network.agree(running, 3'000).has_value(), is_enough) << "seed " << seed;
  }
}

// T13: whoever comes to a settled quorum, with any history and round, follows it at once.
TEST(ElectionNetworks, TakeInThoseWhoComeLater) {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    Random random(seed);
    ElectionNetwork network(voters(5), seed);
    for (const ServerId server : {one, two, three, four}) {
      start_by_chance(network, server, random);
    }
    network.link_all();
    const auto leader = network.agree(network.running(), 0);
    ASSERT_TRUE(leader) << "seed " << seed;
    const Epoch reign{9};
    for (const ServerId server : network.running()) {
      const Zxid last{random.below(5)};
      network[server].settle(server == *leader ? PeerState::leading : PeerState::following,
                             {.leader = *leader, .epoch = reign, .last = last});
    }
    network.start(five, Epoch{20}, Zxid::at({20}, 1));
    for (std::uint64_t round = random.below(20); round > 0; --round) {
      network[five].begin(network.own_vote(five), 0);
    }
    network.link_all();
    EXPECT_EQ(network.agree(network.running(), 0), leader) << "seed " << seed;
  }
}

TEST(ElectionNetworks, ElectAgainWhenTheLeaderIsLost) {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    Random random(seed);
    ElectionNetwork network(voters(5), seed);
    for (const ServerId server : {one, two, three, four, five}) {
      start_by_chance(network, server, random);
    }
    network.link_all();
    for (int leaders = 0; leaders < 3; ++leaders) {
      const auto leader = network.agree(network.running(), 0);
      ASSERT_TRUE(leader) << "seed " << seed;
      network.stop(*leader);
    }
    EXPECT_EQ(network.agree(network.running(), 1'000), std::nullopt) << "two of five";
  }
}

// Every way in which links of five servers, or of four, can be missing: if one of them is linked to
// a quorum, some leader gets one, even when a better candidate holds some of its supporters.
TEST(ElectionNetworks, FindALeaderInEveryNetworkThatHasOne) {
  const std::vector<ServerId> all = {one, two, three, four, five};
  for (std::uint64_t world = 0; world < 2 * 1'024; ++world) {
    ElectionNetwork network(voters(5), world);
    const std::size_t running = world < 1'024 ? 5 : 4;
    for (std::size_t i = 0; i < running; ++i) {
      network.start(all[i], {1}, Zxid::at({1}, 1));
    }
    std::map<ServerId, std::set<ServerId>> linked;
    std::uint64_t bits = world;
    for (std::size_t a = 0; a < running; ++a) {
      linked[all[a]].insert(all[a]);
      for (std::size_t b = 0; b < a; ++b, bits >>= 1) {
        if ((bits & 1) != 0) {
          network.link(all[a], all[b]);
          linked[all[a]].insert(all[b]);
          linked[all[b]].insert(all[a]);
        }
      }
    }
    const Membership& quorums = network.quorums(one);
    bool expected = false;
    for (const auto& [server, peers] : linked) {
      expected = expected || quorums.contains_quorum(peers);
    }
    bool found = false;
    for (std::int64_t passed = 0; passed < 60'000 && found != expected; passed += 50) {
      network.deliver_all();
      network.advance(50);
      for (const auto& [leader, peers] : linked) {
        std::set<ServerId> followers;
        for (const ServerId peer : peers) {
          const auto& decision = network[peer].decision();
          if (decision && decision->leader == leader) {
            followers.insert(peer);
          }
        }
        found = found || (followers.contains(leader) && quorums.contains_quorum(followers));
      }
    }
    EXPECT_EQ(found, expected) << "world " << world;
  }
}

}  // namespace
}  // namespace zabfs::replication::zab
