// A snapshot in place of a server's history: whatever the bytes, and wherever it ends, a start
// finds the old state or the new one.
#include "replication/restoration.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "replication/model/check.hpp"
#include "replication/rebuild.hpp"
#include "replication/store/snapshot_format.hpp"
#include "replication/store/storage.hpp"
#include "replication/tree/snapshot_writer.hpp"
#include "tests/replication/store/mortal_disk.hpp"
#include "tests/support/hostile_bytes.hpp"

namespace zabfs::replication {
namespace {

using store::MortalDisk;

constexpr Epoch old_epoch{5};

tree::Transaction creation(Zxid zxid, const std::string& path) {
  return {.header = {.zxid = zxid, .session = {7}, .time_ms = 1},
          .body = tree::CreateNode{
              .path = path, .data = Bytes(3, 'x'), .acl = open_acl(), .parent_creates = 1}};
}

// A state of `znodes` znodes of one session, with an ensemble's configuration in it.
RestorableState state_of(Epoch epoch, std::uint32_t znodes) {
  RestorableState state;
  tree::Applied applied;
  Zxid zxid = Zxid::at(epoch, 0);
  const auto apply = [&](tree::Transaction transaction) {
    ++zxid.value;
    transaction.header.zxid = zxid;
    state.tree.apply(transaction, applied);
  };
  for (std::uint32_t i = 1; i <= znodes; ++i) {
    auto next = creation({}, "/n" + std::to_string(i));
    std::get<tree::CreateNode>(next.body).parent_creates = static_cast<std::int32_t>(i);
    apply(next);
  }
  apply({.body = tree::SetData{"/zookeeper/config", Bytes(4, 'c'), 0}});
  state.sessions.open({7}, {.timeout_ms = 4000, .password = {}});
  return state;
}

Bytes file_of(RestorableState& state) {
  const Zxid zxid = state.tree.last_applied();
  store::SnapshotEncoder encoder;
  Bytes file = encoder.header({.generation = {3}, .taken_at = zxid});
  const auto add = [&file](const Bytes& part) {
    file.insert(file.end(), part.begin(), part.end());
  };
  tree::SnapshotWriter writer(state.tree, state.sessions.to_bytes(), {.nodes = 4, .bytes = 1000});
  for (bool has_more = true; has_more;) {
    Bytes slice;
    has_more = writer.next_slice(slice);
    add(encoder.slice(slice));
  }
  add(encoder.trailer(zxid));
  return file;
}

// What a server has that starts on the disk.
struct Found {
  RestorableState state{};
  store::Recovery recovery{};
};

std::unique_ptr<Found> found_on(test::SimDisk& disk) {
  auto found = std::make_unique<Found>();
  Rebuild rebuild(found->state.tree, found->state.sessions);
  store::Storage storage(disk, {});
  auto recovery = storage.recover(rebuild);
  EXPECT_TRUE(recovery) << (recovery ? "" : recovery.error().sentence);
  EXPECT_EQ(rebuild.finish(), std::nullopt);
  if (recovery) {
    found->recovery = std::move(*recovery);
  }
  disk.run();
  return found;
}

// Runs the disk until it has done more.
class Awaiting {
 public:
  explicit Awaiting(test::SimDisk& disk) : disk_(disk) {
    disk.on_done([this](Ticket ticket) { done_ = ticket; });
  }

  Ticket operator()() {
    const Ticket before = done_;
    while (done_ == before && disk_.step()) {
    }
    CHECK(done_ != before, "nothing is on its way");
    return done_;
  }

