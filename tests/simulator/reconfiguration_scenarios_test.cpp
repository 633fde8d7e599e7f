// What an operator is told of a change of the ensemble, and what that is worth.
#include <gtest/gtest.h>

#include "replication/model/ensemble_text.hpp"
#include "tests/simulator/scenario_world.hpp"

namespace zabfs::test {
namespace {

using namespace replication;
using namespace replication::protocol;

constexpr Micros long_enough = 5 * second;

std::string line_of(std::int64_t id) {
  const auto number = std::to_string(id);
  return "server." + number + "=host:300" + number + ":400" + number + ":participant;2181";
}

// Voters 1, 2 and 3, and the servers 4 and 5, which are in step and belong to nothing yet.
void can_grow(WorldOptions& options) {
  options.replica.is_reconfigurable = true;
  options.joiners = {ServerId{4}, ServerId{5}};
  for (Member& member : options.replica.ensemble.members) {
    auto parsed = parse_ensemble(line_of(member.id.value));
    member = std::get<Ensemble>(parsed).members.front();
  }
}

// The leader and the two new servers are to be the ensemble, without the two others.
ReconfigRequest without_the_others(ServerId leader) {
  return {.new_members = line_of(leader.value) + "," + line_of(4) + "," + line_of(5)};
}

void log_in(ScenarioClient& client) {
  const auto credentials = bytes_of("super:secret");
  client.ask(AuthRequest{.scheme = "digest",
                         .credentials = Bytes(credentials.begin(), credentials.end())});
}

void switch_off(ScenarioWorld& scenario, const std::vector<ServerId>& servers) {
  for (const ServerId server : servers) {
    scenario.world().cut_power(server);
  }
}

// An ensemble that serves, and an operator at its leader who makes it another one.
struct GrowingEnsemble {
  explicit GrowingEnsemble(std::uint64_t seed) : scenario(3, 0, seed, can_grow) {
    scenario.start_all();
    scenario.wait_until_all_serve();
    leader = scenario.leader();
    EXPECT_TRUE(client.connect(leader));
    log_in(client);
  }

  // Asks for it, until it is in the logs of the new servers.
  void begin_change() {
    const auto learned = [&](std::int64_t server) {
      return scenario.count<EnsembleLearned>(ServerId{server});
    };
    const auto before = std::pair(learned(4), learned(5));
    client.send(without_the_others(leader));
    scenario.wait([&] { return learned(4) > before.first && learned(5) > before.second; },
                  "it is in the logs of the new servers");
  }

  ScenarioWorld scenario;
  ScenarioClient client{scenario};
  ServerId leader{};
};

// Everybody who left, and with them one of three who did not.
TEST(ReconfigurationScenarios, WhoeverLeftMayBeSwitchedOffOnceTheOperatorIsTold) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    GrowingEnsemble growing(seed);
    ScenarioWorld& scenario = growing.scenario;
    const auto reply = growing.client.ask(without_the_others(growing.leader), long_enough);
    ASSERT_TRUE(reply && reply->header.error == 0);
    switch_off(scenario, {ServerId{1}, ServerId{2}, ServerId{3}});
    scenario.expect_one_history();
  }
}

// The new servers have the configuration in their logs. That it is committed, nobody can tell them:
// from then on nothing of the leader and of the old servers comes through. Until they know, they
// need the old ones as well, so the operator must not be told that it is done.
TEST(ReconfigurationScenarios, NobodyIsToldBeforeTheNewServersKnowThatTheOldOnesAreNotNeeded) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    GrowingEnsemble growing(seed);
    ScenarioWorld& scenario = growing.scenario;
    growing.begin_change();
    for (std::int64_t old = 1; old <= 3; ++old) {
      scenario.network().cut(ServerId{old}, ServerId{4});
      scenario.network().cut(ServerId{old}, ServerId{5});
    }
    const auto is_told = [&] {
      for (const Heard& heard : growing.client.hear()) {
        const auto* reply = std::get_if<Reply>(&heard);
        if (reply != nullptr && reply->header.error == 0) {
          return true;
        }
      }
      return false;
    };
    if (scenario.world().run_until(is_told, long_enough)) {
      switch_off(scenario, {ServerId{1}, ServerId{2}, ServerId{3}});
    } else {
      scenario.heal();
    }
    scenario.expect_one_history();
  }
}

