// Opening a session, keeping it over connections, losing it, ending it.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "replication/model/limits.hpp"
#include "replication/protocol/frame.hpp"
#include "tests/fusefs/client/conversation.hpp"
#include "tests/support/hex.hpp"

namespace zabfs::fusefs::client {
namespace {

using replication::Bytes;
using replication::ErrorCode;
using namespace replication::protocol;

TEST(SessionHandshake, BeginsWithTheBytesThatEveryServerReads) {
  Session session{*parse_connect_string("one"), 10'000, 1};
  session.tick(0);
  session.connected(0);
  Bytes sent;
  session.append_output(sent, 0);
  EXPECT_EQ(test::to_hex(sent),
            test::to_hex(test::from_hex("0000002d 00000000 0000000000000000 00002710 "
                                        "0000000000000000 00000010 00*16 00")));
}

TEST(SessionHandshake, DialsAtTheFirstTickAndNotBefore) {
  Conversation talk;
  EXPECT_EQ(talk.session().attempt(), 0U);
  EXPECT_TRUE(talk.wait_for_dial(0));
  EXPECT_EQ(talk.session().endpoint(), (Endpoint{"one", 1}));
}

TEST(SessionHandshake, TakesTheSessionAndTheTimeoutTheServerGrants) {
  Conversation talk;
  EXPECT_EQ(talk.greet().timeout_ms, Conversation::timeout_ms);
  EXPECT_EQ(talk.session().server(), "");
  talk.accept(4'000);
  EXPECT_EQ(talk.session().id().value, Conversation::session_id);
  EXPECT_EQ(talk.session().timeout_ms(), 4'000);
  EXPECT_EQ(talk.session().server(), "one:1");
  EXPECT_EQ(talk.heard(), (Lines{"connected"}));
}

TEST(SessionHandshake, SendsNothingBeforeItIsAnswered) {
  Conversation talk;
  talk.submit("read", GetDataRequest{.path = "/a"});
  talk.greet();
  EXPECT_EQ(talk.sent_lines(), Lines{});
  talk.accept(4'000);
  EXPECT_EQ(talk.sent_lines(), (Lines{"1 getData"}));
}

TEST(SessionHandshake, ComesBackWithItsSessionAndTheLastZxidItSaw) {
  Conversation talk;
  talk.attach();
  talk.submit("read", GetDataRequest{.path = "/a"});
  talk.sent();
  talk.applied(99);
  talk.reply(1, GetDataResponse{});
  talk.hang_up();
  EXPECT_EQ(talk.session().state(), SessionState::connecting);
  const auto request = talk.greet();
  EXPECT_EQ(request.session_id, Conversation::session_id);
  EXPECT_EQ(request.password, Bytes(16, 0x5a));
  EXPECT_EQ(request.last_zxid_seen, 99);
  EXPECT_EQ(request.timeout_ms, Conversation::timeout_ms);
  talk.accept(5'000);
  EXPECT_EQ(talk.session().timeout_ms(), 5'000);
  EXPECT_EQ(talk.heard(), (Lines{"connected", "read: OK", "connecting", "connected"}));
}

TEST(SessionHandshake, CredentialsGoInFrontOfEverythingOnEveryConnection) {
  Conversation talk("one:1", {{"digest", "bob:secret"}, {"ip", ""}});
  talk.submit("read", GetDataRequest{.path = "/a", .watch = true});
  talk.attach();
  auto sent = talk.sent();
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_EQ(sent[0].xid, xid::auth);
  const auto& auth = std::get<AuthRequest>(sent[0].request);
  EXPECT_EQ(auth.scheme, "digest");
  EXPECT_EQ(replication::text_of(*auth.credentials), "bob:secret");
  EXPECT_EQ(talk.heard(), Lines{});
  talk.reply(xid::auth, EmptyResponse{});
  talk.reply(xid::auth, EmptyResponse{});
  talk.reply(1, GetDataResponse{});
  EXPECT_EQ(talk.heard(), (Lines{"connected", "read: OK"}));
  talk.hang_up();
  talk.attach();
  EXPECT_EQ(talk.sent_lines(), (Lines{"-4 auth", "-4 auth", "-8 setWatches"}));
  talk.reply(xid::auth, EmptyResponse{});
  talk.reply(xid::auth, EmptyResponse{});
  EXPECT_EQ(talk.heard(), (Lines{"connecting"}));
  talk.reply(xid::set_watches, EmptyResponse{});
  EXPECT_EQ(talk.heard(), (Lines{"connected"}));
}

TEST(SessionHandshake, RefusedCredentialsEndItUnlessThereIsSomethingToLose) {
  Conversation talk("one:1", {{"nonsense", "x"}});
  talk.submit("read", GetDataRequest{.path = "/a"});
  talk.attach();
  talk.sent();
  talk.reply(xid::auth, ErrorCode::auth_failed);
  EXPECT_EQ(talk.session().state(), SessionState::refused);
  EXPECT_FALSE(talk.wait_for_dial(60'000));

  Conversation known("one:1", {{"digest", "bob:secret"}});
  known.attach();
  known.reply(xid::auth, EmptyResponse{});
  known.hang_up();
  known.attach();
  known.reply(xid::auth, ErrorCode::auth_failed);
  EXPECT_EQ(known.session().state(), SessionState::connecting);
  EXPECT_TRUE(known.wait_for_dial(60'000));
}

// A zxid that an event, a ping or a setWatches carries says nothing about what was reported.
TEST(SessionHandshake, RemembersOnlyZxidsOfReplies) {
  Conversation talk;
  talk.attach();
  talk.pass(Conversation::timeout_ms / 3);
  EXPECT_EQ(talk.sent_lines(), (Lines{"-2 ping"}));
  talk.applied(1'000);
  talk.reply(xid::ping, EmptyResponse{});
  talk.hang_up();
  EXPECT_EQ(talk.greet().last_zxid_seen, 0);
}

TEST(SessionHandshake, ExpiresForEverWhenTheServerKnowsItNoLonger) {
  Conversation talk;
  talk.attach();
  talk.submit("waits", GetDataRequest{.path = "/a"});
  talk.hang_up();
  talk.greet();
  talk.refuse();
  EXPECT_EQ(talk.session().attempt(), 0U);
  talk.submit("comes late", GetDataRequest{.path = "/a"});
  EXPECT_EQ(talk.heard(), (Lines{"connected", "connecting", "expired", "waits: SessionExpired",
                                 "comes late: SessionExpired"}));
  EXPECT_FALSE(talk.wait_for_dial(1'000'000));
  EXPECT_EQ(talk.session().next_tick_ms(), std::numeric_limits<std::int64_t>::max());
}

// The C client's sign of expiry.
TEST(SessionHandshake, ExpiresWhenAnotherSessionIsOffered) {
  Conversation talk;
  talk.attach();
  talk.hang_up();
  talk.greet();
  Bytes frame;
  append_frame(frame, ConnectResponse{.timeout_ms = 4'000, .session_id = 5, .password = Bytes(16)});
  talk.receive(frame);
  EXPECT_EQ(talk.session().state(), SessionState::expired);
}

TEST(SessionHandshake, TriesAgainWhenANewSessionIsRefusedOrMakesNoSense) {
  const std::vector<ConnectResponse> nonsense{
      {.password = Bytes(16)},
      {.timeout_ms = -1, .session_id = 5, .password = Bytes(16)},
      {.timeout_ms = 4'000, .session_id = 0, .password = Bytes(16)},
      {.timeout_ms = 4'000, .session_id = 5, .password = Bytes(15)},
      {.timeout_ms = 4'000, .session_id = 5, .password = Bytes(1'000)},
  };
  for (const auto& response : nonsense) {
    Conversation talk;
    talk.greet();
    Bytes frame;
    append_frame(frame, response);
    talk.receive(frame);
    EXPECT_EQ(talk.session().attempt(), 0U);
    EXPECT_TRUE(talk.wait_for_dial(100));
    EXPECT_EQ(talk.heard(), Lines{});
  }
}

TEST(SessionHandshake, GoesToTheNextServerWhenOneClosesWithoutAnAnswer) {
  Conversation talk{"a:1,b:1,c:1"};
  Lines tried;
  for (int i = 0; i < 4; ++i) {
    talk.greet();
    tried.push_back(to_string(talk.session().endpoint()));
    talk.hang_up();
  }
  EXPECT_EQ(tried[3], tried[0]);
  std::ranges::sort(tried);
  tried.erase(std::unique(tried.begin(), tried.end()), tried.end());
  EXPECT_EQ(tried, (Lines{"a:1", "b:1", "c:1"}));
  EXPECT_EQ(talk.heard(), Lines{});
}

TEST(SessionHandshake, GivesAServerUpThatDoesNotAcceptOrAnswer) {
  for (const bool accepts : {false, true}) {
    Conversation talk{"a:1,b:1"};
    ASSERT_TRUE(talk.wait_for_dial(0));
    const auto first = talk.session().attempt();
    if (accepts) {
      talk.session().connected(talk.now_ms());
    }
    talk.pass(replication::limits::connect_timeout_ms - 1);
    EXPECT_EQ(talk.session().attempt(), first);
    talk.pass(1);
    EXPECT_EQ(talk.session().attempt(), 0U);
    EXPECT_TRUE(talk.wait_for_dial(100));
  }
}

// With a session to lose there is less patience: two servers must fit into what the timeout leaves.
TEST(SessionHandshake, SparesTimeForOthersWhenASessionIsAtStake) {
  Conversation talk;
  talk.greet();
  talk.accept(3'000);
  talk.hang_up();
  ASSERT_TRUE(talk.wait_for_dial(100));
  talk.pass(1'000);
  EXPECT_EQ(talk.session().attempt(), 0U);
}

TEST(SessionHandshake, PingsWhenItHasSentNothingForAThirdOfTheTimeout) {
  Conversation talk;
  talk.attach();
  talk.submit("unanswered", GetDataRequest{.path = "/a"});
  EXPECT_EQ(talk.sent_lines(), (Lines{"1 getData"}));
  talk.pass(Conversation::timeout_ms / 3 - 1);
  EXPECT_EQ(talk.sent_lines(), Lines{});
  talk.pass(1);
  EXPECT_EQ(talk.sent_lines(), (Lines{"-2 ping"}));
  talk.reply(1, GetDataResponse{});
  talk.reply(xid::ping, EmptyResponse{});
  EXPECT_EQ(talk.heard(), (Lines{"connected", "unanswered: OK"}));
}

TEST(SessionHandshake, KeepsAConnectionWhosePingsAreAnswered) {
  Conversation talk;
  talk.attach();
  for (int i = 0; i < 20; ++i) {
    talk.pass(Conversation::timeout_ms / 3);
    ASSERT_EQ(talk.sent_lines(), (Lines{"-2 ping"}));
    talk.reply(xid::ping, EmptyResponse{});
  }
  EXPECT_EQ(talk.heard(), (Lines{"connected"}));
}

TEST(SessionHandshake, GivesAServerUpThatIsSilentForTwoThirdsOfTheTimeout) {
  Conversation talk;
  talk.attach();
  talk.submit("goes on", SetDataRequest{.path = "/a"});
  talk.sent();
  talk.pass(Conversation::timeout_ms / 3 * 2 - 1);
  EXPECT_NE(talk.session().attempt(), 0U);
  talk.pass(1);
  EXPECT_EQ(talk.session().attempt(), 0U);
  EXPECT_EQ(talk.heard(), (Lines{"connected", "connecting", "goes on: ConnectionLoss"}));
}

TEST(SessionHandshake, ClosesBehindWhatWasSubmittedBefore) {
  Conversation talk;
  talk.attach();
  talk.submit("before", SetDataRequest{.path = "/a"});
  talk.close();
  talk.submit("after", SetDataRequest{.path = "/a"});
  EXPECT_EQ(talk.sent_lines(), (Lines{"1 setData", "2 closeSession"}));
  talk.reply(1, StatResponse{});
  EXPECT_EQ(talk.heard(), (Lines{"connected", "after: SessionExpired", "before: OK"}));
  talk.reply(2, EmptyResponse{});
  EXPECT_EQ(talk.heard(), (Lines{"closed", "close is done"}));
  EXPECT_EQ(talk.session().attempt(), 0U);
  talk.close();
  EXPECT_EQ(talk.heard(), (Lines{"close is done"}));
}

TEST(SessionHandshake, ClosesAtTheNextServerWhenThisOneIsLost) {
  Conversation talk;
  talk.attach();
  talk.close();
  talk.sent();
  talk.hang_up();
  talk.attach();
  EXPECT_EQ(talk.sent_lines(), (Lines{"2 closeSession"}));
  talk.hang_up();
  talk.greet();
  talk.refuse();
  EXPECT_EQ(talk.heard(), (Lines{"connected", "connecting", "connected", "connecting", "closed",
                                 "close is done"}));
}

TEST(SessionHandshake, ClosesAfterASecondWithoutAnAnswer) {
  Conversation talk;
  talk.attach();
  talk.submit("sent", SetDataRequest{.path = "/a"});
  talk.sent();
  talk.submit("not sent", SetDataRequest{.path = "/a"});
  talk.close();
  talk.close();
  talk.pass(999);
  EXPECT_EQ(talk.heard(), (Lines{"connected"}));
  talk.pass(1);
  EXPECT_EQ(talk.heard(), (Lines{"closed", "sent: ConnectionLoss", "not sent: SessionExpired",
                                 "close is done", "close is done"}));
}

TEST(SessionHandshake, ClosesAtOnceWhenThereIsNoSession) {
  Conversation talk;
  talk.greet();
  talk.submit("waits", GetDataRequest{.path = "/a"});
  talk.close();
  EXPECT_EQ(talk.session().attempt(), 0U);
  EXPECT_EQ(talk.heard(), (Lines{"closed", "waits: SessionExpired", "close is done"}));
}

}  // namespace
}  // namespace zabfs::fusefs::client