 private:
  test::SimDisk& disk_;
  Ticket done_{};
};

// A server that has written a little, alone.
void live_on(test::SimDisk& disk) {
  store::Storage storage(disk, {});
  RestorableState none;
  Rebuild rebuild(none.tree, none.sessions);
  ASSERT_TRUE(storage.recover(rebuild));
  Awaiting await(disk);
  storage.save_epochs({.accepted = old_epoch, .current = old_epoch});
  for (std::uint32_t i = 1; i <= 3; ++i) {
    const Zxid zxid = Zxid::at(old_epoch, i);
    auto next = creation(zxid, "/old" + std::to_string(i));
    std::get<tree::CreateNode>(next.body).parent_creates = static_cast<std::int32_t>(i);
    Bytes record;
    tree::append_transaction(record, next);
    storage.append(zxid, record, Zxid::at(old_epoch, i - 1));
  }
  storage.flush();
  while (storage.durable() != Zxid::at(old_epoch, 3)) {
    storage.on_disk_done(await());
    storage.flush();
  }
  disk.run();
  disk.on_done({});
}

TEST(Restoration, ReadsWhatASnapshotHolds) {
  auto state = state_of({2}, 9);
  const Bytes file = file_of(state);
  const auto read = read_state(file);
  ASSERT_TRUE(std::holds_alternative<RestorableState>(read)) << std::get<std::string>(read);
  const auto& again = std::get<RestorableState>(read);
  EXPECT_EQ(again.tree.digest(), state.tree.digest());
  EXPECT_EQ(again.tree.last_applied(), state.tree.last_applied());
  EXPECT_EQ(again.sessions, state.sessions);
}

TEST(Restoration, RefusesWhateverIsNoWholeSnapshot) {
  auto state = state_of({2}, 3);
  const Bytes file = file_of(state);
  for (const auto& broken : {test::truncations_of(file), test::lies_about_counts_of(file),
                             test::mutations_of(file, 1, 2'000), test::random_runs(2, 200, 300)}) {
    for (const Bytes& bytes : broken) {
      if (bytes != file) {
        EXPECT_TRUE(std::holds_alternative<std::string>(read_state(bytes)));
      }
    }
  }
  auto late = state_of({0x7fff'ffff}, 1);
  EXPECT_TRUE(std::holds_alternative<std::string>(read_state(file_of(late))));
}

TEST(Restoration, BeginsAnEpochAboveEverythingThatWasSeen) {
  for (const std::uint32_t epoch : {2U, 5U, 9U}) {
    test::SimDisk disk;
    live_on(disk);
    Awaiting await(disk);
    const auto begun = replace_state(disk, state_of({epoch}, 9), [&] { return await(); });
    ASSERT_TRUE(std::holds_alternative<Zxid>(begun)) << std::get<std::string>(begun);
    EXPECT_EQ(std::get<Zxid>(begun), Zxid::at({std::max(epoch, 5U) + 1}, 1));
    disk.run();
    disk.on_done({});
    const auto found = found_on(disk);
    EXPECT_EQ(found->recovery.committed, std::get<Zxid>(begun));
    EXPECT_EQ(found->recovery.epochs.current, std::get<Zxid>(begun).epoch());
    EXPECT_EQ(found->state.tree.last_applied(), std::get<Zxid>(begun));
    EXPECT_NE(found->state.tree.find("/n9"), nullptr);
    EXPECT_EQ(found->state.tree.find("/old1"), nullptr);
    EXPECT_EQ(found->state.tree.find("/zookeeper/config")->data_length, 0);
    EXPECT_NE(found->state.sessions.find({7}), nullptr);
  }
}

// Every moment at which the power may fail.
TEST(Restoration, ACrashLeavesTheOldStateOrTheNewOne) {
  bool is_over = false;
  std::size_t old_states = 0;
  for (std::size_t jobs = 0; !is_over; ++jobs) {
    SCOPED_TRACE(jobs);
    MortalDisk disk;
    live_on(disk);
    disk.die_at(disk.jobs_done() + jobs);
    try {
      Awaiting await(disk);
      replace_state(disk, state_of({2}, 9), [&] { return await(); });
      is_over = true;
    } catch (const MortalDisk::Dead&) {
    }
    disk.live_on();
    Random chance(jobs);
    disk.crash(chance);
    disk.on_done({});
    const auto found = found_on(disk);
    const bool is_new = found->state.tree.find("/n9") != nullptr;
    old_states += is_new ? 0U : 1U;
    EXPECT_TRUE(is_new || !is_over);
    EXPECT_EQ(found->recovery.committed, is_new ? Zxid::at({6}, 1) : Zxid::at({5}, 2));
    EXPECT_EQ(found->recovery.last, is_new ? Zxid::at({6}, 1) : Zxid::at({5}, 3));
    EXPECT_EQ(found->state.tree.find("/old1") != nullptr, !is_new);
    EXPECT_EQ(found->recovery.epochs.current, Epoch{is_new ? 6U : 5U});
  }
  EXPECT_GT(old_states, 5U);
}

}  // namespace
}  // namespace zabfs::replication
