// A server that was away is brought up to date, and everything that can go wrong meanwhile: T3, T4,
// T6, T8, T10 of the test catalogue (docs/testing.md).
#include <gtest/gtest.h>

#include "tests/simulator/scenario_world.hpp"

namespace zabfs::test {
namespace {

using namespace replication;

// How a learner's log stands to the leader's.
enum class Gap { behind, ahead_with_what_nobody_has, too_far_behind };

// Three servers, of which `away` is down and has the gap; the other two go on.
struct Story {
  Story(Gap gap, std::uint64_t seed)
      : scenario(3, 0, seed, [gap](WorldOptions& options) {
          options.replica.snapshot_every = 10;
          if (gap == Gap::too_far_behind) {
            options.replica.history_bytes = 500;
          }
        }) {
    scenario.start_all();
    scenario.wait_until_all_serve();
    if (gap == Gap::ahead_with_what_nobody_has) {
      make_it_ahead();
    } else {
      away = scenario.follower();
      scenario.world().cut_power(away);
    }
    write(30);
  }

  // The leader logs what it cannot give to anybody, and is replaced.
  void make_it_ahead() {
    away = scenario.leader();
    ScenarioClient client(scenario);
    EXPECT_TRUE(client.connect(away));
    EXPECT_TRUE(client.create("/common"));
    scenario.isolate(away);
    for (int i = 0; i < 5; ++i) {
      client.send(protocol::CreateRequest{
          .path = "/alone-", .data = Bytes(20), .acl = open_acl(), .flags = 2});
    }
    scenario.wait([this] { return scenario.leader_now() && *scenario.leader_now() != away; },
                  "another leads");
    scenario.world().kill(away);
    scenario.heal();
  }

  void write(int count) {
    const ServerId leader = scenario.leader();
    ScenarioClient client(scenario);
    EXPECT_TRUE(client.connect(leader));
    for (int i = 0; i < count; ++i) {
      EXPECT_TRUE(client.create("/n", 2, std::string(20, 'x')));
      ++written;
    }
  }

  ScenarioWorld scenario;
  ServerId away{};
  int written{};
};

constexpr Gap gaps[] = {Gap::behind, Gap::ahead_with_what_nobody_has, Gap::too_far_behind};

TEST(SynchronizationScenarios, T4EveryGapIsClosedInItsWay) {
  for (const Gap gap : gaps) {
    Story story(gap, 1);
    story.scenario.world().start(story.away);
    story.scenario.expect_one_history();
    if (gap == Gap::ahead_with_what_nobody_has) {
      EXPECT_GT(story.scenario.count<HistoryTruncated>(story.away) +
                    story.scenario.count<HistoryReplaced>(story.away),
                0U);
    } else {
      EXPECT_EQ(story.scenario.count<HistoryTruncated>(story.away), 0U);
      EXPECT_EQ(story.scenario.count<HistoryReplaced>(story.away) > 0, gap == Gap::too_far_behind);
    }
    // What was brought in order stays so over a restart, with and without what the memory knew.
    story.scenario.world().cut_power(story.away);
    story.scenario.world().start(story.away);
    story.scenario.expect_one_history();
  }
}

// The learner loses its power at each of its disk's jobs; then the old leader does, and the learner
// must help to elect the next.
TEST(SynchronizationScenarios, T3ALearnerThatDiesAtAnyDiskJobOfTheSynchronizationDoesNoHarm) {
  for (const Gap gap : gaps) {
    for (std::uint64_t jobs = 0; jobs < 24; jobs += gap == Gap::behind ? 1 : 2) {
      Story story(gap, 1 + jobs);
      auto& world = story.scenario.world();
      world.start(story.away);
      world.crash_after_disk_jobs(story.away, jobs, true);
      story.scenario.run_for(3 * second);
      const ServerId leader = story.scenario.leader();
      world.forget_crash_points();
      world.cut_power(leader);
      world.start(story.away);
      story.scenario.leader();
      world.start(leader);
      story.scenario.expect_one_history();
    }
  }
}

// The learner dies in the moment of each event.
TEST(SynchronizationScenarios, T3ALearnerThatDiesInAnyMomentOfTheSynchronizationDoesNoHarm) {
  const std::vector<std::size_t> moments{
      TraceEvent(LookingBegan{}).index(),     TraceEvent(HistoryTruncated{}).index(),
      TraceEvent(HistoryReplaced{}).index(),  TraceEvent(Appended{}).index(),
      TraceEvent(Delivered{}).index(),        TraceEvent(FollowingBegan{}).index(),
      TraceEvent(SnapshotFinished{}).index(), TraceEvent(SnapshotBegan{}).index()};
  for (const Gap gap : gaps) {
    for (const std::size_t moment : moments) {
      for (const std::uint64_t countdown : {1U, 7U}) {
        Story story(gap, 1 + moment);
        auto& world = story.scenario.world();
        world.crash_at(
            {.server = story.away, .kind = moment, .countdown = countdown, .without_power = true});
        world.start(story.away);
        story.scenario.run_for(3 * second);
        world.forget_crash_points();
        world.cut_power(story.scenario.leader());
        story.scenario.start_all();
        story.scenario.expect_one_history();
      }
    }
  }
}

// The least majority there is loses its power right after it has acknowledged.
TEST(SynchronizationScenarios, T6WhatTheLeastMajorityAcknowledgedOutlivesItsPower) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Story story(seed % 2 == 0 ? Gap::behind : Gap::too_far_behind, seed);
    auto& world = story.scenario.world();
    const ServerId leader = story.scenario.leader();
    ServerId third{};
    for (const ServerId server : story.scenario.servers()) {
      third = server != leader && server != story.away ? server : third;
    }
    world.cut_power(third);
    world.start(story.away);
    story.scenario.wait_until_serving(story.away);
    ScenarioClient client(story.scenario);
    ASSERT_TRUE(client.connect(seed % 3 == 0 ? story.away : story.scenario.leader()));
    ASSERT_TRUE(client.create("/acknowledged", 0, "yes"));
    world.cut_power(leader);
    world.cut_power(story.away);
    world.start(third);
    world.start(seed % 4 < 2 ? leader : story.away);
    ScenarioClient reader(story.scenario);
    ASSERT_TRUE(reader.connect(story.scenario.leader()));
    EXPECT_EQ(reader.read("/acknowledged", true), "yes");
    story.scenario.start_all();
    story.scenario.expect_one_history();
  }
}

