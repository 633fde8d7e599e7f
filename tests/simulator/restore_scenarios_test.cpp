// A snapshot takes the place of everything while the ensemble runs: who is away, who dies in the
// midst, what clients are told before and after.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "replication/inspection.hpp"
#include "replication/tree/restored_pieces.hpp"
#include "tests/simulator/scenario_world.hpp"
#include "tests/simulator/sim_restorer.hpp"

namespace zabfs::test {
namespace {

using namespace replication;

using Outcome = std::optional<std::variant<Zxid, std::string>>;

void in_small_pieces(WorldOptions& options) {
  options.replica.restoration_piece_bytes = 300;
  options.replica.snapshot_slice_bytes = 150;
  options.replica.snapshot_slice_bytes_max = 100;
}

// Three servers with /old, as a backup has it; then /old has another value, and /new is there.
class Story {
 public:
  explicit Story(std::uint64_t seed,
                 const std::function<void(WorldOptions&)>& change = in_small_pieces)
      : scenario(3, 1, seed, change) {
    scenario.start_all();
    scenario.wait_until_all_serve();
    write("/old", "then");
    for (int i = 0; i < 20; ++i) {
      write("/old/n" + std::to_string(i), std::string(100, 'x'));
    }
    kept = take_state();
    write("/new", "now");
    set("/old", "now");
  }

  void write(const std::string& path, const std::string& value) {
    ScenarioClient client(scenario);
    ASSERT_TRUE(client.connect(scenario.leader()));
    ASSERT_TRUE(client.create(path, 0, value));
  }

  void set(const std::string& path, const std::string& value) {
    ScenarioClient client(scenario);
    ASSERT_TRUE(client.connect(scenario.leader()));
    ASSERT_TRUE(client.set(path, value));
  }

  // Nullopt if it is not there. A server that has yet to apply a restore drops its clients then:
  // they ask again.
  std::optional<std::string> read(const std::string& path, ServerId at) {
    for (int tries = 0; tries < 10; ++tries) {
      ScenarioClient client(scenario);
      if (!client.connect(at) || !client.ask(protocol::SyncRequest{.path = "/"})) {
        continue;
      }
      if (const auto reply = client.ask(protocol::GetDataRequest{.path = path})) {
        return reply->body ? std::optional(std::string(
                                 text_of(*std::get<protocol::GetDataResponse>(*reply->body).data)))
                           : std::nullopt;
      }
    }
    ADD_FAILURE() << "server " << at << " answers nobody";
    return std::nullopt;
  }

  // What a backup of the leader has. The last transaction may not be known to be committed there,
  // so a reader opens a session behind it.
  std::unique_ptr<RestorableState> take_state() {
    std::unique_ptr<RestorableState> state;
    const Zxid now = scenario.world().server(scenario.leader()).replica().status().last_applied;
    read("/old", scenario.leader());
    scenario.wait(
        [&] {
          state = state_on(scenario.world().server(scenario.leader()));
          return state != nullptr && state->tree.last_applied() >= now;
        },
        "the leader knows that everything is committed");
    return state;
  }

  void begin(ServerId through) {
    outcome.reset();
    scenario.world().restore(through, std::move(kept),
                             [this](const auto& told) { outcome = told; });
  }

  // Begins, and goes on until the leader has proposed that the state be replaced. To be used when
  // nobody else writes, and nothing was ever restored.
  void begin_until_proposed(ServerId through) {
    const auto& replica = scenario.world().server(through).options();
    std::uint64_t proposals = 2;  // the mark, and Restore
    {
      tree::PieceWriter pieces(
          kept->tree, kept->sessions.to_bytes(), replica.restoration_piece_bytes,
          {.bytes = replica.snapshot_slice_bytes, .bytes_max = replica.snapshot_slice_bytes_max});
      while (pieces.next()) {
        ++proposals;
      }
    }
    const ServerId leader = scenario.leader();
    const std::uint64_t before = scenario.count<Proposed>(leader);
    begin(through);
    scenario.wait([&] { return scenario.count<Proposed>(leader) >= before + proposals; },
                  "it is proposed");
  }

  void restore(ServerId through) {
    begin(through);
    scenario.wait([this] { return outcome.has_value(); }, "the operator is told");
    ASSERT_TRUE(std::holds_alternative<Zxid>(*outcome)) << std::get<std::string>(*outcome);
  }

