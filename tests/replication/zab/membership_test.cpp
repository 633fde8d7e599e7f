// Membership: which configurations count, step by step, and what a quorum then is.
#include "replication/zab/membership.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace zabfs::replication::zab {
namespace {

constexpr ServerId one{1};
constexpr ServerId two{2};
constexpr ServerId three{3};
constexpr ServerId four{4};
constexpr ServerId five{5};

constexpr Zxid at(std::uint32_t counter) { return Zxid::at({1}, counter); }

Ensemble ensemble_of(std::initializer_list<ServerId> servers, Zxid version) {
  Ensemble ensemble{.version = version};
  for (const ServerId server : servers) {
    ensemble.members.push_back({.id = server});
  }
  return ensemble;
}

Membership trio() { return {ensemble_of({one, two, three}, {}), one}; }

TEST(Membership, BeginsWithWhatTheServersWereGiven) {
  Membership membership = trio();
  EXPECT_FALSE(membership.is_changing());
  EXPECT_TRUE(membership.contains_quorum({one, two}));
  EXPECT_FALSE(membership.is_voter(four));
}

TEST(Membership, NeedsBothWhileOneIsOnItsWay) {
  Membership membership = trio();
  membership.append(ensemble_of({three, four, five}, at(7)));
  EXPECT_TRUE(membership.is_changing());
  EXPECT_FALSE(membership.contains_quorum({one, two}));
  EXPECT_FALSE(membership.contains_quorum({three, four, five}));
  EXPECT_TRUE(membership.contains_quorum({one, three, four}));
  EXPECT_TRUE(membership.is_voter(one) && membership.is_voter(five));
  EXPECT_FALSE(membership.commit(at(6)));
  EXPECT_TRUE(membership.commit(at(7)));
  EXPECT_TRUE(membership.contains_quorum({four, five}));
  EXPECT_FALSE(membership.is_voter(one));
}

TEST(Membership, GoesBackWithTheLog) {
  Membership membership = trio();
  membership.append(ensemble_of({three, four, five}, at(7)));
  EXPECT_FALSE(membership.truncate_after(at(7)));
  EXPECT_TRUE(membership.truncate_after(at(6)));
  EXPECT_FALSE(membership.is_changing());
  EXPECT_TRUE(membership.contains_quorum({one, two}));
}

// A third can only have been proposed when the second was committed.
TEST(Membership, HasNeverMoreThanTwo) {
  Membership membership = trio();
  membership.append(ensemble_of({two, three, four}, at(7)));
  membership.append(ensemble_of({three, four, five}, at(9)));
  EXPECT_TRUE(membership.contains_quorum({three, four}));
  EXPECT_FALSE(membership.is_voter(one));
  EXPECT_TRUE(membership.truncate_after(at(8)));
  EXPECT_EQ(membership.newest().version, at(7));
}

TEST(Membership, CommitsWhatIsBeforeItByTheOldAndTheRestByBoth) {
  Membership membership = trio();
  membership.append(ensemble_of({one, four, five}, at(7)));
  std::map<ServerId, Zxid> reached{{one, at(9)}, {two, at(5)}};
  EXPECT_EQ(membership.committable(reached, at(6)), at(5));
  reached[two] = at(8);
  EXPECT_EQ(membership.committable(reached, at(6)), at(6));
  reached[four] = at(6);
  EXPECT_EQ(membership.committable(reached, at(6)), at(6));
  reached[four] = at(7);
  EXPECT_EQ(membership.committable(reached, at(6)), at(7));
  reached[four] = at(9);
  EXPECT_EQ(membership.committable(reached, at(6)), at(8));
}

TEST(Membership, HearsOfNewerOnesForElectionsOnly) {
  Membership membership = trio();
  EXPECT_TRUE(membership.hear({ensemble_of({two, three, four}, at(7))}));
  EXPECT_FALSE(membership.hear({ensemble_of({two, three, five}, at(7))}));
  EXPECT_FALSE(membership.is_voter(four));
  EXPECT_TRUE(membership.is_known_voter(four) && membership.is_known_candidate(four));
  EXPECT_FALSE(membership.contains_quorum({three, four}));
  EXPECT_TRUE(membership.is_followed_by_quorum({three, four}));
  membership.append(ensemble_of({two, three, four}, at(8)));
  EXPECT_TRUE(membership.heard().empty());
}

// Others may need a server of the old configuration, because they do not know yet that the new one
// is in force.
TEST(Membership, HearsFromWhichOneItsOwnCame) {
  Membership membership = trio();
  membership.restart(ensemble_of({two, three}, at(7)));
  EXPECT_FALSE(membership.is_known_candidate(one));
  EXPECT_TRUE(membership.hear({ensemble_of({one, two}, at(3)), ensemble_of({two, three}, at(7))}));
  EXPECT_TRUE(membership.is_known_candidate(one));
  EXPECT_FALSE(membership.may_lead(one));
  EXPECT_FALSE(membership.hear({ensemble_of({one, four}, at(3)), ensemble_of({one, two}, at(6))}));
}

// The others have taken back, or never heard of, what this server has on its way. In that it is one
// of two who must both agree; it still sees that the others have a leader.
TEST(Membership, SeesALeaderWithoutWhatIsOnItsWayHereAlone) {
  Membership membership = trio();
  membership.append(ensemble_of({one, two}, at(7)));
  EXPECT_TRUE(membership.is_followed_by_quorum({two, three}));
  EXPECT_FALSE(membership.contains_quorum({two, three}));
  EXPECT_FALSE(membership.is_followed_by_quorum({two}));
}

// A server that joins is in its own lines. Who took it for a candidate would support somebody whom
// those with the first configuration in their logs do not: nobody would ever lead.
TEST(Membership, DoesNotHearWithWhichLinesOthersHaveBegun) {
  Membership membership = trio();
  const std::vector<Ensemble> joiners{ensemble_of({one, two, three, four}, {}),
                                      ensemble_of({one, two, three}, at(1))};
  EXPECT_TRUE(membership.hear(joiners));
  EXPECT_FALSE(membership.hear(joiners));
  EXPECT_FALSE(membership.is_known_candidate(four) || membership.is_known_voter(four));
  EXPECT_TRUE(membership.is_known_candidate(three));
  EXPECT_EQ(membership.heard().size(), 1U);
}

// What is in force anywhere was committed. A server that has left may be the only one that knows.
TEST(Membership, HearsThatWhatIsOnItsWayIsInForce) {
  Membership membership = trio();
  membership.append(ensemble_of({two, three}, at(7)));
  EXPECT_FALSE(membership.hear({ensemble_of({two, three}, at(6))}));
  EXPECT_TRUE(membership.is_changing());
  EXPECT_TRUE(membership.hear({ensemble_of({two, three}, at(7))}));
  EXPECT_FALSE(membership.is_changing());
  EXPECT_FALSE(membership.is_voter(one));
}

TEST(Membership, BeginsAgainWithAnotherState) {
  Membership membership = trio();
  membership.append(ensemble_of({three, four, five}, at(7)));
  membership.restart(ensemble_of({four, five}, at(20)));
  EXPECT_FALSE(membership.is_changing());
  EXPECT_TRUE(membership.contains_quorum({four, five}));
  membership.restart({});
  EXPECT_TRUE(membership.contains_quorum({one, two}));
}

}  // namespace
}  // namespace zabfs::replication::zab
