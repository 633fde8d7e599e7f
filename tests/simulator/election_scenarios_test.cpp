// Elections, epochs and who counts: T1, T2, T9, T11 to T14 of the test catalogue (docs/testing.md).
#include <gtest/gtest.h>

#include "tests/simulator/scenario_world.hpp"

namespace zabfs::test {
namespace {

using namespace replication;

constexpr Micros bounded_time_to_a_leader = 20 * second;

TEST(ElectionScenarios, T13AFreshEnsembleElectsALeaderAndEverybodyServes) {
  for (const std::uint64_t voters : {1U, 2U, 3U, 4U, 5U}) {
    ScenarioWorld scenario(voters);
    scenario.start_all();
    scenario.wait_until_all_serve();
    EXPECT_LT(scenario.world().now(), bounded_time_to_a_leader);
    scenario.expect_one_history();
  }
}

// Every job of the disk in the first seconds is once the last one that is done before the power
// fails; epochs are written in the course of it.
TEST(ElectionScenarios, T1T2AServerThatDiesAtAnyDiskJobOfAnElectionKeepsItsPromises) {
  for (std::uint64_t jobs = 0; jobs < 14; ++jobs) {
    for (const bool without_power : {false, true}) {
      ScenarioWorld scenario(3, 0, 1 + jobs);
      for (const ServerId server : scenario.servers()) {
        scenario.world().start(server);
        scenario.world().crash_after_disk_jobs(
            server, jobs + static_cast<std::uint64_t>(server.value) % 2, without_power);
      }
      scenario.run_for(3 * second);
      scenario.world().forget_crash_points();
      scenario.start_all();
      scenario.expect_one_history();
    }
  }
}

// A promise is made to one leader; before it can be kept, the other two go on without it.
TEST(ElectionScenarios, T1NoEpochIsLedTwiceWhoeverComesBackWithWhichMajority) {
  const std::vector<std::size_t> moments{
      TraceEvent(LookingBegan{}).index(), TraceEvent(LeadershipBegan{}).index(),
      TraceEvent(FollowingBegan{}).index(), TraceEvent(Appended{}).index()};
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    for (const std::size_t moment : moments) {
      ScenarioWorld scenario(3, 0, seed);
      scenario.start_all();
      ServerId away = scenario.leader();
      for (int round = 0; round < 4; ++round) {
        scenario.world().crash_at({.server = {}, .kind = moment, .without_power = true});
        scenario.world().kill(away);
        scenario.run_for(2 * second);
        scenario.start_all();
        away = scenario.leader();
      }
      scenario.world().forget_crash_points();
      scenario.start_all();
      scenario.expect_one_history();
    }
  }
}

TEST(ElectionScenarios, T1AServerWhosePromisesAreGoneRefusesToStart) {
  ScenarioWorld scenario(3);
  scenario.start_all();
  scenario.expect_one_history();
  const ServerId follower = scenario.follower();
  scenario.world().cut_power(follower);
  scenario.world().disk(follower).erase("epochs");
  scenario.expect_refusals();
  scenario.world().start(follower);
  ASSERT_EQ(scenario.refusals().size(), 1U);
  EXPECT_FALSE(scenario.world().is_running(follower));
}

// Each leader in turn takes a few writes that nobody else gets, and is lost.
TEST(ElectionScenarios, T9ALongChainOfElectionsLeavesOneHistory) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    ScenarioWorld scenario(5, 0, seed);
    scenario.start_all();
    for (int round = 0; round < 6; ++round) {
      const ServerId leader = scenario.leader();
      ScenarioClient client(scenario);
      ASSERT_TRUE(client.connect(leader));
      EXPECT_TRUE(client.create("/kept-" + std::to_string(round)));
      scenario.isolate(leader);
      for (int i = 0; i < 3; ++i) {
        client.send(protocol::CreateRequest{
            .path = "/lost-", .data = Bytes(10), .acl = open_acl(), .flags = 2});
      }
      scenario.wait([&] { return scenario.leader_now() && *scenario.leader_now() != leader; },
                    "another leads");
      scenario.heal();
    }
    scenario.expect_one_history();
    EXPECT_GE(scenario.count<LeadershipBegan>(), 7U);
  }
}

// The epoch's counter ends; another epoch begins, also with a crash at each of the last values.
TEST(ElectionScenarios, T12ACounterThatIsUsedUpBeginsAnEpoch) {
  constexpr std::uint32_t transactions = 6;
  for (std::uint64_t crash_at = 1; crash_at <= transactions + 2; ++crash_at) {
    ScenarioWorld scenario(3, 0, crash_at, [](WorldOptions& options) {
      options.replica.epoch_transactions_max = transactions;
    });
    scenario.start_all();
    scenario.leader();
    scenario.world().crash_at({.server = {},
                               .kind = TraceEvent(Proposed{}).index(),
                               .countdown = crash_at,
                               .without_power = true});
    std::uint64_t acknowledged = 0;
    for (int attempt = 0; attempt < 40 && acknowledged < 2 * transactions; ++attempt) {
      ScenarioClient client(scenario);
      if (client.connect(scenario.leader())) {
        acknowledged += client.create("/n", 2) ? 1U : 0U;
      }
      client.hang_up();
      scenario.run_for(100 * millisecond);
    }
    EXPECT_EQ(acknowledged, 2 * transactions);
    scenario.start_all();
    scenario.expect_one_history();
    EXPECT_GE(scenario.count<LeadershipBegan>(), 3U);
  }
}

// --- T13: liveness under partial failures ---