  // On every server.
  void expect_restored(bool is_restored) {
    scenario.wait_until_all_serve();
    for (const ServerId server : scenario.servers()) {
      EXPECT_EQ(read("/old", server), is_restored ? "then" : "now") << server;
      EXPECT_EQ(read("/new", server), is_restored ? std::nullopt : std::optional("now")) << server;
    }
    scenario.expect_one_history();
  }

  ScenarioWorld scenario;
  std::unique_ptr<RestorableState> kept;
  Outcome outcome;
};

TEST(RestoreScenarios, EveryServerHasTheStateThroughWhicheverItCame) {
  for (const bool through_the_leader : {true, false}) {
    Story story(1);
    const ServerId leader = story.scenario.leader();
    story.restore(through_the_leader ? leader : story.scenario.follower());
    story.expect_restored(true);
    EXPECT_EQ(story.scenario.leader(), leader) << "nobody else need lead for that";
    story.write("/new", "now");  // life goes on
    story.set("/old", "now");
    story.expect_restored(false);
  }
}

TEST(RestoreScenarios, AnObserverMayBeGivenIt) {
  Story story(2);
  story.restore(ServerId{4});
  story.expect_restored(true);
}

TEST(RestoreScenarios, ItCanBeDoneAgain) {
  Story story(3);
  auto again = story.take_state();
  story.restore(story.scenario.follower());
  story.expect_restored(true);
  story.kept = std::move(again);
  story.restore(story.scenario.leader());
  story.expect_restored(false);
}

// The log tells it, or a snapshot does, also one that is taken between two pieces.
TEST(RestoreScenarios, WhoWasAwayHasItWhenItIsBack) {
  for (const std::uint64_t history_bytes : {std::uint64_t{1} << 20, std::uint64_t{500}}) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      Story story(seed, [&](WorldOptions& options) {
        in_small_pieces(options);
        options.replica.history_bytes = history_bytes;
        options.replica.snapshot_every = 7;
      });
      const ServerId away = story.scenario.follower();
      story.scenario.world().cut_power(away);
      if (seed % 2 == 0) {
        story.restore(story.scenario.leader());
        story.scenario.world().start(away);
      } else {
        story.begin(story.scenario.leader());
        story.scenario.world().start(away);
        story.scenario.wait([&] { return story.outcome.has_value(); }, "the operator is told");
      }
      story.expect_restored(true);
      story.scenario.world().cut_power(away);
      story.scenario.world().start(away);
      story.expect_restored(true);
    }
  }
}

// Whoever dies, and when: either all have the old state or all have the new one; and if the
// operator was told that it is done, it stays so.
TEST(RestoreScenarios, AnyDeathLeavesTheOldStateOrTheNewOne) {
  int restored = 0;
  int kept = 0;
  for (std::uint64_t jobs = 0; jobs < 30; ++jobs) {
    for (const bool through_the_leader : {true, false}) {
      Story story(1 + jobs);
      auto& scenario = story.scenario;
      const ServerId leader = scenario.leader();
      const ServerId victim = jobs % 2 == 0 ? leader : scenario.follower();
      scenario.world().crash_after_disk_jobs(victim, jobs, true);
      story.begin(through_the_leader ? leader : scenario.follower());
      scenario.run_for(3 * second);
      scenario.world().forget_crash_points();
      const bool is_told = story.outcome && std::holds_alternative<Zxid>(*story.outcome);
      scenario.world().start(victim);
      scenario.wait_until_all_serve();
      scenario.run_for(3 * second);
      const bool is_restored = story.read("/new", scenario.leader()) == std::nullopt;
      EXPECT_TRUE(is_restored || !is_told);
      story.expect_restored(is_restored);
      (is_restored ? restored : kept) += 1;
    }
  }
  EXPECT_GT(restored, 5);
  EXPECT_GT(kept, 0);
}

