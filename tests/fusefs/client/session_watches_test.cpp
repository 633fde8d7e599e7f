// Watches: fired once, kept over connections, reported before anything that is as new.
#include <gtest/gtest.h>

#include <algorithm>

#include "replication/model/limits.hpp"
#include "replication/protocol/frame.hpp"
#include "tests/fusefs/client/conversation.hpp"

namespace zabfs::fusefs::client {
namespace {

using replication::Bytes;
using replication::ErrorCode;
using namespace replication::protocol;

// One watch of each kind: data at /d and /e, exist at /x, child at /c.
void set_watches(Conversation& talk) {
  talk.submit("d", GetDataRequest{.path = "/d", .watch = true});
  talk.submit("e", ExistsRequest{.path = "/e", .watch = true});
  talk.submit("x", ExistsRequest{.path = "/x", .watch = true});
  talk.submit("c", GetChildren2Request{.path = "/c", .watch = true});
  const auto sent = talk.sent();
  ASSERT_EQ(sent.size(), 4U);
  talk.reply(sent[0].xid, GetDataResponse{});
  talk.reply(sent[1].xid, StatResponse{});
  talk.reply(sent[2].xid, ErrorCode::no_node);
  talk.reply(sent[3].xid, GetChildren2Response{});
  talk.heard();
}

// The only setWatches that was sent, its lists in order.
SetWatchesRequest sent_watches(Conversation& talk) {
  auto sent = talk.sent();
  EXPECT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent.at(0).xid, xid::set_watches);
  auto request = std::get<SetWatchesRequest>(sent.at(0).request);
  std::ranges::sort(*request.data);
  return request;
}

TEST(SessionWatches, FireOnceAndBeforeTheReplyBehindThem) {
  Conversation talk;
  talk.attach();
  set_watches(talk);
  talk.submit("read", GetDataRequest{.path = "/d"});
  talk.sent();
  talk.event(EventType::data_changed, "/d");
  talk.event(EventType::data_changed, "/d");
  talk.reply(5, GetDataResponse{});
  EXPECT_EQ(talk.heard(), (Lines{"changed /d", "read: OK"}));
}

TEST(SessionWatches, CarryTheZxidOfTheServersThatSendOne) {
  Conversation talk;
  talk.attach();
  set_watches(talk);
  std::vector<std::optional<replication::Zxid>> zxids;
  talk.session().deliveries().on_event([&](std::span<const WatchNotice> notices) {
    for (const auto& notice : notices) {
      zxids.push_back(notice.zxid);
    }
  });
  Bytes frames;
  append_event(frames, {.type = 3, .path = "/d"}, -1);
  append_event(frames, {.type = 3, .path = "/e"}, 77);
  talk.receive(frames);
  talk.heard();
  EXPECT_EQ(zxids,
            (std::vector<std::optional<replication::Zxid>>{std::nullopt, replication::Zxid{77}}));
}

// Wherever the stream is cut but between two events.
TEST(SessionWatches, OfOneTransactionAreToldTogether) {
  Bytes frames;
  append_event(frames, {.type = 3, .path = "/d"}, 77);
  const std::size_t border = frames.size();
  append_event(frames, {.type = 3, .path = "/e"}, 77);
  for (std::size_t cut = 1; cut <= frames.size(); ++cut) {
    Conversation talk;
    talk.attach();
    set_watches(talk);
    const replication::ByteView stream(frames);
    talk.receive(stream.first(cut));
    if (cut < frames.size()) {
      EXPECT_EQ(talk.heard(), cut == border ? Lines{"changed /d"} : Lines{}) << cut;
    }
    talk.receive(stream.subspan(cut));
    EXPECT_EQ(talk.heard(),
              cut == border ? Lines{"changed /e"} : (Lines{"changed /d", "changed /e"}));
    EXPECT_EQ(talk.calls(), cut == border ? 2U : 1U) << cut;
  }
}

TEST(SessionWatches, WaitForNoReplyBehindThem) {
  Conversation talk;
  talk.attach();
  set_watches(talk);
  talk.submit("read", GetDataRequest{.path = "/d"});
  talk.sent();
  Bytes frames;
  append_event(frames, {.type = 3, .path = "/d"}, 77);
  const std::size_t border = frames.size();
  append_reply(frames, {.xid = 5, .zxid = 77}, GetDataResponse{});
  const replication::ByteView stream(frames);
  constexpr std::size_t length_and_xid = 8;
  talk.receive(stream.first(border + length_and_xid));
  EXPECT_EQ(talk.heard(), Lines{"changed /d"});
  talk.receive(stream.subspan(border + length_and_xid));
  EXPECT_EQ(talk.heard(), Lines{"read: OK"});
}

TEST(SessionWatches, WhoseRestIsLostWithTheConnectionAreTold) {
  Conversation talk;
  talk.attach();
  set_watches(talk);
  Bytes frames;
  append_event(frames, {.type = 3, .path = "/d"}, 77);
  append_event(frames, {.type = 3, .path = "/e"}, 77);
  frames.pop_back();
  talk.receive(frames);
  EXPECT_EQ(talk.heard(), Lines{});
  talk.hang_up();
  EXPECT_EQ(talk.heard(), (Lines{"changed /d", "connecting"}));
}

TEST(SessionWatches, AreTheFirstThingSaidOnTheNextConnection) {
  Conversation talk;
  talk.attach();
  set_watches(talk);
  talk.submit("waits", GetDataRequest{.path = "/a"});
  talk.hang_up();
  talk.attach();
  const auto sent = talk.sent();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].xid, xid::set_watches);
  auto watches = std::get<SetWatchesRequest>(sent[0].request);
  std::ranges::sort(*watches.data);
  EXPECT_EQ(watches, (SetWatchesRequest{.relative_zxid = 7,
                                        .data = Lines{"/d", "/e"},
                                        .exist = Lines{"/x"},
                                        .child = Lines{"/c"}}));
  EXPECT_EQ(op_of(sent[1].request), OpCode::get_data);
}

