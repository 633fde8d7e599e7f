// What a client can ask, one struct per request; `Request` is their variant.
//
// Here are the requests about the connection and the service; those about znodes and about watches
// have files of their own. Fields are in the order of the wire. `op` is the number in the request's
// header.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <variant>

#include "replication/model/bytes.hpp"
#include "replication/protocol/op_code.hpp"
#include "replication/protocol/tree_requests.hpp"
#include "replication/protocol/watch_requests.hpp"

namespace zabfs::replication::protocol {

// xids with a meaning of their own; all others are a client's to choose, and echoed.
namespace xid {
inline constexpr std::int32_t notification = -1;
inline constexpr std::int32_t ping = -2;
inline constexpr std::int32_t auth = -4;
inline constexpr std::int32_t set_watches = -8;
}  // namespace xid

// In front of every request but the handshake.
struct RequestHeader {
  std::int32_t xid{};
  std::int32_t op{};  // an OpCode, or anything a client came up with

  static auto fields(auto& h) { return std::tie(h.xid, h.op); }
  bool operator==(const RequestHeader&) const = default;
};

// The path is echoed, never checked.
struct SyncRequest {
  static constexpr auto op = OpCode::sync;
  std::string path{};

  static auto fields(auto& r) { return std::tie(r.path); }
  bool operator==(const SyncRequest&) const = default;
};

struct PingRequest {
  static constexpr auto op = OpCode::ping;

  static auto fields(auto&) { return std::tie(); }
  bool operator==(const PingRequest&) const = default;
};

// Credentials of the connection. Answered with a header alone.
struct AuthRequest {
  static constexpr auto op = OpCode::auth;
  std::int32_t type{};  // always 0
  std::string scheme{};
  Data credentials{};

  static auto fields(auto& r) { return std::tie(r.type, r.scheme, r.credentials); }
  bool operator==(const AuthRequest&) const = default;
};

// A step of a SASL handshake.
struct SaslRequest {
  static constexpr auto op = OpCode::sasl;
  Data token{};

  static auto fields(auto& r) { return std::tie(r.token); }
  bool operator==(const SaslRequest&) const = default;
};

struct WhoAmIRequest {
  static constexpr auto op = OpCode::who_am_i;

  static auto fields(auto&) { return std::tie(); }
  bool operator==(const WhoAmIRequest&) const = default;
};

// Other servers for the ensemble: some that join and leave, or all members anew. An empty text is
// absent. Answered with GetDataResponse: the configuration's text.
struct ReconfigRequest {
  static constexpr auto op = OpCode::reconfig;
  std::string joining{};
  std::string leaving{};
  std::string new_members{};
  std::int64_t config_version{-1};  // that the change is for; -1 is any

  static auto fields(auto& r) {
    return std::tie(r.joining, r.leaving, r.new_members, r.config_version);
  }
  bool operator==(const ReconfigRequest&) const = default;
};

struct CloseSessionRequest {
  static constexpr auto op = OpCode::close_session;

  static auto fields(auto&) { return std::tie(); }
  bool operator==(const CloseSessionRequest&) const = default;
};

using Request =
    std::variant<CreateRequest, Create2Request, CreateContainerRequest, CreateTtlRequest,
                 DeleteRequest, ExistsRequest, GetDataRequest, SetDataRequest, GetAclRequest,
                 SetAclRequest, GetChildrenRequest, GetChildren2Request, GetEphemeralsRequest,
                 GetAllChildrenNumberRequest, MultiRequest, MultiReadRequest, SyncRequest,
                 PingRequest, AuthRequest, SaslRequest, WhoAmIRequest, ReconfigRequest,
                 SetWatchesRequest, SetWatches2Request, AddWatchRequest, CheckWatchesRequest,
                 RemoveWatchesRequest, CloseSessionRequest>;

// The number in the header of `request`.
inline OpCode op_of(const Request& request) {
  return std::visit([](const auto& r) { return r.op; }, request);
}

}  // namespace zabfs::replication::protocol