// What is left of one that came to nothing goes by itself.
TEST(RestoreScenarios, NoPiecesStay) {
  Story story(4);
  auto& scenario = story.scenario;
  const ServerId through = scenario.follower();
  story.begin(through);
  scenario.wait(
      [&] {
        const auto inside = scenario.world().server(scenario.leader()).replica().inspect();
        const auto* mark = inside.tree.find(tree::Restore::path);
        return mark != nullptr && mark->num_children > 0;
      },
      "there are pieces");
  scenario.world().kill(through);
  scenario.wait(
      [&] {
        const auto inside = scenario.world().server(scenario.leader()).replica().inspect();
        return inside.tree.find(tree::Restore::path)->num_children == 0;
      },
      "there are none");
  scenario.world().start(through);
  story.expect_restored(false);
}

// A state of an ensemble that has come further: zxids go on above it.
TEST(RestoreScenarios, ZxidsGoOnAboveThoseOfTheSnapshot) {
  Story story(5);
  auto& scenario = story.scenario;
  const Epoch later{story.kept->tree.last_applied().epoch().value + 1'000};
  tree::Applied applied;
  story.kept->tree.apply({.header = {.zxid = Zxid::at(later, 7)},
                          .body = tree::SetData{.path = "/old", .data = Bytes(4, 'z')}},
                         applied);
  story.restore(scenario.follower());
  EXPECT_GT(std::get<Zxid>(*story.outcome).epoch(), later);
  for (const ServerId server : scenario.servers()) {
    scenario.wait_until_serving(server);
    EXPECT_EQ(story.read("/old", server), "zzzz");
  }
  scenario.expect_one_history();
}

// The session of the backup lives on; the other one is over. A watch that was set before is
// overdue.
TEST(RestoreScenarios, ClientsAreOfTheStateThatIsThere) {
  Story story(6);
  auto& scenario = story.scenario;
  const ServerId server = scenario.follower();
  ScenarioClient old(scenario);
  ASSERT_TRUE(old.connect(server));
  ASSERT_TRUE(old.create("/mine", 1));
  story.write("/old/last", "");
  std::unique_ptr<RestorableState> kept;
  scenario.wait(
      [&] {
        kept = state_on(scenario.world().server(server));
        return kept && kept->tree.find("/old/last") != nullptr;
      },
      "the session is in what is kept");
  ScenarioClient young(scenario);
  ASSERT_TRUE(young.connect(server));
  ASSERT_TRUE(young.create("/yours", 1));
  const auto shown = old.ask(protocol::GetDataRequest{.path = "/old", .watch = true});
  ASSERT_TRUE(shown);
  story.kept = std::move(kept);
  story.restore(scenario.leader());
  scenario.wait([&] { return !old.is_open() && !young.is_open(); }, "every client is dropped");
  EXPECT_FALSE(young.connect(server));
  ASSERT_TRUE(old.connect(server));
  EXPECT_NE(old.read("/mine", true), std::nullopt);
  EXPECT_EQ(old.read("/yours", true), std::nullopt);
  old.send(protocol::SetWatchesRequest{.relative_zxid = shown->header.zxid,
                                       .data = std::vector<std::string>{"/old"},
                                       .exist = std::vector<std::string>{},
                                       .child = std::vector<std::string>{}});
  scenario.wait(
      [&] {
        return std::ranges::any_of(old.hear(), [](const Heard& heard) {
          const auto* notice = std::get_if<Notice>(&heard);
          return notice != nullptr && notice->event.path == "/old";
        });
      },
      "the watch is overdue");
  scenario.expect_one_history();
}

TEST(RestoreScenarios, ThereIsOneAtATime) {
  Story story(7);
  auto& scenario = story.scenario;
  auto second_state = story.take_state();
  const ServerId leader = scenario.leader();
  const ServerId other = scenario.follower();
  story.begin(other);
  scenario.wait(
      [&] {
        const auto* mark =
            scenario.world().server(leader).replica().inspect().tree.find(tree::Restore::path);
        return mark != nullptr;
      },
      "the first is under way");
  Outcome second_outcome;
  scenario.world().restore(leader, std::move(second_state),
                           [&](const auto& told) { second_outcome = told; });
  scenario.wait([&] { return story.outcome && second_outcome; }, "both operators are told");
  EXPECT_TRUE(std::holds_alternative<std::string>(*second_outcome));
  ASSERT_TRUE(std::holds_alternative<Zxid>(*story.outcome));
  story.expect_restored(true);
}

// Between the proposal and the end of the old state a leader decides nothing, whoever asks: what
// could be said of the old state need not be so in the new one. Nor does it end sessions.
TEST(RestoreScenarios, NothingIsDecidedUponTheStateThatGoes) {
  for (const bool at_the_leader : {false, true}) {
    Story story(9);
    auto& scenario = story.scenario;
    const ServerId leader = scenario.leader();
    ScenarioClient brief(scenario, 1'000);
    ASSERT_TRUE(brief.connect(leader));
    ScenarioClient client(scenario, 20'000);
    ASSERT_TRUE(client.connect(at_the_leader ? leader : scenario.follower()));
    brief.hang_up();
    story.begin_until_proposed(leader);
    for (const ServerId server : scenario.servers()) {
      if (server != leader) {
        scenario.world().stall_disk(server, 4 * second);
      }
    }
    client.send(protocol::SetDataRequest{.path = "/old", .data = Bytes(4, 'l'), .version = 1});
    client.send(protocol::SetDataRequest{.path = "/new", .data = Bytes(4, 'l')});
    client.send(protocol::CreateRequest{.path = "/late", .data = Bytes{}, .acl = open_acl()});
    scenario.run_for(3 * second);
    EXPECT_FALSE(story.outcome) << "the writes must come before it is done";
    scenario.wait([&] { return story.outcome.has_value(); }, "the operator is told");
    scenario.run_for(second);
    story.expect_restored(true);
    EXPECT_EQ(story.read("/late", leader), std::nullopt);
  }
}

// Who was given the state hears of its end neither by the log nor in time, but finds it in the
// state that it takes over: what the others have written since must stay.
TEST(RestoreScenarios, WhatHasWorkedIsNotDoneAgain) {
  Story story(10, [](WorldOptions& options) {
    in_small_pieces(options);
    options.replica.history_bytes = 500;
  });
  auto& scenario = story.scenario;
  const ServerId leader = scenario.leader();
  const ServerId through = scenario.follower();
  story.begin_until_proposed(through);
  scenario.isolate(through);
  scenario.wait([&] { return scenario.count<StateRestored>(leader) > 0; }, "it has worked");
  for (int i = 0; i < 30; ++i) {
    story.write("/since" + std::to_string(i), std::string(20, 'x'));
  }
  story.set("/old", "since");
  scenario.run_for(5 * second);  // it gives its leader up
  EXPECT_FALSE(story.outcome);
  scenario.heal();
  scenario.wait([&] { return story.outcome.has_value(); }, "the operator is told");
  ASSERT_TRUE(std::holds_alternative<Zxid>(*story.outcome));
  EXPECT_GT(scenario.count<HistoryReplaced>(through), 0U);
  EXPECT_EQ(scenario.count<StateRestored>(through), 0U);
  scenario.run_for(3 * second);
  EXPECT_EQ(scenario.checkers().restorations.count(), 1U);
  scenario.wait_until_all_serve();
  for (const ServerId server : scenario.servers()) {
    EXPECT_EQ(story.read("/old", server), "since") << server;
  }
  scenario.expect_one_history();
}

// A snapshot that is being written when everything is replaced is of the state before, whole: each
// that any server has written is read (checkers/whole_snapshots.hpp).
TEST(RestoreScenarios, ASnapshotUnderWayIsOfTheStateBefore) {
  int met = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    Story story(seed, [](WorldOptions& options) {
      in_small_pieces(options);
      options.replica.snapshot_every = 2;
    });
    auto& scenario = story.scenario;
    std::map<ServerId, bool> is_writing;  // before the event at hand
    std::map<ServerId, std::uint64_t> restored;
    story.begin(scenario.follower());
    scenario.wait(
        [&] {
          for (const ServerId server : scenario.servers()) {
            const auto now = scenario.count<StateRestored>(server);
            met += now > std::exchange(restored[server], now) && is_writing[server] ? 1 : 0;
            is_writing[server] =
                scenario.count<SnapshotBegan>(server) > scenario.count<SnapshotFinished>(server);
          }
          return story.outcome.has_value();
        },
        "the operator is told");
    story.expect_restored(true);
    scenario.start_all();
    for (const ServerId server : scenario.servers()) {
      scenario.world().cut_power(server);
      scenario.world().start(server);
    }
    story.expect_restored(true);
  }
  EXPECT_GT(met, 0) << "no snapshot was under way";
}

}  // namespace
}  // namespace zabfs::test
