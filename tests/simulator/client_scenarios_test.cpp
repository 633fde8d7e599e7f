// What clients are told while leaders change: T16, T18, T21 of the test catalogue
// (docs/testing.md), and what belongs to them.
#include <gtest/gtest.h>

#include "tests/simulator/scenario_world.hpp"

namespace zabfs::test {
namespace {

using namespace replication;

// A leader that is stopped or cut off does not know yet that it is none. It must not answer with
// what was true then.
TEST(ClientScenarios, T18ADeposedLeaderDoesNotAnswerASyncWithThePast) {
  for (const bool is_paused : {true, false}) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      ScenarioWorld scenario(3, 0, seed);
      scenario.start_all();
      scenario.wait_until_all_serve();
      const ServerId old = scenario.leader();
      ScenarioClient before(scenario);
      ASSERT_TRUE(before.connect(old));
      ASSERT_TRUE(before.create("/register", 0, "old"));
      if (is_paused) {
        scenario.world().pause(old);
      } else {
        scenario.isolate(old);
      }
      std::optional<ServerId> next;
      scenario.wait(
          [&] {
            for (const ServerId server : scenario.servers()) {
              if (server != old && scenario.count<LeadershipBegan>(server) > 0 &&
                  scenario.world().is_serving(server)) {
                next = server;
              }
            }
            return next.has_value();
          },
          "another leads");
      ScenarioClient after(scenario);
      ASSERT_TRUE(after.connect(*next));
      ASSERT_TRUE(after.set("/register", "new"));
      scenario.world().resume(old);
      const auto seen = before.read("/register", true);
      EXPECT_NE(seen, "old");
      EXPECT_FALSE(before.set("/register", "too late") && before.read("/register", true) == "old");
      scenario.heal();
      scenario.expect_one_history();
    }
  }
}

// The others hear at once that their connections to the leader are gone, and it does not: another
// leads before its lease is over. It has not stepped down yet, and still must not confirm a sync.
TEST(ClientScenarios, T18ALeaderThatDoesNotKnowYetDoesNotConfirmASync) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    ScenarioWorld scenario(3, 0, seed);
    scenario.start_all();
    scenario.wait_until_all_serve();
    const ServerId old = scenario.leader();
    ScenarioClient before(scenario);
    ASSERT_TRUE(before.connect(old));
    ASSERT_TRUE(before.create("/register", 0, "old"));
    for (const ServerId server : scenario.servers()) {
      if (server != old) {
        scenario.network().cut(server, old);
        scenario.network().break_connection(server, old);
      }
    }
    const auto next = [&]() -> std::optional<ServerId> {
      for (const ServerId server : scenario.servers()) {
        if (server != old && scenario.count<LeadershipBegan>(server) > 0) {
          return server;
        }
      }
      return std::nullopt;
    };
    scenario.wait([&] { return next().has_value(); }, "another leads");
    ScenarioClient after(scenario);
    ASSERT_TRUE(after.connect(*next()));
    ASSERT_TRUE(after.set("/register", "new"));
    ASSERT_TRUE(scenario.world().is_serving(old)) << "it has stepped down: this shows nothing";
    EXPECT_EQ(before.read("/register", false), "old") << "without a sync the past may be read";
    EXPECT_NE(before.read("/register", true), "old");
    scenario.heal();
    scenario.expect_one_history();
  }
}

// Nothing of a client is answered by a server that is cut off for long, and nothing of it is kept.
TEST(ClientScenarios, T18WritesOfADeposedLeaderAreAbsent) {
  ScenarioWorld scenario(3);
  scenario.start_all();
  scenario.wait_until_all_serve();
  const ServerId old = scenario.leader();
  ScenarioClient client(scenario);
  ASSERT_TRUE(client.connect(old));
  scenario.isolate(old);
  EXPECT_FALSE(client.create("/never-acknowledged"));
  EXPECT_FALSE(client.is_open());
  scenario.wait([&] { return scenario.leader_now() && *scenario.leader_now() != old; },
                "another leads");
  ScenarioClient reader(scenario);
  ASSERT_TRUE(reader.connect(scenario.leader()));
  ASSERT_TRUE(reader.create("/acknowledged"));
  scenario.heal();
  scenario.expect_one_history();
  ScenarioClient again(scenario);
  ASSERT_TRUE(again.connect(old));
  EXPECT_FALSE(again.read("/never-acknowledged", true));
  EXPECT_TRUE(again.read("/acknowledged", true));
}

// The leader is lost shortly before the session would expire: it expires once, later, everywhere.
TEST(ClientScenarios, T21ASessionExpiresOnceAlthoughTheLeaderChanges) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    ScenarioWorld scenario(3, 0, seed);
    scenario.start_all();
    scenario.wait_until_all_serve();
    const ServerId follower = scenario.follower();
    ScenarioClient silent(scenario, 2000);
    ASSERT_TRUE(silent.connect(follower));
    ASSERT_TRUE(silent.create("/ephemeral", 1));
    scenario.run_for(1900 * millisecond + static_cast<Micros>(seed) * 50 * millisecond);
    const ServerId leader = scenario.leader();
    scenario.world().cut_power(leader);
    ScenarioClient reader(scenario);
    ASSERT_TRUE(reader.connect(scenario.leader()));
    scenario.wait([&] { return !reader.read("/ephemeral", true).has_value(); },
                  "the ephemeral znode is gone");
    scenario.world().start(leader);
    scenario.expect_one_history();
    EXPECT_FALSE(silent.connect(scenario.follower())) << "the session is over";
    for (const ServerId server : scenario.servers()) {
      EXPECT_LE(scenario.count<SessionClosed>(server), 8U);
    }
  }
}

