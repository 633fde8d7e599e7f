// A server among others that say anything at any time: what they should, what they should not, and
// numbers that make no sense; while links break, the disk is slow, and time passes.
//
// No check of ours may fire: a broken invariant is our mistake, never a peer's. And whatever is
// asked of the disk must be what the disk can do: the disk here refuses all else, as the store
// does.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <string>
#include <utility>

#include "replication/ports/random.hpp"
#include "replication/zab/peer.hpp"
#include "tests/replication/zab/effect_text.hpp"

namespace zabfs::replication::zab {
namespace {

constexpr std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
constexpr ServerId self{2};

// How often the milestones of the protocol were reached, over all worlds.
struct Reached {
  int leading{}, following{}, truncated{}, replaced{}, abandoned{}, streamed{}, confirmed{},
      failed{};
};

// What the disk holds and is asked to hold. Every expectation is one that the store CHECKs.
class Disk {
 public:
  Disk(Epoch accepted, Epoch current, Zxid committed, Zxid last)
      : accepted_(accepted), current_(current), committed_(committed), last_(last) {}

  void on(const SaveEpochs& e) {
    EXPECT_GE(e.accepted, accepted_);
    EXPECT_GE(e.current, current_);
    EXPECT_LE(e.current, e.accepted);
    if (replaced_ && awaits_adoption_) {
      replaced_.reset();
      awaits_adoption_ = false;
    }
    accepted_ = e.accepted;
    current_ = e.current;
    is_saving = true;
  }
  void on(const Append& e) {
    EXPECT_TRUE(last_.is_followed_by(e.proposal->zxid)) << last_ << " then " << e.proposal->zxid;
    EXPECT_LE(e.proposal->zxid.epoch(), accepted_);
    last_ = e.proposal->zxid;
  }
  void on(const TruncateAfter& e) {
    EXPECT_LE(e.keep, last_);
    EXPECT_GE(e.keep, committed_);
    last_ = e.keep;
    durable_ = std::min(durable_, last_);
  }
  void on(const ReplaceHistory& e) {
    EXPECT_FALSE(replaced_.has_value());
    EXPECT_LE(e.taken_at.epoch(), accepted_);
    replaced_ = Replaced{.last = last_, .committed = committed_, .durable = durable_};
    is_sliced_ = false;
    last_ = durable_ = committed_ = e.taken_at;
  }
  void on(const AddSlice& e) {
    EXPECT_TRUE(replaced_ && !is_sliced_);
    EXPECT_FALSE(e.bytes.empty());
  }
  void on(const EndSlices& /*e*/) {
    EXPECT_TRUE(replaced_ && !is_sliced_);
    is_sliced_ = true;
  }
  void on(const AbandonReplacement& /*e*/) {
    ASSERT_TRUE(replaced_.has_value());
    last_ = replaced_->last;
    committed_ = replaced_->committed;
    durable_ = replaced_->durable;
    replaced_.reset();
  }
  void on(const CommitUpTo& e) {
    EXPECT_LE(e.up_to, last_);
    EXPECT_FALSE(replaced_.has_value());
    committed_ = std::max(committed_, e.up_to);
  }
  void on(const Barrier& e) { barrier = e.number; }
  void on(const Send& e) {
    if (const auto* ack = std::get_if<Ack>(&e.message)) {
      EXPECT_LE(ack->up_to, durable_);
    } else if (const auto* whole = std::get_if<AckNewLeader>(&e.message)) {
      EXPECT_LE(whole->up_to, durable_);
      EXPECT_EQ(whole->epoch, current_);
      EXPECT_FALSE(is_saving);
    } else if (const auto* promise = std::get_if<AckEpoch>(&e.message)) {
      EXPECT_LE(promise->last, durable_);
      EXPECT_FALSE(is_saving);
    } else if (std::holds_alternative<NewEpoch>(e.message)) {
      EXPECT_FALSE(is_saving && accepted_ != current_) << "an epoch that is not on the disk";
    }
  }
  template <class Other>
  void on(const Other& /*effect*/) {}

  // Everything appended is durable; a barrier behind a whole new history makes it adoptable.
  Zxid sync() { return durable_ = last_; }
  void pass_barrier() { awaits_adoption_ = replaced_ && is_sliced_; }
  Zxid last() const { return last_; }
  Zxid committed() const { return committed_; }
  Epoch accepted() const { return accepted_; }

  bool is_saving{};
  std::uint64_t barrier{};  // the last one that is awaited; 0 for none

 private:
  struct Replaced {
    Zxid last{};
    Zxid committed{};
    Zxid durable{};
  };

