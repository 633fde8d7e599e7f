#include "tests/support/wire_client.hpp"

#include <gtest/gtest.h>

#include <utility>

#include "replication/model/limits.hpp"
#include "replication/protocol/codec.hpp"
#include "replication/protocol/frame.hpp"

namespace zabfs::test {

using namespace replication;
using namespace replication::protocol;

namespace {

constexpr std::size_t request_header_bytes = 8;

ByteView payload_of(const Bytes& frame) { return ByteView(frame).subspan(frame_header_bytes); }

std::int32_t xid_of(OpCode op, std::int32_t next) {
  switch (op) {
    case OpCode::ping:
      return xid::ping;
    case OpCode::set_watches:
    case OpCode::set_watches2:
      return xid::set_watches;
    default:
      return next;
  }
}

void fail_the_test(const std::string& what) { ADD_FAILURE() << what; }

}  // namespace

WireClient::WireClient(ClientTransport& world, Complaint complain)
    : world_(world), complain_(complain ? std::move(complain) : fail_the_test) {}

void WireClient::connect(const ConnectRequest& handshake) {
  connect_silently();
  Bytes frame;
  append_frame(frame, handshake);
  send(payload_of(frame));
}

void WireClient::connect_silently() {
  disconnect();
  connection_ = world_.connect();
  is_greeted_ = false;
  last_xid_ = 0;
  asked_.clear();
  pings_.clear();
}

void WireClient::ask(const Request& request) {
  const OpCode op = op_of(request);
  const std::int32_t xid = xid_of(op, last_xid_ + 1);
  last_xid_ = std::max(last_xid_, xid);
  Bytes frame;
  append_request(frame, xid, request);
  ask({xid, static_cast<std::int32_t>(op)}, payload_of(frame).subspan(request_header_bytes));
}

void WireClient::ask_raw(std::int32_t op, ByteView body) { ask({++last_xid_, op}, body); }

void WireClient::ask(Asked asked, ByteView body) {
  Bytes payload;
  for (const std::int32_t number : {asked.xid, asked.op}) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      payload.push_back(static_cast<std::uint8_t>(static_cast<std::uint32_t>(number) >> shift));
    }
  }
  payload.insert(payload.end(), body.begin(), body.end());
  (asked.xid == xid::ping ? pings_ : asked_).push_back(asked);
  send(payload);
}

void WireClient::send(ByteView payload) { world_.deliver(connection_.value(), payload); }

void WireClient::disconnect() {
  if (connection_) {
    world_.disconnect(*connection_);
    connection_.reset();
  }
}

std::vector<Heard> WireClient::hear() {
  std::vector<Heard> heard;
  if (!connection_) {
    return heard;
  }
  const Bytes sent = world_.take_sent(*connection_);
  for (ByteView rest = sent; !rest.empty();) {
    const FrameSplit frame = split_frame(rest, limits::reply_frame_bytes_max);
    if (frame.state != FrameSplit::State::whole) {
      complain_("half a frame was sent");
      break;
    }
    heard.push_back(decode(frame.payload));
    rest = rest.subspan(frame.consumed);
  }
  if (!world_.is_open(*connection_)) {
    heard.push_back(Closed{});
    connection_.reset();
  }
  return heard;
}

Heard WireClient::decode(ByteView payload) {
  if (!is_greeted_) {
    is_greeted_ = true;
    const auto response = decode_connect_response(payload);
    if (!response) {
      complain_("not a connect response");
      return ConnectResponse{};
    }
    return *response;
  }
  const auto reply = split_reply(payload);
  if (!reply) {
    complain_("a reply shorter than its header");
    return Reply{};
  }
  if (reply->header.xid == xid::notification) {
    const auto event = decode_event(reply->body);
    if (!event) {
      complain_("not a watch event");
    }
    return Notice{.header = reply->header, .event = event ? *event : WatcherEvent{}};
  }
  return decode_reply(reply->header, reply->body);
}

Heard WireClient::decode_reply(const ReplyHeader& header, ByteView body) {
  auto& asked = header.xid == xid::ping ? pings_ : asked_;
  if (asked.empty() || asked.front().xid != header.xid) {
    complain_("a reply out of turn, xid " + std::to_string(header.xid));
    return Reply{.op = {}, .header = header, .body = {}};
  }
  Reply reply{.op = asked.front().op, .header = header, .body = {}};
  asked.pop_front();
  if (header.error != 0) {
    // A multiRead of writes is refused with a list that is empty.
    const bool may_have_body = OpCode{reply.op} == OpCode::multi_read;
    if (!body.empty() && !may_have_body) {
      complain_("an error with a body, xid " + std::to_string(header.xid));
    }
    return reply;
  }
  auto response = decode_response(OpCode{reply.op}, body);
  if (!response) {
    complain_("a reply that does not decode, operation " + std::to_string(reply.op));
    return reply;
  }
  reply.body = std::move(*response);
  return reply;
}

}  // namespace zabfs::test