TEST(ClientScenarios, T21ASessionThatIsHeardOfSurvivesTheLeader) {
  ScenarioWorld scenario(3);
  scenario.start_all();
  scenario.wait_until_all_serve();
  ScenarioClient client(scenario, 3000);
  ASSERT_TRUE(client.connect(scenario.follower()));
  ASSERT_TRUE(client.create("/ephemeral", 1));
  for (int round = 0; round < 3; ++round) {
    const ServerId leader = scenario.leader();
    scenario.world().cut_power(leader);
    scenario.leader();
    scenario.world().start(leader);
    if (!client.is_open()) {
      ASSERT_TRUE(client.connect(scenario.follower()));
    }
    client.ask(protocol::PingRequest{}, second);
    scenario.wait_until_all_serve();
  }
  ASSERT_TRUE(client.is_open() || client.connect(scenario.leader()));
  EXPECT_TRUE(client.read("/ephemeral", true));
}

// The transaction that ends such a session is large; everybody must be able to read it back.
TEST(ClientScenarios, T16ASessionWithThousandsOfEphemeralsEndsEverywhere) {
  ScenarioWorld scenario(3, 0, 1, [](WorldOptions& options) {
    options.replica.snapshot_every = 1000;
    options.replica.log_segment_bytes = 1 << 20;
  });
  scenario.start_all();
  scenario.wait_until_all_serve();
  ScenarioClient client(scenario, 40'000);
  ASSERT_TRUE(client.connect(scenario.follower()));
  const std::string parent = "/" + std::string(200, 'p');
  ASSERT_TRUE(client.create(parent));
  for (int batch = 0; batch < 10; ++batch) {
    protocol::MultiRequest multi;
    for (int i = 0; i < 200; ++i) {
      multi.operations.push_back(protocol::CreateRequest{
          .path = parent + "/e-", .data = std::nullopt, .acl = open_acl(), .flags = 3});
    }
    ASSERT_TRUE(client.ask(multi));
  }
  EXPECT_EQ(scenario.world().server(scenario.leader()).replica().status().ephemerals, 2000U);
  ASSERT_TRUE(client.ask(protocol::CloseSessionRequest{}));
  for (const ServerId server : scenario.servers()) {
    scenario.world().cut_power(server);
  }
  scenario.start_all();
  scenario.expect_one_history();
  EXPECT_EQ(scenario.world().server(scenario.leader()).replica().status().ephemerals, 0U);
}

TEST(ClientScenarios, ASyncBehindAFollowerShowsWhatWasAcknowledgedElsewhere) {
  ScenarioWorld scenario(3);
  scenario.start_all();
  scenario.wait_until_all_serve();
  ScenarioClient writer(scenario);
  ScenarioClient reader(scenario);
  ASSERT_TRUE(writer.connect(scenario.leader()));
  ASSERT_TRUE(reader.connect(scenario.follower()));
  ASSERT_TRUE(writer.create("/register", 0, "0"));
  for (int i = 1; i < 50; ++i) {
    ASSERT_TRUE(writer.set("/register", std::to_string(i)));
    EXPECT_EQ(reader.read("/register", true), std::to_string(i));
  }
}

// A write overtakes the sync in front of it, which is answered with it. The leader's word on that
// sync comes later, and must not be taken for its word on the next one.
TEST(ClientScenarios, ASyncIsNotAnsweredByTheConfirmationOfAnEarlierOne) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    ScenarioWorld scenario(3, 0, seed,
                           [](WorldOptions& options) { options.network.delay_max = 8000; });
    scenario.start_all();
    scenario.wait_until_all_serve();
    ScenarioClient writer(scenario);
    ScenarioClient reader(scenario);
    ASSERT_TRUE(writer.connect(scenario.leader()));
    ASSERT_TRUE(reader.connect(scenario.follower()));
    ASSERT_TRUE(writer.create("/register", 0, "0"));
    ASSERT_TRUE(writer.create("/other"));
    for (int i = 1; i < 40; ++i) {
      reader.send(protocol::SyncRequest{.path = "/"});
      ASSERT_TRUE(reader.set("/other", "x"));
      ASSERT_TRUE(writer.set("/register", std::to_string(i)));
      EXPECT_EQ(reader.read("/register", true), std::to_string(i));
    }
  }
}

// What a session asked on its old connection comes to the leader after it has moved: it is late,
// and must not be carried out behind what the session has done since.
TEST(ClientScenarios, AWriteThatComesAfterItsSessionHasMovedIsNotCarriedOut) {
  ScenarioWorld scenario(3);
  scenario.start_all();
  scenario.wait_until_all_serve();
  const ServerId leader = scenario.leader();
  const ServerId follower = scenario.follower();
  ScenarioClient client(scenario);
  ASSERT_TRUE(client.connect(follower));
  ASSERT_TRUE(client.create("/register", 0, "first"));
  scenario.network().cut(follower, leader);
  client.send(protocol::SetDataRequest{
      .path = "/register", .data = Bytes{'l', 'a', 't', 'e'}, .version = -1});
  scenario.run_for(20 * millisecond);
  client.hang_up();
  ASSERT_TRUE(client.connect(leader));
  ASSERT_TRUE(client.set("/register", "second"));
  scenario.network().heal(follower, leader);
  scenario.run_for(100 * millisecond);
  EXPECT_EQ(client.read("/register", true), "second");
  EXPECT_TRUE(scenario.world().is_serving(follower)) << "the link broke: this shows nothing";
  scenario.expect_one_history();
}

}  // namespace
}  // namespace zabfs::test
