// Snapshots of states of any shape, written while the ensemble runs, and sent to who was away.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <variant>

#include "replication/inspection.hpp"
#include "replication/model/limits.hpp"
#include "replication/restoration.hpp"
#include "replication/store/layout.hpp"
#include "replication/store/snapshot_format.hpp"
#include "tests/simulator/scenario_world.hpp"
#include "tests/simulator/sim_restorer.hpp"

namespace zabfs::test {
namespace {

using namespace replication;

// A state from before any ensemble, to be restored.
struct Made {
  void change(tree::TransactionBody body) {
    state->tree.apply({.header = {.zxid = Zxid::at({0}, ++changes)}, .body = std::move(body)},
                      applied);
  }

  // Sessions that never end, as long as a story takes.
  void open_sessions(std::int64_t count) {
    for (std::int64_t i = 1; i <= count; ++i) {
      state->sessions.open(SessionId{i}, {.timeout_ms = 1'000'000'000,
                                          .password = Bytes(limits::session_password_bytes, 'p')});
    }
  }

  // A znode for each ACL, of about so many bytes.
  void create_with_acls(std::int32_t count, std::size_t bytes) {
    for (std::int32_t i = 1; i <= count; ++i) {
      const std::string whose = std::to_string(i) + std::string(bytes, 'w');
      change(tree::CreateNode{.path = "/of" + std::to_string(i),
                              .data = Bytes(3, 'x'),
                              .acl = {{permission::all, {"digest", whose}}},
                              .parent_creates = i});
    }
  }

  std::unique_ptr<RestorableState> state = std::make_unique<RestorableState>();
  tree::Applied applied{};
  std::uint32_t changes{};
};

// Three servers that are given a state while one of them is away, and go on until it needs the
// leader's.
class Story {
 public:
  explicit Story(std::uint64_t seed, const std::function<void(WorldOptions&)>& change = nullptr)
      : scenario(3, 0, seed, [&](WorldOptions& options) {
          options.replica.history_bytes = 500;
          if (change) {
            change(options);
          }
        }) {
    scenario.start_all();
    scenario.wait_until_all_serve();
    away = scenario.follower();
    scenario.world().cut_power(away);
  }

  void restore(Made made) {
    std::optional<std::variant<Zxid, std::string>> outcome;
    scenario.world().restore(scenario.leader(), std::move(made.state),
                             [&](const auto& told) { outcome = told; });
    scenario.wait([&] { return outcome.has_value(); }, "the operator is told");
    ASSERT_TRUE(std::holds_alternative<Zxid>(*outcome)) << std::get<std::string>(*outcome);
    scenario.expect_one_history();
    write(30);
  }

  void write(int count) {
    ScenarioClient client(scenario);
    ASSERT_TRUE(client.connect(scenario.leader()));
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(client.create("/n", 2, std::string(20, 'x')));
    }
  }

  Inspection inside(ServerId server) { return scenario.world().server(server).replica().inspect(); }

  // It has the leader's state, and still has it behind a loss of power.
  void expect_caught_up() {
    scenario.world().start(away);
    scenario.wait_until_serving(away);
    scenario.expect_one_history();
    EXPECT_GT(scenario.count<HistoryReplaced>(away), 0U);
    scenario.world().cut_power(away);
    scenario.world().start(away);
    scenario.expect_one_history();
  }