// The new servers have the configuration in their logs, of the old ones only the leader has it, and
// that one dies. As it may not be committed, the new ones cannot lead by themselves: the old ones
// know nothing of it and go on without them.
TEST(ReconfigurationScenarios, TheNewServersAloneDoNotLeadBeforeItIsCommitted) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    GrowingEnsemble growing(seed);
    ScenarioWorld& scenario = growing.scenario;
    for (std::int64_t old = 1; old <= 3; ++old) {
      if (ServerId{old} != growing.leader) {
        for (const ServerId cut_off : {growing.leader, ServerId{4}, ServerId{5}}) {
          scenario.network().cut(ServerId{old}, cut_off);
          scenario.network().cut(cut_off, ServerId{old});
        }
      }
    }
    growing.begin_change();
    scenario.world().kill(growing.leader);
    scenario.wait([&] { return scenario.leader_now() && *scenario.leader_now() != growing.leader; },
                  "somebody leads");
    scenario.run_for(long_enough);
    EXPECT_EQ(scenario.count<LeadershipBegan>(ServerId{4}), 0U);
    EXPECT_EQ(scenario.count<LeadershipBegan>(ServerId{5}), 0U);
    scenario.heal();
    scenario.world().start(growing.leader);
    scenario.expect_one_history();
  }
}

// A leader that is cut off has a configuration in its log which nobody else has: itself and one
// more. The others go on without it, and it comes back to them.
TEST(ReconfigurationScenarios, ALeaderComesBackWithAConfigurationThatIsLost) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    ScenarioWorld scenario(3, 0, seed, [](WorldOptions& options) {
      can_grow(options);
      options.joiners.clear();
    });
    scenario.start_all();
    scenario.wait_until_all_serve();
    const ServerId old = scenario.leader();
    const ServerId leaving = scenario.follower();
    ScenarioClient client(scenario);
    ASSERT_TRUE(client.connect(old));
    log_in(client);
    const auto before = scenario.count<EnsembleLearned>(old);
    scenario.isolate(old);
    client.send(ReconfigRequest{.leaving = std::to_string(leaving.value)});
    scenario.wait([&] { return scenario.count<EnsembleLearned>(old) > before; }, "it is proposed");
    scenario.wait([&] { return scenario.leader_now() && *scenario.leader_now() != old; },
                  "another leads");
    const auto begun = scenario.count<LeadershipBegan>();
    const ServerId other = *scenario.leader_now();
    scenario.world().kill(other);  // A round of theirs that the first one is not in.
    scenario.world().start(other);
    scenario.wait([&] { return scenario.count<LeadershipBegan>() > begun; }, "they elect again");
    scenario.heal();
    scenario.expect_one_history();
  }
}

// Whoever asks while one is on its way hears so, once that one cannot be lost any more; and from a
// version that is not in force any more nothing can be changed.
TEST(ReconfigurationScenarios, ThereIsOneChangeAtATime) {
  ScenarioWorld scenario(3, 0, 1, can_grow);
  scenario.start_all();
  scenario.wait_until_all_serve();
  const ServerId leader = scenario.leader();
  ScenarioClient one(scenario);
  ScenarioClient other(scenario);
  for (ScenarioClient* client : {&one, &other}) {
    ASSERT_TRUE(client->connect(leader));
    log_in(*client);
  }
  const auto version = scenario.world().server(leader).replica().status().ensemble_version.wire();
  const auto before = scenario.count<EnsembleLearned>(leader);
  one.send(without_the_others(leader));
  scenario.wait([&] { return scenario.count<EnsembleLearned>(leader) > before; }, "it is proposed");
  for (const ServerId server : scenario.servers()) {
    if (server != leader) {
      scenario.network().cut(server, leader);
    }
  }
  other.send(ReconfigRequest{.leaving = "4"});
  scenario.run_for(20 * millisecond);
  EXPECT_TRUE(other.hear().empty()) << "of a change that may be lost yet";
  scenario.heal();
  std::int32_t error = 0;
  const auto is_refused = [&] {
    for (const Heard& heard : other.hear()) {
      if (const auto* reply = std::get_if<Reply>(&heard)) {
        error = reply->header.error;
      }
    }
    return error != 0;
  };
  scenario.wait(is_refused, "the other is refused");
  EXPECT_EQ(error, static_cast<std::int32_t>(ErrorCode::reconfig_in_progress));
  scenario.expect_one_history();
  ScenarioClient late(scenario);
  ASSERT_TRUE(late.connect(scenario.leader()));
  log_in(late);
  const auto stale =
      late.ask(ReconfigRequest{.leaving = "4", .config_version = version}, long_enough);
  ASSERT_TRUE(stale.has_value());
  EXPECT_EQ(stale->header.error, static_cast<std::int32_t>(ErrorCode::bad_version));
}

}  // namespace
}  // namespace zabfs::test
