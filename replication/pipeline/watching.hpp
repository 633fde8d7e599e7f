// What a client asks about its watches, answered with the tree and the table of watches.
//
// Each function returns the error to reply with, or ok. A reply's header and body are the caller's
// business.
#pragma once

#include "replication/model/acl.hpp"
#include "replication/model/bytes.hpp"
#include "replication/model/error_code.hpp"
#include "replication/model/ids.hpp"
#include "replication/protocol/requests.hpp"
#include "replication/tree/data_tree.hpp"
#include "replication/tree/watch_table.hpp"

namespace zabfs::replication::pipeline {

// A request that asks for a watch fails whole when the connection has
// limits::watches_per_connection_max already: an answer without the watch would be a promise not
// kept.
inline constexpr ErrorCode too_many_watches = ErrorCode::system_error;

// The watches of one connection, for one request. What it names outlives it.
class Watching {
 public:
  Watching(const tree::DataTree& tree, tree::WatchTable& table, ConnectionId connection,
           IdentitiesView identities)
      : tree_(tree), table_(table), connection_(connection), identities_(identities) {}

  // For each path either an event, which goes to `out`, because the change has happened already, or
  // a watch. Of a znode that the client may not read there is neither. The watches that stay are
  // just set.
  ErrorCode set(const protocol::SetWatchesRequest& request, Bytes& out);
  ErrorCode set(const protocol::SetWatches2Request& request, Bytes& out);

  // marshalling_error for a mode that does not exist. A path is any text.
  ErrorCode add(const protocol::AddWatchRequest& request);

  // no_watcher if there is none of that type; marshalling_error for one that does not exist.
  ErrorCode check(const protocol::CheckWatchesRequest& request);
  ErrorCode remove(const protocol::RemoveWatchesRequest& request);

 private:
  template <class Request>
  bool set_one_shot(const Request& request, Bytes& out);
  bool may_read(const tree::Node& node) const;

  const tree::DataTree& tree_;
  tree::WatchTable& table_;
  ConnectionId connection_;
  IdentitiesView identities_;
};

}  // namespace zabfs::replication::pipeline
