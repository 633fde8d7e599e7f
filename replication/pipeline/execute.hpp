// What a client hears: reads answered from the tree, and replies to applied writes.
//
// Everything here appends whole frames to a connection's outbox. The zxid in a reply's header is
// the last one applied, never one that is merely proposed (WIRE: a client that saw it could be
// refused by every other replica).
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "replication/model/acl.hpp"
#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "replication/pipeline/request_queue.hpp"
#include "replication/protocol/requests.hpp"
#include "replication/tree/data_tree.hpp"
#include "replication/tree/transaction.hpp"
#include "replication/tree/watch_table.hpp"

namespace zabfs::replication::pipeline {

// Answers reads and everything else that needs no transaction, setting the watches they ask for.
class Reader {
 public:
  // Both outlive this. `ensemble` is what /zookeeper/config shows as long as it has no data.
  Reader(const tree::DataTree& tree, tree::WatchTable& watches, std::string ensemble = "")
      : tree_(tree), watches_(watches), ensemble_(std::move(ensemble)) {}

  // Answers `request` of `connection`, which is of `session` and had `identities` when it asked.
  // Watch events that setWatches finds overdue go to `out` in front of its reply. Requests that
  // need a transaction are not answered here: unimplemented.
  void answer(const protocol::Request& request, std::int32_t xid, ConnectionId connection,
              SessionId session, IdentitiesView identities, Bytes& out);

 private:
  std::int64_t last_zxid() const { return tree_.last_applied().wire(); }

  const tree::DataTree& tree_;
  tree::WatchTable& watches_;
  const std::string ensemble_;
};

// Appends the reply to a write, given what applying its transaction did.
void append_write_reply(const PendingReply& request, const tree::Transaction& transaction,
                        const tree::Applied& applied, Bytes& out);

// Appends a reply that is a header alone.
void append_header(std::int32_t xid, Zxid last_applied, ErrorCode error, Bytes& out);

// Appends the reply to a write that failed.
void append_failure(std::int32_t xid, Zxid last_applied, const FailedWrite& failure, Bytes& out);

}  // namespace zabfs::replication::pipeline
