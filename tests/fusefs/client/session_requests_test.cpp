// Requests on their way: numbers, order, what a lost connection does to them, limits.
#include <gtest/gtest.h>

#include <limits>

#include "fusefs/client/limits.hpp"
#include "replication/model/limits.hpp"
#include "replication/protocol/frame.hpp"
#include "tests/fusefs/client/conversation.hpp"

namespace zabfs::fusefs::client {
namespace {

namespace limits = replication::limits;
using replication::Bytes;
using replication::ErrorCode;
using namespace replication::protocol;

const GetDataRequest read{.path = "/a"};
const SetDataRequest write{.path = "/a"};

TEST(SessionRequests, LeaveInTheOrderOfTheCallsAndAreAnsweredInIt) {
  Conversation talk;
  talk.attach();
  talk.submit("one", read);
  talk.submit("two", write);
  talk.submit("three", ExistsRequest{.path = "/b"});
  EXPECT_EQ(talk.sent_lines(), (Lines{"1 getData", "2 setData", "3 exists"}));
  talk.reply(1, GetDataResponse{});
  talk.reply(2, ErrorCode::bad_version);
  talk.reply(3, ErrorCode::no_node);
  EXPECT_EQ(talk.heard(), (Lines{"connected", "one: OK", "two: BadVersion", "three: NoNode"}));
}

struct Patience : testing::Test {
  Patience() { talk.attach(); }
  RequestId submit_patiently() {
    return talk.session().submit(
        ExistsRequest{.path = "/b"}, [](const auto&) {}, talk.now_ms(), true);
  }
  Conversation talk{};
};

TEST_F(Patience, LeavesWithTheNextRequestInTheOrderOfTheCalls) {
  submit_patiently();
  EXPECT_EQ(talk.sent_lines(), Lines{});
  talk.submit("read", read);
  EXPECT_EQ(talk.sent_lines(), (Lines{"1 exists", "2 getData"}));
}

TEST_F(Patience, Ends) {
  submit_patiently();
  talk.pass(fusefs::limits::patient_request_ms - 1);
  EXPECT_EQ(talk.sent_lines(), Lines{});
  talk.pass(1);
  EXPECT_EQ(talk.sent_lines(), (Lines{"1 exists"}));
}

TEST_F(Patience, SparesWhatNobodyWantsToKnowAnyMore) {
  talk.session().forget(submit_patiently());
  talk.submit("write", write);
  EXPECT_EQ(talk.sent_lines(), (Lines{"1 setData"}));
}

TEST_F(Patience, DoesNotOutlastTheConnection) {
  submit_patiently();
  talk.hang_up();
  talk.pass(10 * fusefs::limits::patient_request_ms);
  talk.attach();
  EXPECT_EQ(talk.sent_lines(), (Lines{"1 exists"}));
}

TEST(SessionRequests, HandTheReplyAndItsZxidOver) {
  Conversation talk;
  talk.attach();
  std::optional<Reply> got;
  talk.session().submit(
      read, [&](replication::Result<Reply> reply) { got = *std::move(reply); }, talk.now_ms());
  talk.sent();
  talk.applied(42);
  talk.reply(1, GetDataResponse{.data = Bytes{1, 2}, .stat = {.version = 3}});
  talk.heard();
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->zxid.value, 42U);
  EXPECT_EQ(std::get<GetDataResponse>(got->body).data, Bytes({1, 2}));
  EXPECT_EQ(std::get<GetDataResponse>(got->body).stat.version, 3);
  EXPECT_EQ(talk.session().last_zxid().value, 42U);
}

TEST(SessionRequests, NeverCallBackInsideTheCall) {
  Conversation talk;
  bool called = false;
  const auto callback = [&](const auto&) { called = true; };
  talk.session().submit(PingRequest{}, callback, talk.now_ms());
  EXPECT_FALSE(called);
  talk.session().deliveries().run();
  EXPECT_TRUE(called);
}

TEST(SessionRequests, OfTheClientItselfAreRefused) {
  Conversation talk;
  talk.attach();
  talk.submit("ping", PingRequest{});
  talk.submit("close", CloseSessionRequest{});
  talk.submit("watches", SetWatchesRequest{});
  talk.submit("more", SetWatches2Request{});
  EXPECT_EQ(talk.sent_lines(), Lines{});
  EXPECT_EQ(talk.heard(), (Lines{"connected", "ping: BadArguments", "close: BadArguments",
                                 "watches: BadArguments", "more: BadArguments"}));
}

TEST(SessionRequests, SentWritesFailWithALostConnectionAndReadsAreSentAgainInOrder) {
  Conversation talk;
  talk.attach();
  talk.submit("read", read);
  talk.submit("write", write);
  talk.submit("sync", SyncRequest{.path = "/a"});
  talk.submit("multi", MultiRequest{});
  talk.submit("children", GetChildren2Request{.path = "/a"});
  EXPECT_EQ(talk.sent().size(), 5U);
  talk.submit("not sent", write);
  talk.hang_up();
  EXPECT_EQ(talk.heard(),
            (Lines{"connected", "connecting", "write: ConnectionLoss", "multi: ConnectionLoss"}));
  talk.attach();
  EXPECT_EQ(talk.sent_lines(), (Lines{"6 getData", "7 sync", "8 getChildren2", "9 setData"}));
  talk.reply(6, GetDataResponse{});
  talk.reply(7, PathResponse{});
  talk.reply(8, GetChildren2Response{});
  talk.reply(9, StatResponse{});
  EXPECT_EQ(talk.heard(),
            (Lines{"connected", "read: OK", "sync: OK", "children: OK", "not sent: OK"}));
}

TEST(SessionRequests, NotSentWaitForTheSessionTimeoutAndNoLonger) {
  Conversation talk;
  talk.submit("first", write);
  talk.pass(10);
  talk.submit("second", read);
  talk.pass(Conversation::timeout_ms - 11);
  EXPECT_EQ(talk.heard(), Lines{});
  talk.pass(1);
  EXPECT_EQ(talk.heard(), (Lines{"first: OperationTimeout"}));
  talk.pass(10);
  EXPECT_EQ(talk.heard(), (Lines{"second: OperationTimeout"}));
}

TEST(SessionRequests, ThatAreReadsWaitForTheTimeoutSinceTheirCallEvenIfSentBefore) {
  Conversation talk;
  talk.attach();
  talk.submit("read", read);
  talk.sent();
  talk.pass(1'000);
  talk.hang_up();
  talk.pass(Conversation::timeout_ms - 1'001);
  EXPECT_EQ(talk.heard(), (Lines{"connected", "connecting"}));
  talk.pass(1);
  EXPECT_EQ(talk.heard(), (Lines{"read: OperationTimeout"}));
}

TEST(SessionRequests, WithAnyReplyButTheNextCostTheConnection) {
  for (const std::int32_t wrong_xid : {2, 0, 3, xid::auth, xid::ping, xid::set_watches,
                                       std::numeric_limits<std::int32_t>::min()}) {
    SCOPED_TRACE(wrong_xid);
    Conversation talk;
    talk.attach();
    talk.submit("read", read);
    talk.submit("write", write);
    talk.sent();
    talk.reply(wrong_xid, StatResponse{});
    EXPECT_EQ(talk.session().attempt(), 0U);
    EXPECT_EQ(talk.heard(), (Lines{"connected", "connecting", "write: ConnectionLoss"}));
    talk.attach();
    EXPECT_EQ(talk.sent_lines(), (Lines{"3 getData"}));
  }
}

TEST(SessionRequests, WithAReplyNobodyAskedForCostTheConnection) {
  Conversation talk;
  talk.attach();
  talk.reply(1, StatResponse{});
  EXPECT_EQ(talk.session().attempt(), 0U);
}

TEST(SessionRequests, AreNumberedFromOneToBelowTheLargestNumberAndFromOneAgain) {
  EXPECT_EQ(xid_after(0), 1);
  EXPECT_EQ(xid_after(2'147'483'645), 2'147'483'646);
  EXPECT_EQ(xid_after(2'147'483'646), 1);
}

TEST(SessionRequests, ForgottenBeforeTheyAreSentNeverAre) {
  Conversation talk;
  const auto first = talk.submit("first", read);
  talk.submit("second", write);
  const auto third = talk.submit("third", write);
  talk.session().forget(first);
  talk.session().forget(third);
  talk.session().forget({999});
  talk.session().forget({});
  talk.attach();
  EXPECT_EQ(talk.sent_lines(), (Lines{"1 setData"}));
  talk.reply(1, StatResponse{});
  EXPECT_EQ(talk.heard(), (Lines{"connected", "second: OK"}));
}

TEST(SessionRequests, ForgottenAfterTheyAreSentKeepTheirPlaceInTheOrder) {
  Conversation talk;
  talk.attach();
  const auto first = talk.submit("first", write);
  talk.submit("second", read);
  talk.sent();
  talk.session().forget(first);
  talk.reply(1, StatResponse{});
  talk.reply(2, GetDataResponse{});
  EXPECT_EQ(talk.heard(), (Lines{"connected", "second: OK"}));
}

TEST(SessionRequests, ForgottenAreNotSentAgain) {
  Conversation talk;
  talk.attach();
  const auto first = talk.submit("first", read);
  talk.sent();
  talk.session().forget(first);
  talk.hang_up();
  talk.attach();
  EXPECT_EQ(talk.sent_lines(), Lines{});
  EXPECT_EQ(talk.heard(), (Lines{"connected", "connecting", "connected"}));
}

TEST(SessionRequests, ForgottenWhenTheirAnswerWaitsAreNotCalledBack) {
  Conversation talk;
  talk.attach();
  const auto first = talk.submit("first", read);
  talk.sent();
  talk.reply(1, GetDataResponse{});
  talk.session().forget(first);
  EXPECT_EQ(talk.heard(), (Lines{"connected"}));
}

TEST(SessionRequests, BeyondTheBoundAreThrottled) {
  Conversation talk;
  for (std::size_t i = 0; i < limits::client_requests_queued_max; ++i) {
    talk.session().submit(read, {}, talk.now_ms());
  }
  talk.submit("too many", read);
  EXPECT_EQ(talk.heard(), (Lines{"too many: ThrottledOp"}));
}

TEST(SessionRequests, LargerThanAServerReadsAreRefusedAndTheOthersGoOn) {
  constexpr std::size_t header_bytes = 8;
  constexpr std::size_t fields_bytes = 4 + 2 + 4 + 4;
  constexpr auto largest = limits::client_frame_bytes_max - header_bytes - fields_bytes;
  Conversation talk;
  talk.attach();
  talk.submit("too large", SetDataRequest{.path = "/a", .data = Bytes(largest + 1)});
  talk.submit("largest", SetDataRequest{.path = "/a", .data = Bytes(largest)});
  talk.submit("read", read);
  EXPECT_EQ(talk.sent_lines(), (Lines{"2 setData", "3 getData"}));
  EXPECT_EQ(talk.heard(), (Lines{"connected", "too large: BadArguments"}));
}

TEST(SessionRequests, OfWhichOneBatchIsTakenAreNotSentYet) {
  Conversation talk;
  talk.attach();
  for (int i = 0; i < 4; ++i) {
    talk.submit("write " + std::to_string(i),
                SetDataRequest{.path = "/a", .data = Bytes(limits::client_send_batch_bytes / 2)});
  }
  Bytes batch;
  talk.session().append_output(batch, talk.now_ms());
  talk.hang_up();
  EXPECT_EQ(talk.heard(), (Lines{"connected", "connecting", "write 0: ConnectionLoss",
                                 "write 1: ConnectionLoss"}));
}

// Asked again, it would be as large again: the client would never get past it.
TEST(SessionRequests, WhoseReplyIsTooLargeFailAndTheOthersAreSentAgain) {
  Conversation talk;
  talk.attach();
  talk.submit("listing", GetChildrenRequest{.path = "/a"});
  talk.submit("read", read);
  talk.sent();
  constexpr auto stated = limits::reply_frame_bytes_max + 1;
  talk.receive(Bytes{stated >> 24 & 0xff, stated >> 16 & 0xff, stated >> 8 & 0xff, stated & 0xff});
  EXPECT_EQ(talk.heard(), (Lines{"connected", "listing: MarshallingError", "connecting"}));
  talk.attach();
  EXPECT_EQ(talk.sent_lines(), (Lines{"3 getData"}));
}

TEST(SessionRequests, WhoseReplyCanNotBeReadFailAndCostTheConnection) {
  Conversation talk;
  talk.attach();
  talk.submit("read", read);
  talk.submit("write", write);
  talk.sent();
  talk.reply(1, EmptyResponse{});
  EXPECT_EQ(talk.heard(),
            (Lines{"connected", "read: MarshallingError", "connecting", "write: ConnectionLoss"}));
}

TEST(SessionRequests, OfAChrootHaveItInFrontAndLoseItInReplies) {
  Conversation talk{"one/sub/tree"};
  talk.attach();
  std::string created;
  talk.session().submit(
      CreateRequest{.path = "/a"},
      [&](const replication::Result<Reply>& reply) {
        created = std::get<PathResponse>(reply->body).path;
      },
      talk.now_ms());
  talk.submit("root", GetChildrenRequest{.path = "/", .watch = true});
  const auto sent = talk.sent();
  EXPECT_EQ(std::get<CreateRequest>(sent[0].request).path, "/sub/tree/a");
  EXPECT_EQ(std::get<GetChildrenRequest>(sent[1].request).path, "/sub/tree");
  talk.reply(1, PathResponse{"/sub/tree/a"});
  talk.reply(2, GetChildrenResponse{});
  talk.event(EventType::children_changed, "/sub/tree");
  EXPECT_EQ(talk.heard(), (Lines{"connected", "root: OK", "children /"}));
  EXPECT_EQ(created, "/a");
}

}  // namespace
}  // namespace zabfs::fusefs::client