TEST(SessionWatches, ReportWhatWasMissedBeforeTheStateIsConnected) {
  Conversation talk;
  talk.attach();
  set_watches(talk);
  talk.hang_up();
  talk.attach();
  talk.event(EventType::deleted, "/d");
  talk.event(EventType::created, "/x");
  EXPECT_EQ(talk.session().state(), SessionState::connecting);
  sent_watches(talk);
  talk.reply(xid::set_watches, EmptyResponse{});
  EXPECT_EQ(talk.heard(), (Lines{"connecting", "deleted /d", "created /x", "connected"}));
  talk.hang_up();
  talk.attach();
  EXPECT_EQ(sent_watches(talk),
            (SetWatchesRequest{
                .relative_zxid = 7, .data = Lines{"/e"}, .exist = Lines{}, .child = Lines{"/c"}}));
}

// A server reports it once for each kind; it is one change.
TEST(SessionWatches, ReportADeletionOnce) {
  Conversation talk;
  talk.attach();
  talk.submit("data", GetDataRequest{.path = "/d", .watch = true});
  talk.submit("children", GetChildrenRequest{.path = "/d", .watch = true});
  talk.sent();
  talk.reply(1, GetDataResponse{});
  talk.reply(2, GetChildrenResponse{});
  talk.hang_up();
  talk.attach();
  talk.heard();
  talk.event(EventType::deleted, "/d");
  talk.event(EventType::deleted, "/d");
  EXPECT_EQ(talk.heard(), (Lines{"deleted /d"}));
}

TEST(SessionWatches, OfFailedReadsAreNotSet) {
  Conversation talk;
  talk.attach();
  talk.submit("data", GetDataRequest{.path = "/d", .watch = true});
  talk.submit("children", GetChildrenRequest{.path = "/d", .watch = true});
  talk.submit("exists", ExistsRequest{.path = "/d", .watch = true});
  talk.submit("no watch", GetDataRequest{.path = "/n"});
  talk.sent();
  talk.reply(1, ErrorCode::no_node);
  talk.reply(2, ErrorCode::no_auth);
  talk.reply(3, ErrorCode::no_auth);
  talk.reply(4, GetDataResponse{});
  talk.hang_up();
  talk.attach();
  EXPECT_EQ(talk.sent_lines(), Lines{});
}

TEST(SessionWatches, OfReadsThatWereSentTwiceAreOne) {
  Conversation talk;
  talk.attach();
  talk.submit("read", GetDataRequest{.path = "/d", .watch = true});
  talk.sent();
  talk.hang_up();
  talk.attach();
  EXPECT_EQ(talk.sent_lines(), (Lines{"2 getData"}));
  talk.reply(2, GetDataResponse{});
  talk.heard();
  talk.event(EventType::data_changed, "/d");
  talk.event(EventType::data_changed, "/d");
  EXPECT_EQ(talk.heard(), (Lines{"changed /d"}));
  talk.hang_up();
  talk.attach();
  EXPECT_EQ(talk.sent_lines(), Lines{});
}

TEST(SessionWatches, OfForgottenReadsStillReport) {
  Conversation talk;
  talk.attach();
  const auto id = talk.submit("read", GetDataRequest{.path = "/d", .watch = true});
  talk.sent();
  talk.session().forget(id);
  talk.reply(1, GetDataResponse{});
  talk.event(EventType::data_changed, "/d");
  EXPECT_EQ(talk.heard(), (Lines{"connected", "changed /d"}));
}

