// Servers and networks at their worst: connections lost at every byte, frames in pieces, nonsense.
//
// Whatever arrives, every request is answered exactly once, writes are never sent twice, and no
// change that was watched is lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "replication/protocol/frame.hpp"
#include "tests/fusefs/client/conversation.hpp"
#include "tests/support/hostile_bytes.hpp"

namespace zabfs::fusefs::client {
namespace {

using replication::Bytes;
using replication::ByteView;
using replication::ErrorCode;
using namespace replication::protocol;

// What a server says on the first connection: to the handshake, and then to the five requests of
// submit_all, with two events in between.
Bytes server_bytes() {
  Bytes out;
  append_frame(out, ConnectResponse{.timeout_ms = Conversation::timeout_ms,
                                    .session_id = Conversation::session_id,
                                    .password = Bytes(16, 0x5a)});
  append_reply(out, {.xid = 1, .zxid = 1}, PathResponse{"/a"});
  append_reply(out, {.xid = 2, .zxid = 1}, GetDataResponse{.data = Bytes{1, 2, 3}});
  append_event(out, {.type = 3, .path = "/a"}, -1);
  append_reply(out, {.xid = 3, .zxid = 2}, StatResponse{});
  append_reply(out, {.xid = 4, .zxid = 2, .error = -101});
  append_event(out, {.type = 1, .path = "/x"}, -1);
  append_reply(out, {.xid = 5, .zxid = 3}, MultiResponse{{{OpCode::remove, EmptyResponse{}}}});
  return out;
}

void submit_all(Conversation& talk) {
  talk.submit("create", CreateRequest{.path = "/a"});
  talk.submit("get", GetDataRequest{.path = "/a", .watch = true});
  talk.submit("set", SetDataRequest{.path = "/a"});
  talk.submit("exists", ExistsRequest{.path = "/x", .watch = true});
  talk.submit("multi", MultiRequest{{DeleteRequest{.path = "/a"}}});
}

const Lines undisturbed{"connected", "create: OK",     "get: OK",    "changed /a",
                        "set: OK",   "exists: NoNode", "created /x", "multi: OK"};

// A server that answers whatever it is asked, as if its znodes were all there.
void answer_all(Conversation& talk, const std::vector<Sent>& requests) {
  for (const auto& [xid, request] : requests) {
    switch (op_of(request)) {
      case OpCode::create:
        talk.reply(xid, PathResponse{"/a"});
        break;
      case OpCode::get_data:
        talk.reply(xid, GetDataResponse{});
        break;
      case OpCode::multi:
        talk.reply(xid, MultiResponse{});
        break;
      case OpCode::set_data:
      case OpCode::exists:
        talk.reply(xid, StatResponse{});
        break;
      default:
        talk.reply(xid, EmptyResponse{});
    }
  }
}

// How often each request was answered.
std::map<std::string, int> answers_in(const Lines& heard) {
  std::map<std::string, int> answers;
  for (const auto& line : heard) {
    if (const auto colon = line.find(':'); colon != std::string::npos) {
      ++answers[line.substr(0, colon)];
    }
  }
  return answers;
}

const std::map<std::string, int> each_once{
    {"create", 1}, {"exists", 1}, {"get", 1}, {"multi", 1}, {"set", 1}};

constexpr std::size_t handshake_bytes = 41;

void receive_in_pieces(Conversation& talk, ByteView bytes, std::size_t piece) {
  for (; !bytes.empty(); bytes = bytes.subspan(std::min(piece, bytes.size()))) {
    talk.receive(bytes.first(std::min(piece, bytes.size())));
  }
}

TEST(SessionHostile, FramesInPiecesOfAnySizeAreTheSameConversation) {
  const auto all = server_bytes();
  for (std::size_t piece = 1; piece <= all.size(); ++piece) {
    Conversation talk;
    submit_all(talk);
    talk.greet();
    receive_in_pieces(talk, ByteView{all}.first(handshake_bytes), piece);
    talk.sent();
    receive_in_pieces(talk, ByteView{all}.subspan(handshake_bytes), piece);
    ASSERT_EQ(talk.heard(), undisturbed) << "in pieces of " << piece;
  }
}

TEST(SessionHostile, AConnectionLostAtAnyByteLosesAndRepeatsNothing) {
  const auto all = server_bytes();
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    SCOPED_TRACE(cut);
    Conversation talk;
    submit_all(talk);
    talk.greet();
    const auto greeting = std::min(cut, handshake_bytes);
    talk.receive(ByteView{all}.first(greeting));
    const auto sent = talk.sent();
    talk.receive(ByteView{all}.subspan(greeting, cut - greeting));
    talk.hang_up();
    EXPECT_EQ(sent.size(), greeting < handshake_bytes ? 0U : 5U);
    talk.attach();
    const auto sent_again = talk.sent();
    for (const auto& [xid, request] : sent_again) {
      EXPECT_TRUE(sent.empty() || !is_write(op_of(request))) << "a write was sent twice";
    }
    answer_all(talk, sent_again);
    const auto heard = talk.heard();
    EXPECT_EQ(answers_in(heard), each_once);
    EXPECT_EQ(std::ranges::count(heard, "get: OK"), 1) << "a read failed";
    EXPECT_EQ(talk.session().state(), SessionState::connected);
  }
}

TEST(SessionHostile, DamagedBytesNeverLoseOrDoubleAnAnswer) {
  const auto all = server_bytes();
  std::vector<Bytes> streams = test::mutations_of(all, 21, 3'000);
  for (const auto& more : {test::lies_about_counts_of(all), test::random_runs(22, 2'000, 200)}) {
    streams.insert(streams.end(), more.begin(), more.end());
  }
  for (const auto& stream : streams) {
    Conversation talk;
    submit_all(talk);
    talk.greet();
    const auto handshake = std::min(stream.size(), handshake_bytes);
    talk.receive(ByteView{stream}.first(handshake));
    talk.sent();
    if (talk.session().attempt() != 0) {
      talk.receive(ByteView{stream}.subspan(handshake));
    }
    talk.close();
    talk.pass(2'000);
    const auto heard = talk.heard();
    ASSERT_EQ(answers_in(heard), each_once);
    ASSERT_EQ(heard.back(), "close is done");
  }
}

TEST(SessionHostile, AServerThatNeverMakesSenseCostsTheTimeoutAndNoMore) {
  Conversation talk;
  talk.attach();
  talk.submit("read", GetDataRequest{.path = "/a"});
  int connections = 0;
  for (; talk.session().state() != SessionState::closed && connections < 10'000; ++connections) {
    talk.sent();
    talk.reply(12345, EmptyResponse{});
    const auto heard = talk.heard();
    if (std::ranges::count(heard, "read: OperationTimeout") == 1) {
      break;
    }
    talk.attach();
  }
  // One connection every reconnect_delay_ms_min or so.
  EXPECT_LT(connections, 1'000);
}

}  // namespace
}  // namespace zabfs::fusefs::client
