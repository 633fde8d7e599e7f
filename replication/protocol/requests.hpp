// What a client can ask, one struct per request; `Request` is their variant.
//
// Fields are in the order of the wire. `op` is the number in the request's header.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "replication/model/acl.hpp"
#include "replication/model/bytes.hpp"
#include "replication/protocol/op_code.hpp"

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

// Answered with the path: of a sequential znode, the one it really got.
struct CreateRequest {
  static constexpr auto op = OpCode::create;
  std::string path{};
  Data data{};
  Acl acl{};
  std::int32_t flags{};  // see CreateMode

  static auto fields(auto& r) { return std::tie(r.path, r.data, r.acl, r.flags); }
  bool operator==(const CreateRequest&) const = default;
};

// Answered with the path and the Stat.
struct Create2Request {
  static constexpr auto op = OpCode::create2;
  std::string path{};
  Data data{};
  Acl acl{};
  std::int32_t flags{};

  static auto fields(auto& r) { return std::tie(r.path, r.data, r.acl, r.flags); }
  bool operator==(const Create2Request&) const = default;
};

struct DeleteRequest {
  static constexpr auto op = OpCode::remove;
  std::string path{};
  std::int32_t version{-1};  // -1 is any

  static auto fields(auto& r) { return std::tie(r.path, r.version); }
  bool operator==(const DeleteRequest&) const = default;
};

struct ExistsRequest {
  static constexpr auto op = OpCode::exists;
  std::string path{};
  bool watch{};

  static auto fields(auto& r) { return std::tie(r.path, r.watch); }
  bool operator==(const ExistsRequest&) const = default;
};

struct GetDataRequest {
  static constexpr auto op = OpCode::get_data;
  std::string path{};
  bool watch{};

  static auto fields(auto& r) { return std::tie(r.path, r.watch); }
  bool operator==(const GetDataRequest&) const = default;
};

struct SetDataRequest {
  static constexpr auto op = OpCode::set_data;
  std::string path{};
  Data data{};
  std::int32_t version{-1};

  static auto fields(auto& r) { return std::tie(r.path, r.data, r.version); }
  bool operator==(const SetDataRequest&) const = default;
};

struct GetAclRequest {
  static constexpr auto op = OpCode::get_acl;
  std::string path{};

  static auto fields(auto& r) { return std::tie(r.path); }
  bool operator==(const GetAclRequest&) const = default;
};

struct GetChildrenRequest {
  static constexpr auto op = OpCode::get_children;
  std::string path{};
  bool watch{};

  static auto fields(auto& r) { return std::tie(r.path, r.watch); }
  bool operator==(const GetChildrenRequest&) const = default;
};

// Answered with the Stat too.
struct GetChildren2Request {
  static constexpr auto op = OpCode::get_children2;
  std::string path{};
  bool watch{};

  static auto fields(auto& r) { return std::tie(r.path, r.watch); }
  bool operator==(const GetChildren2Request&) const = default;
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

// Only inside a multi.
struct CheckRequest {
  static constexpr auto op = OpCode::check;
  std::string path{};
  std::int32_t version{-1};

  static auto fields(auto& r) { return std::tie(r.path, r.version); }
  bool operator==(const CheckRequest&) const = default;
};

using MultiOperation =
    std::variant<CreateRequest, Create2Request, DeleteRequest, SetDataRequest, CheckRequest>;

// All of them or none, under one zxid. Not a record: its wire form interleaves headers.
struct MultiRequest {
  static constexpr auto op = OpCode::multi;
  std::vector<MultiOperation> operations{};

  bool operator==(const MultiRequest&) const = default;
};

// After a reconnection: what was watched, and how much of history the client had seen. A null list
// is refused with marshalling_error, as ZooKeeper does.
struct SetWatchesRequest {
  static constexpr auto op = OpCode::set_watches;
  std::int64_t relative_zxid{};
  std::optional<std::vector<std::string>> data{};
  std::optional<std::vector<std::string>> exist{};
  std::optional<std::vector<std::string>> child{};

  static auto fields(auto& r) { return std::tie(r.relative_zxid, r.data, r.exist, r.child); }
  bool operator==(const SetWatchesRequest&) const = default;
};

struct CloseSessionRequest {
  static constexpr auto op = OpCode::close_session;

  static auto fields(auto&) { return std::tie(); }
  bool operator==(const CloseSessionRequest&) const = default;
};

using Request =
    std::variant<CreateRequest, Create2Request, DeleteRequest, ExistsRequest, GetDataRequest,
                 SetDataRequest, GetAclRequest, GetChildrenRequest, GetChildren2Request, SyncRequest,
                 PingRequest, MultiRequest, SetWatchesRequest, CloseSessionRequest>;

// The number in the header of `request`.
inline OpCode op_of(const Request& request) {
  return std::visit([](const auto& r) { return r.op; }, request);
}

}  // namespace zabfs::replication::protocol
