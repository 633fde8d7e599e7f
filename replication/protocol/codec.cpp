#include "replication/protocol/codec.hpp"

#include <optional>
#include <utility>

#include "replication/jute/jute_archive.hpp"
#include "replication/model/limits.hpp"
#include "replication/protocol/frame.hpp"

namespace zabfs::replication::protocol {
namespace {

using jute::JuteReader;
using jute::JuteWriter;

// In front of every operation and result of a multi, and behind the last.
struct MultiHeader {
  std::int32_t op{};
  bool done{};
  std::int32_t error{};

  static auto fields(auto& h) { return std::tie(h.op, h.done, h.error); }
};

template <class Enumeration>
constexpr std::int32_t number(Enumeration e) {
  return static_cast<std::int32_t>(e);
}

constexpr MultiHeader end_of_multi{.op = number(OpCode::error), .done = true, .error = -1};

// What `read` makes of `bytes`: marshalling_error if they are not what they claim to be,
// unimplemented if it makes nothing of them.
template <class T, class Read>
Result<T> decoded(ByteView bytes, Read read) {
  try {
    JuteReader from{bytes};
    std::optional<T> value = read(from);
    if (!value) {
      return ErrorCode::unimplemented;
    }
    return *std::move(value);
  } catch (const cereal::Exception&) {
    return ErrorCode::marshalling_error;
  }
}

// The next header of a multi of which `count` operations or results have been read; nullopt at the
// end.
std::optional<MultiHeader> next_of_multi(JuteReader& from, std::size_t count) {
  MultiHeader header{};
  from(header);
  if (header.done) {
    return std::nullopt;
  }
  if (count == limits::multi_operations_max) {
    throw cereal::Exception("multi of too many operations");
  }
  return header;
}

template <class T>
void read(JuteReader& from, T& record) {
  from(record);
}

void read(JuteReader& from, SetWatchesRequest& request) {
  from(request);
  if (!request.data || !request.exist || !request.child) {
    throw cereal::Exception("null list of watches");
  }
}

void read(JuteReader& from, MultiRequest& request);

// The alternative of `Variant` that is operation `op`; nullopt if there is none.
template <class Variant, std::size_t index = 0>
std::optional<Variant> read_alternative(JuteReader& from, OpCode op) {
  if constexpr (index == std::variant_size_v<Variant>) {
    return std::nullopt;
  } else if (std::variant_alternative_t<index, Variant>::op != op) {
    return read_alternative<Variant, index + 1>(from, op);
  } else {
    std::optional<Variant> found{std::in_place, std::in_place_index<index>};
    read(from, std::get<index>(*found));
    return found;
  }
}

void read(JuteReader& from, MultiRequest& request) {
  while (const auto header = next_of_multi(from, request.operations.size())) {
    auto operation = read_alternative<MultiOperation>(from, OpCode{header->op});
    if (!operation) {
      throw cereal::Exception("operation that may not be inside a multi");
    }
    request.operations.push_back(std::move(*operation));
  }
}

template <class Body>
Body read_as(JuteReader& from) {
  Body body{};
  from(body);
  return body;
}

MultiResult read_result(JuteReader& from, OpCode op) {
  switch (op) {
    case OpCode::create:
      return {op, read_as<PathResponse>(from)};
    case OpCode::create2:
      return {op, read_as<PathStatResponse>(from)};
    case OpCode::set_data:
      return {op, read_as<StatResponse>(from)};
    case OpCode::remove:
    case OpCode::check:
      return {op, EmptyResponse{}};
    case OpCode::error:
      return {op, MultiError{ErrorCode{from.integer<std::int32_t>()}}};
    default:
      throw cereal::Exception("result that does not belong into a multi");
  }
}

MultiResponse read_results(JuteReader& from) {
  MultiResponse response{};
  while (const auto header = next_of_multi(from, response.results.size())) {
    response.results.push_back(read_result(from, OpCode{header->op}));
  }
  return response;
}

// nullopt for an operation we do not use.
std::optional<Response> read_response(JuteReader& from, OpCode op) {
  switch (op) {
    case OpCode::create:
    case OpCode::sync:
      return read_as<PathResponse>(from);
    case OpCode::create2:
      return read_as<PathStatResponse>(from);
    case OpCode::exists:
    case OpCode::set_data:
      return read_as<StatResponse>(from);
    case OpCode::get_data:
      return read_as<GetDataResponse>(from);
    case OpCode::get_acl:
      return read_as<GetAclResponse>(from);
    case OpCode::get_children:
      return read_as<GetChildrenResponse>(from);
    case OpCode::get_children2:
      return read_as<GetChildren2Response>(from);
    case OpCode::multi:
      return read_results(from);
    case OpCode::remove:
    case OpCode::ping:
    case OpCode::set_watches:
    case OpCode::close_session:
      return EmptyResponse{};
    default:
      return std::nullopt;
  }
}

template <class T>
void write(JuteWriter& to, const T& record) {
  to(record);
}

void write(JuteWriter& to, const MultiRequest& request) {
  for (const auto& operation : request.operations) {
    std::visit(
        [&to](const auto& o) {
          to(MultiHeader{.op = number(o.op), .done = false, .error = -1}, o);
        },
        operation);
  }
  to(end_of_multi);
}

void write_result(JuteWriter& to, OpCode op, const auto& body) {
  to(MultiHeader{.op = number(op), .done = false, .error = number(ErrorCode::ok)}, body);
}

// A failure says its code twice, in the header and as a body.
void write_result(JuteWriter& to, OpCode, const MultiError& failure) {
  const auto error = number(failure.error);
  to(MultiHeader{.op = number(OpCode::error), .done = false, .error = error}, error);
}

void write(JuteWriter& to, const MultiResponse& response) {
  for (const auto& result : response.results) {
    std::visit([&](const auto& body) { write_result(to, result.op, body); }, result.body);
  }
  to(end_of_multi);
}

template <class Header>
Result<Split<Header>> split(ByteView payload) {
  return decoded<Split<Header>>(payload, [](JuteReader& from) {
    Split<Header> split{};
    from(split.header);
    split.body = from.rest();
    return split;
  });
}

}  // namespace

Result<Split<RequestHeader>> split_request(ByteView payload) {
  return split<RequestHeader>(payload);
}

Result<Request> decode_request(std::int32_t op, ByteView body) {
  return decoded<Request>(
      body, [op](JuteReader& from) { return read_alternative<Request>(from, OpCode{op}); });
}

void append_reply(Bytes& out, const ReplyHeader& header, const Response& response) {
  const FrameWriter frame{out};
  JuteWriter to{out};
  to(header);
  std::visit([&to](const auto& body) { write(to, body); }, response);
}

void append_reply(Bytes& out, const ReplyHeader& header) {
  const FrameWriter frame{out};
  JuteWriter{out}(header);
}

void append_event(Bytes& out, const WatcherEvent& event, std::int64_t zxid) {
  const FrameWriter frame{out};
  const ReplyHeader header{.xid = xid::notification, .zxid = zxid, .error = number(ErrorCode::ok)};
  JuteWriter{out}(header, event);
}

void append_request(Bytes& out, std::int32_t xid, const Request& request) {
  const FrameWriter frame{out};
  JuteWriter to{out};
  to(RequestHeader{.xid = xid, .op = number(op_of(request))});
  std::visit([&to](const auto& body) { write(to, body); }, request);
}

Result<Split<ReplyHeader>> split_reply(ByteView payload) { return split<ReplyHeader>(payload); }

Result<Response> decode_response(OpCode op, ByteView body) {
  return decoded<Response>(body, [op](JuteReader& from) { return read_response(from, op); });
}

Result<WatcherEvent> decode_event(ByteView body) {
  return decoded<WatcherEvent>(body, [](JuteReader& from) { return read_as<WatcherEvent>(from); });
}

}  // namespace zabfs::replication::protocol
