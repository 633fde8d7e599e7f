// What a server answers, one struct per body; `Response` is their variant. And watch events, which
// it sends unasked.
//
// A body follows the header only if the header's error is ok. The one exception is multi, whose
// header is always ok: its results say what failed.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "replication/model/acl.hpp"
#include "replication/model/bytes.hpp"
#include "replication/model/error_code.hpp"
#include "replication/model/stat.hpp"
#include "replication/protocol/op_code.hpp"

namespace zabfs::replication::protocol {

struct ReplyHeader {
  std::int32_t xid{};
  std::int64_t zxid{};   // last transaction applied where the reply was made
  std::int32_t error{};  // an ErrorCode

  static auto fields(auto& h) { return std::tie(h.xid, h.zxid, h.error); }
  bool operator==(const ReplyHeader&) const = default;
};

// delete, ping, auth, closeSession; setWatches, checkWatches, removeWatches.
struct EmptyResponse {
  static auto fields(auto&) { return std::tie(); }
  bool operator==(const EmptyResponse&) const = default;
};

// create, sync.
struct PathResponse {
  std::string path{};

  static auto fields(auto& r) { return std::tie(r.path); }
  bool operator==(const PathResponse&) const = default;
};

// create2, createContainer, createTTL.
struct PathStatResponse {
  std::string path{};
  Stat stat{};

  static auto fields(auto& r) { return std::tie(r.path, r.stat); }
  bool operator==(const PathStatResponse&) const = default;
};

// exists, setData, setACL.
struct StatResponse {
  Stat stat{};

  static auto fields(auto& r) { return std::tie(r.stat); }
  bool operator==(const StatResponse&) const = default;
};

// getData; reconfig, of the configuration.
struct GetDataResponse {
  Data data{};
  Stat stat{};

  static auto fields(auto& r) { return std::tie(r.data, r.stat); }
  bool operator==(const GetDataResponse&) const = default;
};

struct GetAclResponse {
  Acl acl{};
  Stat stat{};

  static auto fields(auto& r) { return std::tie(r.acl, r.stat); }
  bool operator==(const GetAclResponse&) const = default;
};

struct GetChildrenResponse {
  std::vector<std::string> children{};  // bare names, in no promised order

  static auto fields(auto& r) { return std::tie(r.children); }
  bool operator==(const GetChildrenResponse&) const = default;
};

struct GetChildren2Response {
  std::vector<std::string> children{};
  Stat stat{};

  static auto fields(auto& r) { return std::tie(r.children, r.stat); }
  bool operator==(const GetChildren2Response&) const = default;
};

struct GetEphemeralsResponse {
  std::vector<std::string> paths{};

  static auto fields(auto& r) { return std::tie(r.paths); }
  bool operator==(const GetEphemeralsResponse&) const = default;
};

struct GetAllChildrenNumberResponse {
  std::int32_t number{};

  static auto fields(auto& r) { return std::tie(r.number); }
  bool operator==(const GetAllChildrenNumberResponse&) const = default;
};

struct WhoAmIResponse {
  std::vector<Identity> identities{};

  static auto fields(auto& r) { return std::tie(r.identities); }
  bool operator==(const WhoAmIResponse&) const = default;
};

struct SaslResponse {
  Data token{};

  static auto fields(auto& r) { return std::tie(r.token); }
  bool operator==(const SaslResponse&) const = default;
};

// addWatch, with 0.
struct ErrorResponse {
  std::int32_t error{};

  static auto fields(auto& r) { return std::tie(r.error); }
  bool operator==(const ErrorResponse&) const = default;
};

// One operation of a multi that failed, or was not carried out because another failed: ok before
// the one that failed, its own code there, runtime_inconsistency behind it. In a multiRead each
// operation fails for itself.
struct MultiError {
  ErrorCode error{};
  bool operator==(const MultiError&) const = default;
};

// In the order of the operations. EmptyResponse is a delete or a check that succeeded; which of the
// two, `MultiResult::op` says.
struct MultiResult {
  // Of the operation; create2 for any that is answered with a Stat, error for a MultiError.
  OpCode op{};
  std::variant<EmptyResponse, PathResponse, PathStatResponse, StatResponse, GetDataResponse,
               GetChildrenResponse, MultiError>
      body{};
  bool operator==(const MultiResult&) const = default;
};

// multi, multiRead.
struct MultiResponse {
  std::vector<MultiResult> results{};
  bool operator==(const MultiResponse&) const = default;
};

using Response =
    std::variant<EmptyResponse, PathResponse, PathStatResponse, StatResponse, GetDataResponse,
                 GetAclResponse, GetChildrenResponse, GetChildren2Response, GetEphemeralsResponse,
                 GetAllChildrenNumberResponse, WhoAmIResponse, SaslResponse, ErrorResponse,
                 MultiResponse>;

enum class EventType : std::int32_t {
  none = -1,
  created = 1,
  deleted = 2,
  data_changed = 3,
  children_changed = 4,
};

// A watch fired. Sent with xid -1, before any reply whose data is as new as the change.
struct WatcherEvent {
  std::int32_t type{};    // an EventType
  std::int32_t state{3};  // always 3, connected, on the wire
  std::string path{};

  static auto fields(auto& e) { return std::tie(e.type, e.state, e.path); }
  bool operator==(const WatcherEvent&) const = default;
};

}  // namespace zabfs::replication::protocol
