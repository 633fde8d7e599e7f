// Election, by hand and in networks of which every message is delivered in an order drawn by
// chance.
#include "replication/zab/election.hpp"

#include <gtest/gtest.h>

#include "replication/jute/jute_archive.hpp"
#include "replication/ports/random.hpp"

namespace zabfs::replication::zab {
namespace {

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

Vote vote(ServerId leader, std::uint32_t epoch, std::uint32_t counter) {
  return {.leader = leader, .epoch = {epoch}, .last = Zxid::at({epoch}, counter)};
}

Ballot ballot(PeerState state, std::uint64_t round, const Vote& vote) {
  return {.state = state, .round = round, .vote = vote};
}

// One server of an ensemble whose others are played by the test.
struct Lone {
  explicit Lone(ServerId self, const Ensemble& ensemble)
      : quorums(ensemble, self), election(self, quorums) {}

  Membership quorums;
  Election election;
};

TEST(Vote, IsBetterByEpochThenHistoryThenId) {
  EXPECT_LT(vote(three, 1, 9), vote(one, 2, 1));
  EXPECT_LT(vote(three, 2, 1), vote(one, 2, 2));
  EXPECT_LT(vote(one, 2, 2), vote(two, 2, 2));
  EXPECT_LT(Vote{}, vote(one, 0, 0));
  // A synchronized server's epoch may be ahead of its last transaction.
  const Vote synchronized{.leader = one, .epoch = {3}, .last = Zxid::at({1}, 5)};
  EXPECT_LT(vote(three, 2, 7), synchronized);
}

TEST(Vote, TravelsInItsBallot) {
  const Ballot sent = ballot(PeerState::following, 7, vote(two, 3, 4));
  Bytes bytes;
  jute::JuteWriter writer(bytes);
  writer(sent);
  Ballot read;
  jute::JuteReader reader(bytes);
  reader(read);
  EXPECT_EQ(read, sent);
  EXPECT_TRUE(reader.rest().empty());
}

TEST(Election, OfAServerAloneIsOverAtOnce) {
  Lone server(one, Ensemble{});
  server.election.begin(vote(one, 0, 0), 0);
  EXPECT_EQ(server.election.decision(), (Decision{.leader = one, .round = 1}));
  EXPECT_TRUE(server.election.still_holds());
}

TEST(Election, SaysNothingBeforeItBegins) {
  Lone server(one, voters(3));
  server.election.link_up(two);
  EXPECT_TRUE(server.election.take_outgoing().empty());
  server.election.begin(vote(one, 0, 0), 0);
  EXPECT_EQ(server.election.take_outgoing().size(), 1U);
}

TEST(Election, DecidesAtOnceWhenAllLinkedVotersAgree) {
  Lone server(three, voters(5));
  server.election.link_up(one);
  server.election.link_up(two);
  server.election.begin(vote(three, 1, 1), 0);
  server.election.on_ballot(one, ballot(PeerState::looking, 1, vote(three, 1, 1)), 0);
  EXPECT_EQ(server.election.decision(), std::nullopt);
  server.election.on_ballot(two, ballot(PeerState::looking, 1, vote(three, 1, 1)), 0);
  EXPECT_EQ(server.election.decision(), (Decision{.leader = three, .round = 1}));
  EXPECT_EQ(server.election.ballot().state, PeerState::leading);
}

TEST(Election, WaitsAMomentForALinkedVoterThatIsSilent) {
  Lone server(two, voters(3));
  server.election.link_up(one);
  server.election.link_up(three);
  server.election.begin(vote(two, 1, 1), 0);
  server.election.on_ballot(one, ballot(PeerState::looking, 1, vote(two, 1, 1)), 10);
  server.election.on_tick(10 + limits::election_settle_ms - 1);
  EXPECT_EQ(server.election.decision(), std::nullopt);
  server.election.on_tick(10 + limits::election_settle_ms);
  EXPECT_EQ(server.election.decision(), (Decision{.leader = two, .round = 1}));
}

TEST(Election, TakesTheBetterVoteThatComesInThatMoment) {
  Lone server(two, voters(3));
  server.election.link_up(one);
  server.election.link_up(three);
  server.election.begin(vote(two, 1, 1), 0);
  server.election.on_ballot(one, ballot(PeerState::looking, 1, vote(two, 1, 1)), 0);
  server.election.on_ballot(three, ballot(PeerState::looking, 1, vote(three, 1, 1)), 20);
  server.election.on_tick(limits::election_settle_ms);
  EXPECT_EQ(server.election.decision(), std::nullopt);
  EXPECT_EQ(server.election.ballot().vote.leader, three);
}

TEST(Election, TakesIntoAccountWhatItHeardBeforeItLooked) {
  Lone server(one, voters(3));
  server.election.link_up(two);
  server.election.on_ballot(two, ballot(PeerState::looking, 4, vote(two, 1, 1)), 0);
  server.election.begin(vote(one, 1, 1), 0);
  EXPECT_EQ(server.election.ballot(), ballot(PeerState::looking, 4, vote(two, 1, 1)));
}

TEST(Election, ForgetsACandidateWithItsLink) {
  Lone server(one, voters(3));
  server.election.link_up(two);
  server.election.link_up(three);
  server.election.begin(vote(one, 1, 1), 0);
  server.election.on_ballot(three, ballot(PeerState::looking, 1, vote(three, 1, 1)), 0);
  EXPECT_EQ(server.election.ballot().vote.leader, three);
  server.election.link_down(three);
  EXPECT_EQ(server.election.ballot().vote.leader, one);
}

TEST(Election, NeverProposesAServerItCanNotReach) {
  Lone server(one, voters(3));
  server.election.link_up(two);
  server.election.begin(vote(one, 1, 1), 0);
  server.election.on_ballot(two, ballot(PeerState::looking, 1, vote(three, 1, 1)), 0);
  EXPECT_EQ(server.election.ballot().vote.leader, one);
}

TEST(Election, OfWhoHasNoLinksToAQuorumProposesNobody) {
  Lone server(three, voters(5));
  server.election.begin(vote(three, 1, 1), 0);
  server.election.link_up(one);
  EXPECT_EQ(server.election.ballot().vote, Vote{});
  server.election.link_up(two);
  EXPECT_EQ(server.election.ballot().vote, vote(three, 1, 1));
  server.election.link_down(one);
  EXPECT_EQ(server.election.ballot().vote, Vote{});
}

TEST(Election, OfAFollowerHoldsWhileItsLeaderSaysSo) {
  Lone server(one, voters(3));
  server.election.link_up(two);
  server.election.begin(vote(one, 1, 1), 0);
  EXPECT_FALSE(server.election.still_holds());
  server.election.on_ballot(two, ballot(PeerState::leading, 1, vote(two, 1, 1)), 0);
  EXPECT_TRUE(server.election.still_holds());
  server.election.on_ballot(two, ballot(PeerState::looking, 2, vote(two, 1, 1)), 0);
  EXPECT_FALSE(server.election.still_holds());
  EXPECT_TRUE(server.election.decision());
}

TEST(Election, RepeatsItselfWhileItFindsNoLeader) {
  Lone server(one, voters(3));
  server.election.link_up(two);
  server.election.begin(vote(one, 1, 1), 0);
  server.election.take_outgoing();
  server.election.on_tick(limits::ballot_resend_ms - 1);
  EXPECT_TRUE(server.election.take_outgoing().empty());
  server.election.on_tick(limits::ballot_resend_ms);
  EXPECT_EQ(server.election.take_outgoing().size(), 1U);
}

TEST(Election, AnswersTheOneWhoLooksOnceItIsSettled) {
  Lone server(one, voters(1));
  server.election.begin(vote(one, 1, 1), 0);
  server.election.settle(PeerState::leading, vote(one, 2, 0));
  server.election.link_up({9});  // an observer that this list does not know votes as little
  server.election.take_outgoing();
  server.election.on_ballot({9}, ballot(PeerState::looking, 1, Vote{}), 0);
  const auto answers = server.election.take_outgoing();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers.front().first, ServerId{9});
  EXPECT_EQ(answers.front().second, ballot(PeerState::leading, 1, vote(one, 2, 0)));
}

TEST(Election, DoesNotHoldAnyMoreOnceTheQuorumIsGone) {
  Lone server(two, voters(3));
  server.election.link_up(one);
  server.election.begin(vote(two, 1, 1), 0);
  server.election.on_ballot(one, ballot(PeerState::looking, 1, vote(two, 1, 1)), 0);
  EXPECT_TRUE(server.election.still_holds());
  server.election.settle(PeerState::leading, vote(two, 2, 0));
  server.election.on_ballot(one, ballot(PeerState::following, 1, vote(two, 2, 0)), 0);
  EXPECT_TRUE(server.election.still_holds());
  server.election.on_ballot(one, ballot(PeerState::looking, 2, vote(one, 2, 0)), 0);
  EXPECT_FALSE(server.election.still_holds());
}

// ZOOKEEPER-1514: settled peers said "you lead", of another round, and the server believed them.
TEST(Election, Zookeeper1514DoesNotLeadBecauseOthersStillFollowIt) {
  Lone server(three, voters(3));
  server.election.link_up(one);
  server.election.link_up(two);
  server.election.begin(vote(three, 1, 1), 0);
  for (const std::uint64_t round : {1UL, 9UL}) {
    server.election.on_ballot(one, ballot(PeerState::following, round, vote(three, 1, 1)), 0);
    server.election.on_ballot(two, ballot(PeerState::following, round, vote(three, 1, 1)), 0);
    server.election.on_tick(limits::election_settle_ms * 10);
    EXPECT_EQ(server.election.decision(), std::nullopt);
  }
  // Nor of an older round, when they look themselves.
  server.election.begin(vote(three, 1, 1), 0);
  server.election.on_ballot(one, ballot(PeerState::looking, 1, vote(three, 1, 1)), 0);
  server.election.on_ballot(two, ballot(PeerState::looking, 1, vote(three, 1, 1)), 0);
  EXPECT_EQ(server.election.decision(), std::nullopt);
}

// ZOOKEEPER-1732 and 1805: settled servers state different zxids and rounds.
TEST(Election, Zookeeper1732And1805JoinsAQuorumWhoseRoundsAndZxidsDiffer) {
  Lone server(five, voters(5));
  for (const ServerId peer : {one, two, three}) {
    server.election.link_up(peer);
  }
  server.election.begin(vote(five, 7, 7), 0);  // a better vote does not matter any more
  server.election.on_ballot(one, ballot(PeerState::following, 4, vote(three, 2, 8)), 0);
  server.election.on_ballot(two, ballot(PeerState::following, 6, vote(three, 2, 3)), 0);
  EXPECT_EQ(server.election.decision(), std::nullopt) << "the leader has not spoken";
  server.election.on_ballot(three, ballot(PeerState::leading, 5, vote(three, 2, 1)), 0);
  EXPECT_EQ(server.election.decision(), (Decision{.leader = three, .round = 5}));
  EXPECT_EQ(server.election.ballot().state, PeerState::following);
}

// ZOOKEEPER-1818: votes of before and after synchronization do not add up, until all say the new
// epoch.
TEST(Election, Zookeeper1818CountsVotesOfOneEpoch) {
  Lone server(five, voters(5));
  for (const ServerId peer : {one, two, three}) {
    server.election.link_up(peer);
  }
  server.election.begin(vote(five, 1, 1), 0);
  server.election.on_ballot(three, ballot(PeerState::leading, 5, vote(three, 3, 0)), 0);
  server.election.on_ballot(one, ballot(PeerState::following, 2, vote(three, 3, 0)), 0);
  server.election.on_ballot(two, ballot(PeerState::following, 3, vote(three, 2, 0)), 0);
  EXPECT_EQ(server.election.decision(), std::nullopt);
  server.election.on_ballot(two, ballot(PeerState::following, 3, vote(three, 3, 0)), 0);
  EXPECT_EQ(server.election.decision(), (Decision{.leader = three, .round = 5}));
}

// ZOOKEEPER-3109: a voter found a better candidate after the leader had begun, and both waited in
// vain for a quorum.
TEST(Election, Zookeeper3109FollowsTheLeaderThatHasWonItsRound) {
  Lone server(one, voters(5));
  for (const ServerId peer : {two, three, four}) {
    server.election.link_up(peer);
  }
  server.election.begin(vote(one, 1, 1), 0);
  server.election.on_ballot(three, ballot(PeerState::looking, 1, vote(three, 1, 1)), 0);
  EXPECT_EQ(server.election.ballot().vote.leader, three);
  server.election.on_ballot(four, ballot(PeerState::looking, 1, vote(four, 1, 1)), 0);
  EXPECT_EQ(server.election.ballot().vote.leader, four);
  server.election.on_ballot(three, ballot(PeerState::leading, 1, vote(three, 1, 1)), 0);
  EXPECT_EQ(server.election.decision(), (Decision{.leader = three, .round = 1}));
}

// T14, ZOOKEEPER-2959: observers look and follow, and what they say counts for nothing.
TEST(Election, NeverCountsAnObserver) {
  Ensemble ensemble = voters(3);
  ensemble.members.push_back({.id = four, .is_observer = true});
  ensemble.members.push_back({.id = five, .is_observer = true});
  Lone server(three, ensemble);
  server.election.link_up(two);
  server.election.link_up(four);
  server.election.link_up(five);
  server.election.begin(vote(three, 1, 1), 0);
  for (const ServerId observer : {four, five}) {
    for (const PeerState state :
         {PeerState::looking, PeerState::following, PeerState::leading, PeerState::observing}) {
      server.election.on_ballot(observer, ballot(state, 8, vote(three, 1, 1)), 0);
      server.election.on_ballot(observer, ballot(state, 8, vote(observer, 9, 9)), 0);
      server.election.on_tick(limits::election_settle_ms * 10);
    }
  }
  EXPECT_EQ(server.election.decision(), std::nullopt);
  EXPECT_EQ(server.election.ballot(), ballot(PeerState::looking, 1, vote(three, 1, 1)));
}

TEST(Election, OfObserversAndWeightlessVotersProposesNobodyOfTheirOwn) {
  Ensemble ensemble = voters(4);
  ensemble.members[2].weight = 0;
  ensemble.members[3].is_observer = true;
  for (const ServerId server : {three, four}) {
    Lone learner(server, ensemble);
    learner.election.link_up(two);
    learner.election.begin(vote(server, 9, 9), 0);
    EXPECT_EQ(learner.election.ballot(), ballot(PeerState::looking, 1, Vote{}));
    learner.election.on_ballot(two, ballot(PeerState::looking, 3, vote(two, 1, 1)), 0);
    EXPECT_EQ(learner.election.ballot(), ballot(PeerState::looking, 3, vote(two, 1, 1)));
    learner.election.on_ballot(two, ballot(PeerState::leading, 3, vote(two, 1, 1)), 0);
    EXPECT_EQ(learner.election.decision(), (Decision{.leader = two, .round = 3}));
    EXPECT_EQ(learner.election.ballot().state,
              server == three ? PeerState::following : PeerState::observing);
  }
}

TEST(Election, SurvivesAnyBallot) {
  Ensemble ensemble = voters(4);
  ensemble.members[3].is_observer = true;
  const std::vector<std::uint64_t> numbers = {0,  1,    2,       3,         4,         5,
                                              99, ~0UL, ~0U / 2, 1UL << 62, 1UL << 63, ~0UL / 2};
  Random random(1);
  const auto number = [&] { return numbers[random.below(numbers.size())]; };
  for (int world = 0; world < 300; ++world) {
    Lone server({1 + static_cast<std::int64_t>(random.below(4))}, ensemble);
    for (int step = 0; step < 200; ++step) {
      const ServerId peer{static_cast<std::int64_t>(random.below(6))};
      const auto now = step * static_cast<std::int64_t>(random.below(100));
      switch (random.below(8)) {
        case 0:
          server.election.link_up(peer);
          break;
        case 1:
          server.election.link_down(peer);
          break;
        case 2:
          server.election.begin(vote({static_cast<std::int64_t>(number())}, 1, 1), now);
          break;
        case 3:
          server.election.on_tick(now);
          break;
        default:
          server.election.on_ballot(peer,
                                    {.state = static_cast<PeerState>(number()),
                                     .round = number(),
                                     .vote = {.leader = {static_cast<std::int64_t>(number())},
                                              .epoch = {static_cast<std::uint32_t>(number())},
                                              .last = {number()}}},
                                    now);
      }
      const auto& decision = server.election.decision();
      EXPECT_TRUE(!decision || server.quorums.may_lead(decision->leader));
    }
  }
}

TEST(ElectionDeathTest, HasNothingToSettleBeforeADecision) {
  Lone server(one, voters(3));
  server.election.begin(vote(one, 0, 0), 0);
  EXPECT_DEATH(server.election.settle(PeerState::following, vote(two, 1, 0)), "without a decision");
}

}  // namespace
}  // namespace zabfs::replication::zab