  Epoch accepted_;
  Epoch current_;
  Zxid committed_;
  Zxid last_;
  Zxid durable_{};
  std::optional<Replaced> replaced_{};
  bool is_sliced_{};
  bool awaits_adoption_{};
};

class World {
 public:
  World(std::uint64_t seed, Reached& reached)
      : random_(seed),
        reached_(reached),
        disk_(Epoch{3}, Epoch{2}, Zxid::at({2}, 2), Zxid::at({2}, 2)),
        peer_(options(random_)) {
    Recovered recovered{.accepted = {3}, .current = {2}, .committed = disk_.committed()};
    for (auto entries = random_.below(4); entries > 0; --entries) {
      const Zxid next{disk_.last().value + 1};
      recovered.tail.push_back(std::make_shared<const Proposal>(
          Proposal{.zxid = next, .record = Bytes(random_.below(20))}));
      disk_.on(Append{recovered.tail.back()});
    }
    peer_.start(std::move(recovered));
    carry_out();
  }

  void step() {
    switch (random_.below(12)) {
      case 0:
        change_link(ServerId{1 + static_cast<std::int64_t>(random_.below(5))});
        break;
      case 1:
        now_ms_ += static_cast<std::int64_t>(random_.below(chance(10) ? 400 : 40));
        peer_.on_tick(now_ms_);
        break;
      case 2:
      case 3:
      case 4:
        disk_works();
        break;
      case 5:
        as_replica();
        break;
      case 6:
        hear(somebody(), chance(4) ? anything() : ballot());
        break;
      default:
        answer();
    }
    carry_out();
  }

 private:
  bool chance(std::uint64_t one_in) { return random_.below(one_in) == 0; }
  ServerId somebody() { return {1 + static_cast<std::int64_t>(random_.below(5))}; }

