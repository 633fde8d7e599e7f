#include "tests/fusefs/client/conversation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "replication/protocol/frame.hpp"

namespace zabfs::fusefs::client {

using replication::Bytes;
using replication::ByteView;
using replication::ErrorCode;
using namespace replication::protocol;

namespace {

std::string text_of_state(SessionState state) {
  switch (state) {
    case SessionState::connecting:
      return "connecting";
    case SessionState::connected:
      return "connected";
    case SessionState::expired:
      return "expired";
    case SessionState::refused:
      return "refused";
    case SessionState::closed:
      return "closed";
  }
  return "no state";
}

std::string text_of_event(const WatchNotice& notice) {
  static const std::vector<std::string> names{"", "created", "deleted", "changed", "children"};
  return names.at(static_cast<std::size_t>(notice.type)) + " " + notice.path;
}

std::vector<ByteView> payloads_of(ByteView stream) {
  std::vector<ByteView> payloads;
  while (!stream.empty()) {
    const auto split = split_frame(stream, stream.size());
    if (split.state != FrameSplit::State::whole) {
      ADD_FAILURE() << "the client sent half a frame";
      break;
    }
    payloads.push_back(split.payload);
    stream = stream.subspan(split.consumed);
  }
  return payloads;
}

}  // namespace

Conversation::Conversation(const std::string& connect_string, Credentials credentials)
    : session_(*parse_connect_string(connect_string), timeout_ms, 1, std::move(credentials)) {
  session_.deliveries().on_event([this](std::span<const WatchNotice> notices) {
    ++calls_;
    for (const auto& notice : notices) {
      heard_.push_back(text_of_event(notice));
    }
  });
  session_.deliveries().on_state(
      [this](SessionState state) { heard_.push_back(text_of_state(state)); });
}

bool Conversation::wait_for_dial(std::int64_t limit_ms) {
  const auto give_up_ms = now_ms_ + limit_ms;
  session_.tick(now_ms_);
  while (session_.attempt() == 0 && session_.next_tick_ms() <= give_up_ms) {
    now_ms_ = std::max(now_ms_, session_.next_tick_ms());
    session_.tick(now_ms_);
  }
  return session_.attempt() != 0;
}

ConnectRequest Conversation::greet() {
  EXPECT_TRUE(wait_for_dial(10'000));
  session_.connected(now_ms_);
  const auto output = take_output();
  const auto payloads = payloads_of(output);
  EXPECT_EQ(payloads.size(), 1U) << "something was sent before the handshake was answered";
  return *decode_connect_request(payloads.at(0));
}

void Conversation::accept(std::int32_t granted_ms) {
  Bytes frame;
  append_frame(
      frame, ConnectResponse{
                 .timeout_ms = granted_ms, .session_id = session_id, .password = Bytes(16, 0x5a)});
  receive(frame);
}

void Conversation::refuse() {
  Bytes frame;
  append_frame(frame, ConnectResponse{.password = Bytes(16)});
  receive(frame);
}

void Conversation::attach() {
  greet();
  accept(timeout_ms);
}

void Conversation::hang_up() { session_.disconnected(now_ms_); }

void Conversation::pass(std::int64_t ms) {
  constexpr int ticks_at_one_time_max = 3;
  const auto end_ms = now_ms_ + ms;
  for (int ticks = 0; session_.next_tick_ms() <= end_ms; ++ticks) {
    if (session_.next_tick_ms() > now_ms_) {
      now_ms_ = session_.next_tick_ms();
      ticks = 0;
    }
    ASSERT_LT(ticks, ticks_at_one_time_max) << "ticks change nothing and another one is wanted";
    session_.tick(now_ms_);
  }
  now_ms_ = end_ms;
}

Bytes Conversation::take_output() {
  Bytes all;
  for (Bytes batch;; batch.clear()) {
    session_.append_output(batch, now_ms_);
    if (batch.empty()) {
      return all;
    }
    all.insert(all.end(), batch.begin(), batch.end());
  }
}

std::vector<Sent> Conversation::sent() {
  std::vector<Sent> requests;
  const auto output = take_output();
  for (const auto payload : payloads_of(output)) {
    const auto split = split_request(payload);
    auto request = decode_request(split->header.op, split->body);
    EXPECT_TRUE(request.has_value());
    requests.push_back({split->header.xid, std::move(*request)});
  }
  return requests;
}

Lines Conversation::sent_lines() {
  Lines lines;
  for (const auto& [xid, request] : sent()) {
    lines.push_back(std::to_string(xid) + " " + std::string(name_of(op_of(request))));
  }
  return lines;
}

void Conversation::reply(std::int32_t xid, const Response& response) {
  Bytes frame;
  append_reply(frame, {.xid = xid, .zxid = zxid_}, response);
  receive(frame);
}

void Conversation::reply(std::int32_t xid, ErrorCode error) {
  Bytes frame;
  append_reply(frame, {.xid = xid, .zxid = zxid_, .error = static_cast<std::int32_t>(error)});
  receive(frame);
}

void Conversation::event(EventType type, const std::string& path) {
  Bytes frame;
  append_event(frame, {.type = static_cast<std::int32_t>(type), .path = path}, -1);
  receive(frame);
}

void Conversation::receive(ByteView bytes) { session_.received(bytes, now_ms_); }

RequestId Conversation::submit(const std::string& name, Request request) {
  return session_.submit(
      std::move(request),
      [this, name](const replication::Result<Reply>& reply) {
        heard_.push_back(name + ": " + std::string(name_of(reply ? ErrorCode::ok : reply.error())));
      },
      now_ms_);
}

void Conversation::close() {
  session_.close([this] { heard_.push_back("close is done"); }, now_ms_);
}

Lines Conversation::heard() {
  while (!session_.deliveries().empty()) {
    session_.deliveries().run();
  }
  return std::exchange(heard_, {});
}

}  // namespace zabfs::fusefs::client
