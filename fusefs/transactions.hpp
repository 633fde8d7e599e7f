// The transactions (multi requests) that the mount composes, and what their answers say.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "fusefs/inodes/node.hpp"
#include "replication/protocol/requests.hpp"
#include "replication/protocol/responses.hpp"

namespace zabfs::fusefs {

// In a request: whatever version there is.
inline constexpr std::int32_t any_version = -1;

// In a request that is to change nothing: no znode has this version. What the ACL or the arguments
// forbid is refused all the same, because a server looks at versions last.
inline constexpr std::int32_t impossible_version = std::numeric_limits<std::int32_t>::min();

// True for a directory that data alone would turn into a file: it has never had a child.
bool is_directory_by_null_data_only(const std::string& path, const inodes::Node& node);

// Operations that let the znode at `path` have had a child, so that it stays a directory whatever
// its data become. Nobody can see the child: it comes and goes in one transaction.
std::vector<replication::protocol::MultiOperation> mark_as_directory(const std::string& path);

// Why the transaction did not happen; ok if it did.
replication::ErrorCode error_of(const replication::protocol::MultiResponse& response);

// The Stat in the last result of the type `Body`, which has one; all zeros if there is none.
template <class Body>
replication::Stat stat_in(const replication::protocol::MultiResponse& response) {
  replication::Stat stat;
  for (const auto& result : response.results) {
    if (const Body* body = std::get_if<Body>(&result.body)) {
      stat = body->stat;
    }
  }
  return stat;
}

}  // namespace zabfs::fusefs
