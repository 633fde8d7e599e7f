// A replica as one of three servers. The leader is the test, which says what a leader says, frame
// by frame; the disk does one job at a time.
//
// What is shown here is the order between the disk and the word: what zab asks for is tested in
// tests/replication/zab, and whole ensembles in tests/simulator.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "replication/apply.hpp"
#include "replication/model/limits.hpp"
#include "replication/ports/random.hpp"
#include "replication/protocol/peer_frame.hpp"
#include "replication/replica.hpp"
#include "replication/session/session_table.hpp"
#include "replication/tree/snapshot_writer.hpp"
#include "replication/zab/message_codec.hpp"
#include "tests/support/sim_disk.hpp"
#include "tests/support/trusting_authenticator.hpp"

namespace zabfs::replication {
namespace {

using zab::Message;

constexpr ServerId leader{2};

class Learner : private Clock,
                private Entropy,
                private ClientLinks,
                private PeerLinks,
                private Trace {
 public:
  void start() {
    replica_ = std::make_unique<Replica>(
        ReplicaOptions{.id = {1}, .ensemble = {.members = {{.id = {1}}, {.id = {2}}, {.id = {3}}}}},
        ReplicaPorts{.clock = *this,
                     .entropy = *this,
                     .authenticator = authenticator_,
                     .disk = disk,
                     .clients = *this,
                     .peers = *this,
                     .trace = *this});
    disk.on_done([this](Ticket ticket) {
      replica_->on_disk_done(ticket);
      replica_->on_turn_end();
    });
    EXPECT_EQ(replica_->start(), std::nullopt);
    replica_->on_turn_end();
    disk.run();
  }

  // The power fails.
  void crash(std::uint64_t seed) {
    Random chance{seed};
    disk.crash(chance);
    replica_.reset();
  }

  // The link comes up; the leader says that it has won this server's round.
  void link() {
    sent_.clear();
    replica_->on_peer_up(leader);
    replica_->on_turn_end();
    const auto ballot = last<zab::Ballot>();
    ASSERT_TRUE(ballot.has_value());
    hear(zab::Ballot{zab::PeerState::leading, ballot->round, {.leader = leader}});
    ASSERT_TRUE(last<zab::LearnerInfo>().has_value());
  }

  void unlink() {
    replica_->on_peer_down(leader);
    replica_->on_turn_end();
    disk.run();
  }

  void hear(const Message& message) {
    Bytes payload;
    zab::append_message(payload, message);
    replica_->on_peer_frame(leader, payload);
    replica_->on_turn_end();
  }

  // What was last said of this kind since the link came up.
  template <class Kind>
  std::optional<Kind> last() const {
    std::optional<Kind> found;
    ByteView rest = sent_;
    while (!rest.empty()) {
      const auto split = protocol::split_peer_frame(rest, limits::peer_frame_bytes_max);
      const auto message = zab::decode_message(split.payload);
      if (const auto* body = std::get_if<Kind>(&*message)) {
        found = *body;
      }
      rest = rest.subspan(split.consumed);
    }
    return found;
  }

  ReplicaStatus status() const { return replica_->status(); }
  const std::optional<std::string>& failure() const { return replica_->failure(); }

  test::SimDisk disk{};

 private:
  std::int64_t monotonic_ms() const override { return 0; }
  std::int64_t wall_ms() const override { return 0; }
  void fill(std::span<std::uint8_t> bytes) override { std::ranges::fill(bytes, std::uint8_t{0}); }
  Bytes& outbox(ConnectionId /*connection*/) override { return sent_; }
  void close(ConnectionId /*connection*/) override {}
  Bytes& outbox(ServerId /*peer*/) override { return sent_; }
  std::size_t unsent(ServerId /*peer*/) const override { return 0; }
  void drop(ServerId /*peer*/) override { sent_.clear(); }
  void record(const TraceEvent& /*event*/) override {}

  Bytes sent_{};
  const test::TrustingAuthenticator authenticator_{};
  std::unique_ptr<Replica> replica_{};
};

// The slices of a state whose last transaction is `zxid`.
std::vector<Bytes> snapshot_after(Zxid zxid) {
  tree::DataTree tree;
  session::SessionTable sessions;
  tree::Applied applied;
  apply({.header = {.zxid = zxid, .session = {77}},
         .body = tree::OpenSession{.timeout_ms = 4'000,
                                   .password = Bytes(limits::session_password_bytes)}},
        tree, sessions, applied);
  tree::SnapshotWriter writer(tree, sessions.to_bytes());
  std::vector<Bytes> slices;
  for (bool more = true; more;) {
    more = writer.next_slice(slices.emplace_back());
  }
  return slices;
}

// Follows the leader of epoch 1, whose history is empty.
void follow(Learner& learner) {
  learner.start();
  learner.link();
  learner.hear(zab::NewEpoch{{1}});
  learner.disk.run();
  learner.hear(zab::Difference{});
  learner.hear(zab::NewLeader{{1}});
  learner.disk.run();
  ASSERT_TRUE(learner.last<zab::AckNewLeader>().has_value());
  learner.hear(zab::UpToDate{});
  ASSERT_EQ(learner.status().role, ServerRole::following);
}

// Comes back to the same leader, which has gone far ahead, and gets its state after `taken_at`.
void replace_history(Learner& learner, Zxid said, Zxid taken_at) {
  learner.unlink();
  learner.link();
  learner.hear(zab::NewEpoch{{1}});
  ASSERT_TRUE(learner.last<zab::AckEpoch>().has_value());
  learner.hear(zab::SnapshotBegin{said});
  for (Bytes& slice : snapshot_after(taken_at)) {
    learner.hear(zab::SnapshotSlice{std::move(slice)});
  }
  learner.hear(zab::SnapshotEnd{});
}

// The epochs do not change when it comes back in the epoch it is in; that they are on the disk
// already says nothing of the history that is adopted with them.
TEST(ReplicaEnsemble, AcknowledgesAReplacedHistoryOnlyWhenItIsDurable) {
  constexpr Zxid taken_at = Zxid::at({1}, 50);
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Learner learner;
    follow(learner);
    replace_history(learner, taken_at, taken_at);
    learner.hear(zab::NewLeader{{1}});
    while (!learner.last<zab::AckNewLeader>()) {
      ASSERT_TRUE(learner.disk.step()) << "the disk is done and nothing was acknowledged";
    }
    EXPECT_EQ(learner.last<zab::AckNewLeader>()->up_to, taken_at);
    learner.crash(seed);
    learner.start();
    EXPECT_EQ(learner.status().last_applied, taken_at) << "seed " << seed;
  }
}

TEST(ReplicaEnsemble, RefusesAStateThatIsNotOfTheMomentItWasSaidToBeOf) {
  Learner learner;
  follow(learner);
  replace_history(learner, Zxid::at({1}, 50), Zxid::at({1}, 51));
  ASSERT_TRUE(learner.failure().has_value());
  EXPECT_NE(learner.failure()->find("moment"), std::string::npos);
}

}  // namespace
}  // namespace zabfs::replication
