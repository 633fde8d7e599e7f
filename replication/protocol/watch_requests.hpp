// What a client can ask about its watches: one struct per request.
//
// Fields are in the order of the wire. In the two that come after a reconnection a null list is
// refused with marshalling_error, as ZooKeeper does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "replication/protocol/op_code.hpp"

namespace zabfs::replication::protocol {

// Znodes that a watch was set on.
using WatchedPaths = std::optional<std::vector<std::string>>;

// After a reconnection: what was watched, and how much of history the client had seen.
struct SetWatchesRequest {
  static constexpr auto op = OpCode::set_watches;
  std::int64_t relative_zxid{};
  WatchedPaths data{};
  WatchedPaths exist{};
  WatchedPaths child{};

  static auto fields(auto& r) { return std::tie(r.relative_zxid, r.data, r.exist, r.child); }
  bool operator==(const SetWatchesRequest&) const = default;
};

// The same from a client that has set persistent watches too.
struct SetWatches2Request {
  static constexpr auto op = OpCode::set_watches2;
  std::int64_t relative_zxid{};
  WatchedPaths data{};
  WatchedPaths exist{};
  WatchedPaths child{};
  WatchedPaths persistent{};
  WatchedPaths persistent_recursive{};

  static auto fields(auto& r) {
    return std::tie(r.relative_zxid, r.data, r.exist, r.child, r.persistent,
                    r.persistent_recursive);
  }
  bool operator==(const SetWatches2Request&) const = default;
};

enum class AddWatchMode : std::int32_t { persistent = 0, persistent_recursive = 1 };

// A watch that stays after it has fired. Answered with ErrorResponse.
struct AddWatchRequest {
  static constexpr auto op = OpCode::add_watch;
  std::string path{};
  std::int32_t mode{};  // an AddWatchMode, or anything a client came up with

  static auto fields(auto& r) { return std::tie(r.path, r.mode); }
  bool operator==(const AddWatchRequest&) const = default;
};

// Which watches are asked about; the last two since ZooKeeper 3.9.
enum class WatcherType : std::int32_t {
  children = 1,
  data = 2,
  any = 3,
  persistent = 4,
  persistent_recursive = 5,
};

// Whether this connection has such a watch.
struct CheckWatchesRequest {
  static constexpr auto op = OpCode::check_watches;
  std::string path{};
  std::int32_t type{};  // a WatcherType, or anything a client came up with

  static auto fields(auto& r) { return std::tie(r.path, r.type); }
  bool operator==(const CheckWatchesRequest&) const = default;
};

struct RemoveWatchesRequest {
  static constexpr auto op = OpCode::remove_watches;
  std::string path{};
  std::int32_t type{};  // as in CheckWatchesRequest

  static auto fields(auto& r) { return std::tie(r.path, r.type); }
  bool operator==(const RemoveWatchesRequest&) const = default;
};

}  // namespace zabfs::replication::protocol
