// What a client can ask about znodes, and to do to them: one struct per request.
//
// Fields are in the order of the wire. A version of -1 is any.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "replication/model/acl.hpp"
#include "replication/model/bytes.hpp"
#include "replication/protocol/op_code.hpp"

namespace zabfs::replication::protocol {

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

// Answered with the path and the Stat. The znode is removed some time after its last child.
struct CreateContainerRequest {
  static constexpr auto op = OpCode::create_container;
  std::string path{};
  Data data{};
  Acl acl{};
  std::int32_t flags{};

  static auto fields(auto& r) { return std::tie(r.path, r.data, r.acl, r.flags); }
  bool operator==(const CreateContainerRequest&) const = default;
};

// Answered with the path and the Stat. The znode is removed when it has no children and its data
// has not been set for `ttl_ms`.
struct CreateTtlRequest {
  static constexpr auto op = OpCode::create_ttl;
  std::string path{};
  Data data{};
  Acl acl{};
  std::int32_t flags{};
  std::int64_t ttl_ms{};

  static auto fields(auto& r) { return std::tie(r.path, r.data, r.acl, r.flags, r.ttl_ms); }
  bool operator==(const CreateTtlRequest&) const = default;
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

struct SetAclRequest {
  static constexpr auto op = OpCode::set_acl;
  std::string path{};
  Acl acl{};
  std::int32_t version{-1};  // of the ACL

  static auto fields(auto& r) { return std::tie(r.path, r.acl, r.version); }
  bool operator==(const SetAclRequest&) const = default;
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

// Which ephemeral znodes of this session have a path that begins with `prefix`, as text.
struct GetEphemeralsRequest {
  static constexpr auto op = OpCode::get_ephemerals;
  std::string prefix{};

  static auto fields(auto& r) { return std::tie(r.prefix); }
  bool operator==(const GetEphemeralsRequest&) const = default;
};

// How many znodes lie below this one, at any depth.
struct GetAllChildrenNumberRequest {
  static constexpr auto op = OpCode::get_all_children_number;
  std::string path{};

  static auto fields(auto& r) { return std::tie(r.path); }
  bool operator==(const GetAllChildrenNumberRequest&) const = default;
};

// Only inside a multi.
struct CheckRequest {
  static constexpr auto op = OpCode::check;
  std::string path{};
  std::int32_t version{-1};

  static auto fields(auto& r) { return std::tie(r.path, r.version); }
  bool operator==(const CheckRequest&) const = default;
};

using MultiOperation = std::variant<CreateRequest, Create2Request, CreateContainerRequest,
                                    CreateTtlRequest, DeleteRequest, SetDataRequest, CheckRequest>;

// All of them or none, under one zxid. Not a record: its wire form interleaves headers.
struct MultiRequest {
  static constexpr auto op = OpCode::multi;
  std::vector<MultiOperation> operations{};

  bool operator==(const MultiRequest&) const = default;
};

using MultiReadOperation = std::variant<GetDataRequest, GetChildrenRequest>;

// Reads of one moment, each with a result or an error of its own; their watch flags mean nothing.
// Writes are refused here, but only after they were understood (the reply differs), so they are
// kept apart; with both kinds in it the request is marshalling_error.
struct MultiReadRequest {
  static constexpr auto op = OpCode::multi_read;
  std::vector<MultiReadOperation> operations{};
  std::vector<MultiOperation> writes{};

  bool operator==(const MultiReadRequest&) const = default;
};

}  // namespace zabfs::replication::protocol