// The link breaks after every frame of the stream, from either end; the learner stays up or
// restarts, and the leader is the same or another.
TEST(SynchronizationScenarios, T8AStreamThatBreaksAnywhereIsTakenUpAnew) {
  for (const Gap gap : gaps) {
    for (std::uint64_t frames = 0; frames < 24; ++frames) {
      Story story(gap, 1 + frames);
      auto& world = story.scenario.world();
      const ServerId leader = story.scenario.leader();
      if (frames % 2 == 0) {
        story.scenario.network().break_after(leader, story.away, frames / 2);
      } else {
        story.scenario.network().break_after(story.away, leader, frames / 2);
      }
      world.start(story.away);
      if (frames % 3 == 1) {
        story.scenario.run_for(second);
        world.kill(story.away);
        world.start(story.away);
      } else if (frames % 3 == 2) {
        story.scenario.run_for(second);
        world.kill(leader);
        story.scenario.leader();
        world.start(leader);
      }
      story.scenario.expect_one_history();
    }
  }
}

// Writes go on while the learner is brought up to date, and its disk takes its time.
TEST(SynchronizationScenarios, T10ProposalsDuringTheSynchronizationAreNeitherLostNorTooEarly) {
  for (const Gap gap : gaps) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      Story story(gap, seed);
      auto& world = story.scenario.world();
      ScenarioClient client(story.scenario);
      ASSERT_TRUE(client.connect(story.scenario.leader()));
      world.start(story.away);
      for (int i = 0; i < 60; ++i) {
        client.send(protocol::CreateRequest{
            .path = "/meanwhile-", .data = Bytes(50), .acl = open_acl(), .flags = 2});
        if (i % 20 == 5) {
          world.stall_disk(story.away, static_cast<Micros>(seed) * 100 * millisecond);
        }
        story.scenario.run_for(5 * millisecond);
      }
      story.scenario.expect_one_history();
    }
  }
}

// The isolated leader writes snapshots as it goes; none may hold what is taken back later.
TEST(SynchronizationScenarios, T4WhatIsTakenBackIsInNoSnapshot) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    ScenarioWorld scenario(3, 0, seed,
                           [](WorldOptions& options) { options.replica.snapshot_every = 3; });
    scenario.start_all();
    scenario.wait_until_all_serve();
    const ServerId old = scenario.leader();
    ScenarioClient client(scenario);
    ASSERT_TRUE(client.connect(old));
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(client.create("/n", 2));
    }
    scenario.isolate(old);
    for (int i = 0; i < 10; ++i) {
      client.send(protocol::CreateRequest{
          .path = "/alone-", .data = Bytes(10), .acl = open_acl(), .flags = 2});
    }
    scenario.wait([&] { return scenario.leader_now() && *scenario.leader_now() != old; },
                  "another leads");
    ScenarioClient other(scenario);
    ASSERT_TRUE(other.connect(scenario.leader()));
    ASSERT_TRUE(other.create("/later"));
    scenario.heal();
    scenario.wait_until_all_serve();
    for (int restart = 0; restart < 3; ++restart) {
      scenario.world().cut_power(old);
      scenario.world().start(old);
      scenario.expect_one_history();
    }
  }
}

}  // namespace
}  // namespace zabfs::test