  static PeerOptions options(Random& random) {
    PeerOptions options{.self = self,
                        .timeouts = {.peer_ms = 1'000, .init_ms = 5'000, .sync_ms = 3'000},
                        .counter_max = random.below(4) == 0 ? 3U : 1'000U,
                        .history_bytes_max = random.below(2) * 100};
    const std::int64_t voters = random.below(3) == 0 ? 2 : 3;
    for (std::int64_t id = 1; id <= 4; ++id) {
      options.ensemble.members.push_back({.id = {id}, .is_observer = id > voters});
    }
    return options;  // 5 is a stranger
  }

  void change_link(ServerId server) {
    if (server == self) {
      return;
    }
    if (!linked_.contains(server)) {
      linked_.insert(server);
      peer_.on_link_up(server);
    } else if (chance(8)) {
      forget(server);
      peer_.on_link_down(server, now_ms_);
    }
  }

  void forget(ServerId server) {
    linked_.erase(server);
    std::erase_if(answers_, [&](const auto& answer) { return answer.first == server; });
    std::erase(streams_, server);
  }

  void disk_works() {
    if (chance(2)) {
      peer_.on_durable(disk_.sync());
      carry_out();
    }
    if (disk_.is_saving && chance(2)) {
      disk_.is_saving = false;
      peer_.on_epochs_saved();
      carry_out();
    }
    if (disk_.barrier != 0 && !disk_.is_saving && chance(2)) {
      peer_.on_durable(disk_.sync());
      carry_out();
      disk_.pass_barrier();
      peer_.on_barrier(std::exchange(disk_.barrier, 0), now_ms_);
    }
  }

  void as_replica() {
    if (peer_.is_leading() && !peer_.is_exhausted()) {
      peer_.propose({}, Bytes(random_.below(60)));
    }
    if (peer_.is_leading() && chance(2)) {
      peer_.confirm();
    }
    peer_.on_delivered(std::min(disk_.committed(), delivered_max()), random_.next());
    if (!streams_.empty()) {
      const ServerId learner = streams_.front();
      streams_.erase(streams_.begin());
      peer_.on_snapshot_begun(learner, disk_.committed());
      carry_out();
      peer_.on_snapshot_sent(learner);
    }
    peer_.on_turn_end(now_ms_);
  }

  Zxid delivered_max() const { return peer_.standing().committed; }

  // Mostly what a decent server says next; if there is nothing, what comes to somebody's mind.
  void answer() {
    if (answers_.empty() || chance(40)) {
      hear(somebody(), chance(3) ? anything() : sensible());
      return;
    }
    const auto [from, message] = answers_.front();
    answers_.erase(answers_.begin());
    hear(from, message);
  }

  void hear(ServerId from, const Message& message) {
    trail_ += std::to_string(from.value) + ": " + to_text(message) + '\n';
    peer_.on_message(from, message, now_ms_);
  }

  Zxid zxid() {
    const Standing& mine = peer_.standing();
    const Zxid choices[] = {mine.history.last(),
                            Zxid{mine.history.last().value + 1},
                            Zxid::at(Epoch{mine.history.last().epoch().value + 1}, 1),
                            Zxid::at(mine.accepted, 1),
                            mine.history.base(),
                            mine.committed,
                            Zxid{mine.committed.value - 1},
                            Zxid::at({static_cast<std::uint32_t>(random_.below(6))},
                                     static_cast<std::uint32_t>(random_.below(6))),
                            Zxid{},
                            Zxid{random_.next()},
                            Zxid{~std::uint64_t{0}}};
    return choices[random_.below(std::size(choices))];
  }

  Epoch epoch() {
    const std::uint32_t mine = peer_.standing().accepted.value;
    const std::uint32_t choices[] = {mine,     mine, mine + 1, mine + 1, mine - 1,
                                     mine + 7, 0,    1,        most};
    return {choices[random_.below(std::size(choices) - (chance(50) ? 0 : 1))]};
  }

  Ballot ballot() {
    const auto state = static_cast<PeerState>(random_.below(3));
    const std::uint64_t round = chance(10) ? random_.next() >> random_.below(64) : round_;
    const ServerId leader = chance(2) ? self : somebody();
    const Vote mine{self, mine_vote_.epoch, mine_vote_.last};
    return {state, round, leader == self ? mine : Vote{leader, epoch(), zxid()}};
  }

  Message sensible() {
    switch (random_.below(6)) {
      case 0:
        return LearnerInfo{epoch()};
      case 1:
        return Proposal{.zxid = zxid(), .record = Bytes(random_.below(30))};
      case 2:
        return Commit{zxid(), random_.next()};
      case 3:
        return Forwarded{};
      case 4:
        return Ack{zxid()};
      default:
        return Heartbeat{random_.below(5)};
    }
  }

  Message anything() {
    const Message kinds[] = {
        ballot(),
        LearnerInfo{epoch()},
        NewEpoch{epoch()},
        AckEpoch{epoch(), zxid(), !chance(3)},
        Difference{zxid()},
        Truncate{zxid()},
        SnapshotBegin{zxid()},
        SnapshotSlice{Bytes(random_.below(3))},
        SnapshotEnd{},
        Proposal{.zxid = zxid(), .record = Bytes(random_.below(30))},
        NewLeader{epoch()},
        AckNewLeader{epoch(), zxid()},
        UpToDate{zxid()},
        Ack{zxid()},
        Commit{zxid(), random_.next()},
        Heartbeat{random_.next() >> random_.below(64)},
        HeartbeatReply{random_.next() >> random_.below(64), {{1}, {2}}},
        Forwarded{Bytes(3)},
        Ballot{static_cast<PeerState>(random_.next()), random_.next(), {{9}, epoch(), zxid()}},
    };
    return kinds[random_.below(std::size(kinds))];
  }

  void later(ServerId from, const Message& message) {
    if (linked_.contains(from)) {
      answers_.emplace_back(from, message);
    }
  }

  // What a decent server answers.
  void consider(ServerId to, const Message& message) {
    const Standing& mine = peer_.standing();
    if (const auto* ballot = std::get_if<Ballot>(&message)) {
      round_ = ballot->round;
      mine_vote_ = ballot->vote;
      if (ballot->state == PeerState::leading) {
        later(to, LearnerInfo{
                      Epoch{mine.accepted.value - static_cast<std::uint32_t>(random_.below(2))}});
      } else if (ballot->state == PeerState::looking) {
        later(to, chance(3) ? Ballot{PeerState::leading, round_, {to, mine.accepted, zxid()}}
                            : Ballot{PeerState::looking, round_, ballot->vote});
      }
    } else if (std::holds_alternative<LearnerInfo>(message)) {
      later(to,
            NewEpoch{Epoch{mine.accepted.value + static_cast<std::uint32_t>(random_.below(2))}});
    } else if (std::holds_alternative<AckEpoch>(message)) {
      synchronize(to);
    } else if (std::holds_alternative<AckNewLeader>(message)) {
      later(to, UpToDate{mine.history.last()});
    } else if (const auto* epoch = std::get_if<NewEpoch>(&message)) {
      later(to, AckEpoch{{2}, chance(3) ? zxid() : Zxid::at({2}, 2), true});
      asked_ = epoch->epoch;
    } else if (std::holds_alternative<NewLeader>(message)) {
      later(to, AckNewLeader{asked_, mine.history.last()});
    } else if (const auto* heartbeat = std::get_if<Heartbeat>(&message)) {
      later(to, HeartbeatReply{heartbeat->number, {}});
    }
  }

  void synchronize(ServerId leader) {
    const Standing& mine = peer_.standing();
    Zxid last = mine.history.last();
    if (chance(3)) {
      last = chance(20) ? Zxid{mine.committed.value - 1} : mine.committed;
      later(leader, Truncate{last});
    } else if (chance(2)) {
      last = Zxid::at(mine.accepted, 4);
      later(leader, SnapshotBegin{last});
      later(leader, SnapshotSlice{Bytes(2)});
      later(leader, SnapshotEnd{});
    } else {
      later(leader, Difference{last});
    }
    later(leader, Proposal{.zxid = Zxid{last.value + 1}, .record = Bytes(4)});
    later(leader, NewLeader{mine.accepted});
  }

  void carry_out() {
    Effects effects;
    for (peer_.take_effects(effects); !effects.empty(); peer_.take_effects(effects)) {
      for (const Effect& effect : effects) {
        trail_ += "    " + to_text(effect) + '\n';
        std::visit([this](const auto& what) { disk_.on(what); }, effect);
        note(effect);
      }
    }
    if (testing::Test::HasFailure()) {
      ADD_FAILURE() << trail_;
    }
  }

  void note(const Effect& effect) {
    if (const auto* send = std::get_if<Send>(&effect)) {
      consider(send->to, send->message);
    } else if (const auto* proposal = std::get_if<SendProposal>(&effect)) {
      later(proposal->to, Ack{proposal->proposal->zxid});
    } else if (const auto* broken = std::get_if<Disconnect>(&effect)) {
      forget(broken->server);
    } else if (const auto* stream = std::get_if<StreamSnapshot>(&effect)) {
      EXPECT_EQ(std::ranges::count(streams_, stream->learner), 0);
      streams_.push_back(stream->learner);
    } else if (std::holds_alternative<BeginLooking>(effect)) {
      streams_.clear();
    }
    count(effect);
  }

  void count(const Effect& effect) {
    reached_.leading += std::holds_alternative<BeginLeading>(effect) ? 1 : 0;
    reached_.following += std::holds_alternative<BeginFollowing>(effect) ? 1 : 0;
    reached_.truncated += std::holds_alternative<TruncateAfter>(effect) ? 1 : 0;
    reached_.replaced += std::holds_alternative<EndSlices>(effect) ? 1 : 0;
    reached_.abandoned += std::holds_alternative<AbandonReplacement>(effect) ? 1 : 0;
    reached_.streamed += std::holds_alternative<StreamSnapshot>(effect) ? 1 : 0;
    reached_.confirmed += std::holds_alternative<Confirmed>(effect) ? 1 : 0;
    reached_.failed += std::holds_alternative<Fail>(effect) ? 1 : 0;
  }

  Random random_;
  Reached& reached_;
  Disk disk_;
  Peer peer_;
  std::int64_t now_ms_{};
  std::set<ServerId> linked_{};
  std::vector<std::pair<ServerId, Message>> answers_{};
  std::vector<ServerId> streams_{};  // learners that wait for a snapshot
  std::uint64_t round_{1};
  Vote mine_vote_{};
  Epoch asked_{};
  std::string trail_{};  // what was heard and asked for, for the reader of a failure
};

TEST(HostilePeer, NeverBreaksAnInvariant) {
  const char* const only = std::getenv("ZABFS_SEED");
  const std::uint64_t first = only != nullptr ? std::stoull(only) : 1;
  const std::uint64_t worlds = only != nullptr ? 1 : 3'000;
  Reached reached;
  for (std::uint64_t seed = first; seed < first + worlds; ++seed) {
    SCOPED_TRACE("ZABFS_SEED=" + std::to_string(seed));
    World world(seed, reached);
    for (int i = 0; i < 400; ++i) {
      world.step();
      ASSERT_FALSE(testing::Test::HasFailure());
    }
  }
  if (only == nullptr) {
    EXPECT_GT(reached.leading, 100);
    EXPECT_GT(reached.following, 100);
    EXPECT_GT(reached.truncated, 100);
    EXPECT_GT(reached.replaced, 100);
    EXPECT_GT(reached.abandoned, 100);
    EXPECT_GT(reached.streamed, 100);
    EXPECT_GT(reached.confirmed, 100);
    EXPECT_GT(reached.failed, 10);
  }
}

}  // namespace
}  // namespace zabfs::replication::zab
