// What a change means to whoever watches, with the numbers and the order of ZooKeeper's protocol.
//
//   change    the znode        its parent
//   create    created          children_changed
//   delete    deleted          children_changed
//   set data  data_changed
//
// The znode's own event comes first. A session's end deletes its ephemeral znodes in the order of
// their paths, each with both events.
//
// Who may not read the znode is not told (CVE-2024-23944): an event names the ACL that its znode has
// at this point of the transaction, or had when it was deleted.
#pragma once

#include <cstdint>
#include <string_view>

#include "replication/tree/node.hpp"

namespace zabfs::replication::tree {

enum class EventKind : std::int32_t {
  created = 1,
  deleted = 2,
  data_changed = 3,
  children_changed = 4,
};

struct Event {
  EventKind kind{};
  std::string_view path{};  // of the znode the event is about: for children_changed, the parent
  AclId acl{};              // of the same znode; known to the tree until the next transaction

  bool operator==(const Event&) const = default;
};

}  // namespace zabfs::replication::tree