  ScenarioWorld scenario;
  ServerId away{};
};

TEST(SnapshotScenarios, AnyNumberOfSessionsIsSent) {
  Story story(1);
  Made made;
  made.open_sessions(70'000);
  story.restore(std::move(made));
  story.expect_caught_up();
  EXPECT_GE(story.inside(story.away).sessions.sessions().size(), 70'000U);
}

TEST(SnapshotScenarios, AnyNumberOfAclsIsSent) {
  Story story(2);
  Made made;
  made.create_with_acls(5'000, 1'000);
  story.restore(std::move(made));
  story.expect_caught_up();
  EXPECT_NE(story.inside(story.away).tree.find("/of5000"), nullptr);
}

constexpr std::size_t small_slice_bytes_max = 60;

void in_small_slices(WorldOptions& options) {
  options.replica.snapshot_every = 10;
  options.replica.snapshot_slice_bytes = 100;
  options.replica.snapshot_slice_bytes_max = small_slice_bytes_max;
}

Made some_of_everything() {
  Made made;
  made.open_sessions(20);
  made.create_with_acls(5, 100);
  made.change(tree::CreateNode{
      .path = "/large", .data = Bytes(3'000, 'd'), .acl = open_acl(), .parent_creates = 6});
  return made;
}

// On the disks as on the links.
TEST(SnapshotScenarios, NoSliceIsLongerThanItsBound) {
  Story story(3, in_small_slices);
  story.restore(some_of_everything());
  story.expect_caught_up();
  for (const ServerId server : story.scenario.servers()) {
    const SimDisk& disk = story.scenario.world().disk(server);
    const auto listing = store::classify(disk.list());
    ASSERT_TRUE(listing);
    ASSERT_FALSE(listing->snapshots.empty());
    int slices = 0;
    for (const store::SnapshotId& id : listing->snapshots) {
      const auto read = store::read_snapshot(disk, id, [&](ByteView slice) {
        ++slices;
        EXPECT_LE(slice.size(), small_slice_bytes_max);
        return std::nullopt;
      });
      EXPECT_TRUE(read);
    }
    EXPECT_GT(slices, 100);
  }
}

// The stream ends between any two parts, and either end goes on or dies.
TEST(SnapshotScenarios, AStreamThatBreaksBetweenPartsIsTakenUpAnew) {
  for (std::uint64_t frames = 1; frames < 120; frames += 7) {
    Story story(1 + frames, in_small_slices);
    story.restore(some_of_everything());
    auto& scenario = story.scenario;
    scenario.network().break_after(scenario.leader(), story.away, frames);
    scenario.world().start(story.away);
    scenario.run_for(static_cast<Micros>(frames) * 10 * millisecond);
    if (frames % 3 == 1) {
      scenario.world().cut_power(story.away);
    } else if (frames % 3 == 2) {
      const ServerId leader = scenario.leader();
      scenario.world().kill(leader);
      scenario.world().start(leader);
    }
    story.expect_caught_up();
  }
}

// Its disk dies at any job of what it takes over.
TEST(SnapshotScenarios, ALearnerThatDiesBetweenPartsBeginsAnew) {
  for (std::uint64_t jobs = 0; jobs < 150; jobs += 11) {
    Story story(1 + jobs, in_small_slices);
    story.restore(some_of_everything());
    auto& world = story.scenario.world();
    world.start(story.away);
    world.crash_after_disk_jobs(story.away, jobs, true);
    story.scenario.run_for(3 * second);
    world.forget_crash_points();
    story.expect_caught_up();
  }
}

// Two of three can only serve once the one has the other's state: then nothing happens meanwhile
// that would give the leader a turn, and the time for it is short.
TEST(SnapshotScenarios, ALeaderThatDoesNotServeYetSendsWithoutWaitingForTurns) {
  Story story(4, in_small_slices);
  Made made;
  made.open_sessions(2'000);
  story.restore(std::move(made));
  auto& world = story.scenario.world();
  const ServerId leader = story.scenario.leader();
  for (const ServerId server : story.scenario.servers()) {
    world.cut_power(server);
  }
  world.start(leader);
  world.start(story.away);
  story.scenario.wait_until_serving(story.away);
  story.scenario.expect_one_history();
}

// Each draws for itself when its log is long enough.
TEST(SnapshotScenarios, ServersDoNotAllWriteAtTheSameMoment) {
  ScenarioWorld scenario(3, 1, 8,
                         [](WorldOptions& options) { options.replica.snapshot_every = 20; });
  scenario.start_all();
  scenario.wait_until_all_serve();
  ScenarioClient client(scenario);
  ASSERT_TRUE(client.connect(scenario.leader()));
  for (int i = 0; i < 24; ++i) {
    ASSERT_TRUE(client.create("/n", 2));
  }
  scenario.expect_one_history();
  std::set<Zxid> moments;
  for (const ServerId server : scenario.servers()) {
    moments.insert(scenario.world().server(server).replica().status().newest_snapshot);
  }
  EXPECT_FALSE(moments.contains(Zxid{}));
  EXPECT_GT(moments.size(), 1U);
}

}  // namespace
}  // namespace zabfs::test