TEST(ElectionScenarios, T13OneStuckFollowerDoesNotStopCommits) {
  ScenarioWorld scenario(3);
  scenario.start_all();
  scenario.wait_until_all_serve();
  const ServerId leader = scenario.leader();
  const ServerId stuck = scenario.follower();
  ScenarioClient client(scenario);
  ASSERT_TRUE(client.connect(leader));
  scenario.world().pause(stuck);
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(client.create("/while-one-is-stuck-", 2, std::string(2000, 'x')));
  }
  EXPECT_EQ(scenario.leader_now(), leader);
  scenario.world().resume(stuck);
  scenario.expect_one_history();
}

// Longer than its patience with its leader; what the leader said meanwhile waits to be read.
TEST(ElectionScenarios, T13AFollowerThatWasStuckKeepsItsLeaderAndItsClients) {
  ScenarioWorld scenario(3);
  scenario.start_all();
  scenario.wait_until_all_serve();
  const ServerId stuck = scenario.follower();
  const auto looked = scenario.count<LookingBegan>();
  ScenarioClient client(scenario);
  ASSERT_TRUE(client.connect(stuck));
  scenario.world().pause(stuck);
  scenario.run_for(4 * second);
  scenario.world().resume(stuck);
  EXPECT_TRUE(client.create("/afterwards"));
  scenario.run_for(2 * second);
  EXPECT_TRUE(client.is_open());
  EXPECT_EQ(scenario.count<LookingBegan>(), looked);
  scenario.expect_one_history();
}

TEST(ElectionScenarios, T13APausedLeaderIsReplacedInBoundedTime) {
  ScenarioWorld scenario(3);
  scenario.start_all();
  scenario.wait_until_all_serve();
  const ServerId old = scenario.leader();
  const Micros began = scenario.world().now();
  scenario.world().pause(old);
  scenario.wait(
      [&] { return scenario.count<LeadershipBegan>() > scenario.count<LeadershipBegan>(old); },
      "another leads");
  EXPECT_LT(scenario.world().now() - began, bounded_time_to_a_leader);
  scenario.world().resume(old);
  scenario.expect_one_history();
}

// In one direction nothing gets through: from the leader, or to it, for each of its followers.
TEST(ElectionScenarios, T13OneWayPartitionsEndInOneLeader) {
  for (const bool from_leader : {false, true}) {
    for (const std::size_t cuts : {1U, 2U}) {
      ScenarioWorld scenario(3, 0, cuts);
      scenario.start_all();
      scenario.wait_until_all_serve();
      const ServerId leader = scenario.leader();
      std::size_t left = cuts;
      for (const ServerId other : scenario.servers()) {
        if (other != leader && left > 0) {
          --left;
          scenario.network().cut(from_leader ? leader : other, from_leader ? other : leader);
        }
      }
      scenario.run_for(5 * second);
      ScenarioClient client(scenario);
      EXPECT_TRUE(client.connect(scenario.leader()));
      EXPECT_TRUE(client.create("/in-spite-of-it"));
      scenario.heal();
      scenario.expect_one_history();
    }
  }
}

TEST(ElectionScenarios, T13AServerThatJoinsASettledEnsembleFollowsItsLeader) {
  ScenarioWorld scenario(5);
  for (const std::int64_t id : {1, 2, 3}) {
    scenario.world().start(ServerId{id});
  }
  const ServerId leader = scenario.leader();
  ScenarioClient client(scenario);
  ASSERT_TRUE(client.connect(leader));
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(client.create("/n", 2));
  }
  scenario.start_all();
  scenario.expect_one_history();
  EXPECT_EQ(scenario.leader_now(), leader);
}

// --- T14: observers ---

TEST(ElectionScenarios, T14ObserversServeAndNeverCount) {
  ScenarioWorld scenario(3, 2);
  scenario.start_all();
  scenario.expect_one_history();
  const ServerId leader = scenario.leader();
  const ServerId follower = scenario.follower();
  scenario.world().kill(leader);
  scenario.world().kill(follower);
  scenario.run_for(10 * second);
  EXPECT_FALSE(scenario.leader_now()) << "one voter and two observers are no majority";
  scenario.world().start(follower);
  scenario.expect_one_history();
  EXPECT_FALSE(scenario.world().member(scenario.leader()).is_observer);
}

TEST(ElectionScenarios, T14AnObserverThatWasAwayCatchesUp) {
  ScenarioWorld scenario(1, 1);
  scenario.start_all();
  scenario.wait_until_all_serve();
  const ServerId observer{2};
  scenario.world().cut_power(observer);
  ScenarioClient client(scenario);
  ASSERT_TRUE(client.connect(ServerId{1}));
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(client.create("/n", 2));
  }
  scenario.world().start(observer);
  scenario.wait_until_serving(observer);
  scenario.expect_one_history();
}

// --- T11: the disk is stuck while the world goes on ---

TEST(ElectionScenarios, T11ADiskThatHangsThroughAnElectionAddsNothingAfterwards) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    ScenarioWorld scenario(3, 0, seed);
    scenario.start_all();
    scenario.wait_until_all_serve();
    const ServerId leader = scenario.leader();
    const ServerId follower = scenario.follower();
    ScenarioClient client(scenario);
    ASSERT_TRUE(client.connect(leader));
    scenario.world().stall_disk(seed % 2 == 0 ? leader : follower, 10 * second);
    for (int i = 0; i < 10; ++i) {
      client.send(
          protocol::CreateRequest{.path = "/n", .data = Bytes(10), .acl = open_acl(), .flags = 2});
    }
    scenario.run_for(200 * millisecond);
    scenario.world().pause(leader);
    scenario.run_for(3 * second);
    scenario.world().resume(leader);
    scenario.run_for(12 * second);
    scenario.expect_one_history();
  }
}

}  // namespace
}  // namespace zabfs::test