TEST(SessionWatches, InPlentyAreSentInBatchesThatAServerReads) {
  constexpr std::size_t count = 500;
  Conversation talk;
  talk.attach();
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < count; ++i) {
    paths.push_back("/" + std::string(5'000, 'p') + std::to_string(i));
    talk.submit("read", GetDataRequest{.path = paths.back(), .watch = true});
  }
  for (const auto& [xid, request] : talk.sent()) {
    talk.reply(xid, GetDataResponse{});
  }
  talk.heard();
  talk.hang_up();
  talk.attach();
  std::vector<std::string> again;
  const auto batches = talk.sent();
  for (const auto& [xid, request] : batches) {
    Bytes frame;
    append_request(frame, xid, request);
    EXPECT_LT(frame.size(), replication::limits::client_frame_bytes_max);
    const auto& list = *std::get<SetWatchesRequest>(request).data;
    again.insert(again.end(), list.begin(), list.end());
  }
  std::ranges::sort(paths);
  std::ranges::sort(again);
  EXPECT_EQ(again, paths);
  ASSERT_GT(batches.size(), 1U);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    EXPECT_EQ(talk.session().state(), SessionState::connecting);
    talk.reply(xid::set_watches, EmptyResponse{});
  }
  EXPECT_EQ(talk.session().state(), SessionState::connected);
}

TEST(SessionWatches, ThatStayFireAgainAndAreSetAgain) {
  Conversation talk;
  talk.attach();
  talk.submit("add", AddWatchRequest{.path = "/p"});
  talk.sent();
  talk.reply(1, ErrorResponse{});
  for (int i = 0; i < 2; ++i) {
    talk.event(EventType::data_changed, "/p");
  }
  talk.event(EventType::data_changed, "/other");
  EXPECT_EQ(talk.heard(), (Lines{"connected", "add: OK", "changed /p", "changed /p"}));
  EXPECT_EQ(talk.session().watches(), 1U);
  talk.hang_up();
  talk.attach();
  EXPECT_EQ(talk.sent_lines(), Lines{"-8 setWatches2"});
  talk.reply(xid::set_watches, EmptyResponse{});
  talk.submit("remove", RemoveWatchesRequest{.path = "/p", .type = 3});
  talk.sent();
  talk.reply(2, EmptyResponse{});
  talk.event(EventType::data_changed, "/p");
  EXPECT_EQ(talk.heard(), (Lines{"connecting", "connected", "remove: OK"}));
  EXPECT_EQ(talk.session().watches(), 0U);
}

// A change that the second batch would have reported must not fall behind the zxid of the first
// batch's reply.
TEST(SessionWatches, AreAskedForAgainFromTheSameZxidUntilAllAreSet) {
  Conversation talk;
  talk.attach();
  set_watches(talk);
  talk.hang_up();
  talk.attach();
  talk.applied(1'000);
  talk.sent();
  talk.reply(xid::set_watches, EmptyResponse{});
  talk.hang_up();
  talk.attach();
  EXPECT_EQ(sent_watches(talk).relative_zxid, 7);
}

TEST(SessionWatches, ThatAreRefusedOrOvertakenCostTheConnection) {
  Conversation refused;
  refused.attach();
  set_watches(refused);
  refused.hang_up();
  refused.attach();
  refused.sent();
  refused.reply(xid::set_watches, ErrorCode::marshalling_error);
  EXPECT_EQ(refused.session().attempt(), 0U);

  Conversation overtaken;
  overtaken.attach();
  set_watches(overtaken);
  overtaken.hang_up();
  overtaken.submit("read", GetDataRequest{.path = "/a"});
  overtaken.attach();
  overtaken.sent();
  overtaken.reply(5, GetDataResponse{});
  EXPECT_EQ(overtaken.session().attempt(), 0U);
}

TEST(SessionWatches, WithPathsTooLongToBeAskedForAgainAreRefused) {
  Conversation talk;
  talk.attach();
  const std::string path(replication::limits::client_frame_bytes_max - 30, '/');
  talk.submit("watched", GetDataRequest{.path = path, .watch = true});
  talk.submit("read", GetDataRequest{.path = path});
  EXPECT_EQ(talk.sent_lines(), (Lines{"2 getData"}));
  EXPECT_EQ(talk.heard(), (Lines{"connected", "watched: BadArguments"}));
}

TEST(SessionWatches, OfUnknownTypesCostTheConnection) {
  for (const std::int32_t type : {-1, 0, 5, 1'000}) {
    Conversation talk;
    talk.attach();
    Bytes frame;
    append_event(frame, {.type = type, .path = "/d"}, -1);
    talk.receive(frame);
    EXPECT_EQ(talk.session().attempt(), 0U) << type;
  }
}

}  // namespace
}  // namespace zabfs::fusefs::client
