// Quorums: truth tables of majorities, weights and groups, and the rule that observers never count.
#include "replication/zab/quorum.hpp"

#include <gtest/gtest.h>

#include "replication/ports/random.hpp"

namespace zabfs::replication::zab {
namespace {

constexpr ServerId one{1};
constexpr ServerId two{2};
constexpr ServerId three{3};

Ensemble voters(std::int64_t count) {
  Ensemble ensemble;
  for (std::int64_t id = 1; id <= count; ++id) {
    ensemble.members.push_back({.id = {id}});
  }
  return ensemble;
}

// Two groups of three and one of two.
Ensemble three_groups() {
  Ensemble ensemble = voters(8);
  for (Member& member : ensemble.members) {
    member.group = static_cast<std::uint32_t>((member.id.value - 1) / 3);
  }
  return ensemble;
}

// The definition, word by word and slowly.
bool is_quorum_by_definition(const Ensemble& ensemble, const std::set<ServerId>& servers) {
  std::map<std::uint32_t, std::uint64_t> total;
  std::map<std::uint32_t, std::uint64_t> inside;
  for (const Member& member : ensemble.members) {
    if (!member.is_observer && member.weight > 0) {
      total[member.group] += member.weight;
      inside[member.group] += servers.contains(member.id) ? member.weight : 0;
    }
  }
  std::size_t won = 0;
  for (const auto& [group, weight] : total) {
    if (inside[group] > weight / 2) {
      ++won;
    }
  }
  return won > total.size() / 2;
}

Ensemble random_ensemble(Random& random) {
  Ensemble ensemble;
  const std::uint64_t groups = 1 + random.below(3);
  const std::uint64_t weights = 1 + random.below(4);
  for (std::int64_t id = 1, count = 1 + static_cast<std::int64_t>(random.below(9)); id <= count;
       ++id) {
    ensemble.members.push_back({.id = {id},
                                .is_observer = random.below(4) == 0,
                                .weight = weights == 1 ? 1 : random.below(weights),
                                .group = static_cast<std::uint32_t>(random.below(groups))});
  }
  return ensemble;
}

TEST(Quorums, AreMoreThanHalfOfEqualVoters) {
  for (std::int64_t count = 1; count <= 7; ++count) {
    const Quorums quorums(voters(count), one);
    std::set<ServerId> servers;
    for (std::int64_t id = 1; id <= count; ++id) {
      EXPECT_EQ(quorums.contains_quorum(servers), 2 * (id - 1) > count)
          << id - 1 << " of " << count;
      servers.insert({id});
    }
    EXPECT_TRUE(quorums.contains_quorum(servers));
  }
}

TEST(Quorums, OfAnEmptyEnsembleAreTheServerAlone) {
  const Quorums quorums(Ensemble{}, three);
  EXPECT_EQ(quorums.voters(), std::vector<ServerId>{three});
  EXPECT_TRUE(quorums.may_lead(three));
  EXPECT_TRUE(quorums.contains_quorum({three}));
  EXPECT_FALSE(quorums.contains_quorum({one}));
  EXPECT_EQ(quorums.reached_by_quorum({{three, Zxid{4}}}), Zxid{4});
}

TEST(Quorums, AreMoreThanHalfOfTheWeight) {
  Ensemble ensemble = voters(3);
  ensemble.members[0].weight = 3;
  const Quorums heavy(ensemble, one);  // 3 of 5
  EXPECT_TRUE(heavy.contains_quorum({one}));
  EXPECT_FALSE(heavy.contains_quorum({two, three}));

  ensemble.members[0].weight = 2;
  const Quorums even(ensemble, one);  // 2 of 4
  EXPECT_FALSE(even.contains_quorum({one}));
  EXPECT_FALSE(even.contains_quorum({two, three}));
  EXPECT_TRUE(even.contains_quorum({one, three}));
}

TEST(Quorums, NeedMoreThanHalfOfTheGroupsAndMoreThanHalfInEach) {
  const Quorums quorums(three_groups(), one);  // 1 2 3 | 4 5 6 | 7 8
  EXPECT_TRUE(quorums.contains_quorum({{1}, {2}, {4}, {5}}));
  EXPECT_TRUE(quorums.contains_quorum({{1}, {3}, {7}, {8}}));
  EXPECT_FALSE(quorums.contains_quorum({{1}, {2}, {3}, {4}, {7}}));  // five of eight, one group
  EXPECT_FALSE(quorums.contains_quorum({{1}, {4}, {7}, {8}}));
}

TEST(Quorums, LeaveOutGroupsOfNoWeight) {
  Ensemble ensemble = three_groups();
  for (Member& member : ensemble.members) {
    member.weight = member.group == 0 ? 1 : 0;
  }
  const Quorums quorums(ensemble, one);
  EXPECT_TRUE(quorums.contains_quorum({{1}, {2}}));
  EXPECT_FALSE(quorums.contains_quorum({{1}, {4}, {5}, {6}, {7}, {8}}));
}

TEST(Quorums, NeitherCountNorElectAVoterOfNoWeight) {
  Ensemble ensemble = voters(3);
  ensemble.members[2].weight = 0;
  const Quorums quorums(ensemble, one);
  EXPECT_TRUE(quorums.is_voter(three));
  EXPECT_FALSE(quorums.may_lead(three));
  EXPECT_FALSE(quorums.contains_quorum({one, three}));
  EXPECT_TRUE(quorums.contains_quorum({one, two}));
  EXPECT_EQ(quorums.reached_by_quorum({{one, {7}}, {three, {9}}}), Zxid{});
}

// ZOOKEEPER-2959: a leader began because observers had answered it.
TEST(Quorums, NeverCountObservers) {
  Ensemble ensemble = voters(3);
  ensemble.members.push_back({.id = {4}, .is_observer = true});
  ensemble.members.push_back({.id = {5}, .is_observer = true, .weight = 9});
  const Quorums quorums(ensemble, ServerId{4});
  EXPECT_EQ(quorums.voters(), (std::vector<ServerId>{one, two, three}));
  EXPECT_FALSE(quorums.is_voter({5}));
  EXPECT_FALSE(quorums.may_lead({5}));
  EXPECT_FALSE(quorums.contains_quorum({one, {4}, {5}}));
  EXPECT_TRUE(quorums.contains_quorum({one, two}));
  EXPECT_EQ(quorums.reached_by_quorum({{one, {7}}, {{4}, {9}}, {{5}, {9}}}), Zxid{});
  EXPECT_EQ(quorums.reached_by_quorum({{one, {7}}, {two, {3}}, {{5}, {9}}}), Zxid{3});
}

TEST(Quorums, NeverCountServersNobodyKnows) {
  const Quorums quorums(voters(3), one);
  EXPECT_FALSE(quorums.is_voter({9}));
  EXPECT_FALSE(quorums.contains_quorum({one, {9}, {-1}}));
  EXPECT_EQ(quorums.reached_by_quorum({{one, {7}}, {{9}, {9}}}), Zxid{});
}

TEST(Quorums, ReachWhatTheQuorumsSlowestMemberReached) {
  const Quorums of_three(voters(3), one);
  EXPECT_EQ(of_three.reached_by_quorum({{one, {5}}, {two, {9}}, {three, {7}}}), Zxid{7});
  EXPECT_EQ(of_three.reached_by_quorum({{one, {5}}, {two, {9}}}), Zxid{5});
  EXPECT_EQ(of_three.reached_by_quorum({{one, {5}}}), Zxid{});
  EXPECT_EQ(of_three.reached_by_quorum({}), Zxid{});
  const Quorums of_two(voters(2), one);
  EXPECT_EQ(of_two.reached_by_quorum({{one, {5}}, {two, {9}}}), Zxid{5});
}

TEST(Quorums, AgreeWithTheirDefinitionInRandomEnsembles) {
  Random random(1);
  for (int world = 0; world < 2'000; ++world) {
    const Ensemble ensemble = random_ensemble(random);
    const ServerId self = ensemble.members.front().id;
    if (mistake_in(ensemble, self)) {
      continue;
    }
    const Quorums quorums(ensemble, self);
    std::map<ServerId, Zxid> reached;
    for (const Member& member : ensemble.members) {
      reached[member.id] = {random.below(5)};
    }
    Zxid newest{};
    for (std::uint64_t zxid = 1; zxid <= 5; ++zxid) {
      std::set<ServerId> servers;
      for (const auto& [server, has] : reached) {
        if (has >= Zxid{zxid}) {
          servers.insert(server);
        }
      }
      const bool expected = is_quorum_by_definition(ensemble, servers);
      EXPECT_EQ(quorums.contains_quorum(servers), expected) << "world " << world;
      newest = expected ? Zxid{zxid} : newest;
    }
    EXPECT_EQ(quorums.reached_by_quorum(reached), newest) << "world " << world;
  }
}

TEST(Ensemble, OfNobodyIsTheServerAlone) { EXPECT_EQ(mistake_in(Ensemble{}, one), std::nullopt); }

TEST(Ensemble, MayHoldAnObserverThatIsSelf) {
  Ensemble ensemble = voters(2);
  ensemble.members[1].is_observer = true;
  EXPECT_EQ(mistake_in(ensemble, two), std::nullopt);
}

TEST(Ensemble, SaysWhatIsWrongWithIt) {
  EXPECT_EQ(mistake_in(voters(3), ServerId{4}), "this server, 4, is not in the ensemble");

  Ensemble twice = voters(3);
  twice.members[2].id = one;
  EXPECT_EQ(mistake_in(twice, one), "server 1 is twice in the ensemble");

  Ensemble observers = voters(2);
  observers.members[0].is_observer = observers.members[1].is_observer = true;
  EXPECT_EQ(mistake_in(observers, one), "the ensemble has no voter, only observers");

  Ensemble weightless = voters(3);
  weightless.members[0].weight = weightless.members[1].weight = 0;
  weightless.members[2].is_observer = true;
  EXPECT_EQ(mistake_in(weightless, one), "every voter of the ensemble has weight 0");

  Ensemble heavy = voters(2);
  heavy.members[1].weight = 1'000'000'001;
  EXPECT_EQ(mistake_in(heavy, one), "server 2 weighs 1000000001, more than 1000000000");

  Ensemble far = voters(2);
  far.members[1].id = {255};
  EXPECT_EQ(mistake_in(far, one), "server 255 of the ensemble is not in 1 to 254");
  far.members[1].id = {0};
  EXPECT_EQ(mistake_in(far, one), "server 0 of the ensemble is not in 1 to 254");
}

TEST(QuorumsDeathTest, RefuseAnEnsembleThatCanNotBeRun) {
  const Ensemble observers{.members = {{.id = one, .is_observer = true}}};
  EXPECT_DEATH(Quorums(observers, one), "the ensemble has no voter, only observers");
}

}  // namespace
}  // namespace zabfs::replication::zab
