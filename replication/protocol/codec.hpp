// Requests and replies to bytes and back, for the server and for our own client.
//
// Decoding never throws and never reads beyond its view: what is short, or lies about a count, is
// marshalling_error. Bytes behind the last field are ignored, as ZooKeeper does.
#pragma once

#include "replication/model/bytes.hpp"
#include "replication/model/result.hpp"
#include "replication/protocol/requests.hpp"
#include "replication/protocol/responses.hpp"

namespace zabfs::replication::protocol {

// A header and what follows it. `body` points into the payload it was split from.
template <class Header>
struct Split {
  Header header{};
  ByteView body{};
};

// --- server side ---

// marshalling_error if the payload is shorter than a header (ZooKeeper then closes).
Result<Split<RequestHeader>> split_request(ByteView payload);

// The request of operation `op`; unimplemented for a number we do not serve, or marshalling_error.
// A multi or multiRead with an operation that may not be inside is marshalling_error, as in
// ZooKeeper.
Result<Request> decode_request(std::int32_t op, ByteView body);

// Append a whole frame, length included. The second is for errors: a header alone.
void append_reply(Bytes& out, const ReplyHeader& header, const Response& response);
void append_reply(Bytes& out, const ReplyHeader& header);
void append_event(Bytes& out, const WatcherEvent& event, std::int64_t zxid);

// --- client side ---

// Appends a whole frame, length included.
void append_request(Bytes& out, std::int32_t xid, const Request& request);

Result<Split<ReplyHeader>> split_reply(ByteView payload);

// The body of a reply to operation `op` whose header said ok.
Result<Response> decode_response(OpCode op, ByteView body);

Result<WatcherEvent> decode_event(ByteView body);

}  // namespace zabfs::replication::protocol
