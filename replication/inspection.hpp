// What a replica holds, for operators to look at: nothing of it can be changed through here.
//
// Watches and requests name connections, not sessions; `connections` says which session is where.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>

#include "replication/connection.hpp"
#include "replication/session/expiry_queue.hpp"
#include "replication/session/session_table.hpp"
#include "replication/tree/data_tree.hpp"
#include "replication/tree/watch_table.hpp"

namespace zabfs::replication {

// The digest of tree and sessions after some transactions, oldest first.
using NotedDigests = std::deque<std::pair<Zxid, std::uint64_t>>;

struct Inspection {
  const tree::DataTree& tree;
  const tree::WatchTable& watches;
  const session::SessionTable& sessions;
  const session::ExpiryQueue& expiry;  // the leader's knowledge; empty elsewhere
  const Connections& connections;
  const NotedDigests& digests;
};

// True if one of these identities, or everybody, has every permission on "/".
bool may_do_everything(const Inspection& inside, IdentitiesView identities);

}  // namespace zabfs::replication
