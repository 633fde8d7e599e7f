#include "replication/protocol/codec.hpp"

#include <concepts>
#include <optional>
#include <utility>

#include "replication/jute/jute_archive.hpp"
#include "replication/protocol/frame.hpp"
#include "replication/protocol/multi_codec.hpp"

namespace zabfs::replication::protocol {
namespace {

using jute::JuteReader;
using jute::JuteWriter;

template <class Enumeration>
constexpr std::int32_t number(Enumeration e) {
  return static_cast<std::int32_t>(e);
}

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

// The two lists of watches that a client sends after a reconnection.
template <class T>
concept WatchList = requires(const T& record) {
  record.relative_zxid;
};

// Reads any request's body.
struct ReadBody {
  template <class T>
  void operator()(JuteReader& from, T& record) const {
    from(record);
    if constexpr (WatchList<T>) {
      refuse_null(record.data, record.exist, record.child);
    }
    if constexpr (std::same_as<T, SetWatches2Request>) {
      refuse_null(record.persistent, record.persistent_recursive);
    }
  }
  void operator()(JuteReader& from, MultiRequest& multi) const { read_operations(from, multi); }
  void operator()(JuteReader& from, MultiReadRequest& multi) const { read_operations(from, multi); }

 private:
  static void refuse_null(const auto&... paths) {
    if (!(paths.has_value() && ...)) {
      throw cereal::Exception("null list of watches");
    }
  }
};

template <class Body>
Body read_as(JuteReader& from) {
  Body body{};
  from(body);
  return body;
}

// nullopt for an operation we do not use.
std::optional<Response> read_response(JuteReader& from, OpCode op) {
  switch (op) {
    case OpCode::create:
    case OpCode::sync:
      return read_as<PathResponse>(from);
    case OpCode::create2:
    case OpCode::create_container:
    case OpCode::create_ttl:
      return read_as<PathStatResponse>(from);
    case OpCode::exists:
    case OpCode::set_data:
    case OpCode::set_acl:
      return read_as<StatResponse>(from);
    case OpCode::get_data:
    case OpCode::reconfig:
      return read_as<GetDataResponse>(from);
    case OpCode::get_acl:
      return read_as<GetAclResponse>(from);
    case OpCode::get_children:
      return read_as<GetChildrenResponse>(from);
    case OpCode::get_children2:
      return read_as<GetChildren2Response>(from);
    case OpCode::get_ephemerals:
      return read_as<GetEphemeralsResponse>(from);
    case OpCode::get_all_children_number:
      return read_as<GetAllChildrenNumberResponse>(from);
    case OpCode::multi:
    case OpCode::multi_read:
      return read_results(from);
    case OpCode::who_am_i:
      return read_as<WhoAmIResponse>(from);
    case OpCode::sasl:
      return read_as<SaslResponse>(from);
    case OpCode::add_watch:
      return read_as<ErrorResponse>(from);
    case OpCode::remove:
    case OpCode::ping:
    case OpCode::auth:
    case OpCode::set_watches:
    case OpCode::set_watches2:
    case OpCode::check_watches:
    case OpCode::remove_watches:
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

void write(JuteWriter& to, const MultiRequest& multi) { write_operations(to, multi); }
void write(JuteWriter& to, const MultiReadRequest& multi) { write_operations(to, multi); }
void write(JuteWriter& to, const MultiResponse& multi) { write_results(to, multi); }

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
  return decoded<Request>(body, [op](JuteReader& from) {
    return read_alternative<Request>(from, OpCode{op}, ReadBody{});
  });
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
