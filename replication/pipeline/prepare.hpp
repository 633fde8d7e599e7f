// A write request becomes a transaction, or the error it must fail with.
//
// The decision is made against the tree as it will be, and the transaction holds its outcome: the
// final path of a sequential znode, the version after a change. Checks come in ZooKeeper's order,
// so that a request with two faults fails with the same one here (the first that applies):
//
//   create    flags of its operation (bad_arguments); a time to live where there is none
//             (unimplemented), or one out of range (bad_arguments); '/' in the path and no NUL
//             (bad_arguments); ACL (invalid_acl); parent (no_node); create permission on it
//             (no_auth); final path (bad_arguments); node_exists; parent is ephemeral
//             (no_children_for_ephemerals); hard limit of a quota (quota_exceeded)
//   delete    one of the built-in znodes, or no path (bad_arguments); parent (no_node); delete
//             permission on the parent (no_auth); no_node; bad_version; not_empty
//   setData   path (bad_arguments); no_node; write permission (no_auth); hard limit of a quota
//             (quota_exceeded); bad_version
//   setACL    path (bad_arguments); ACL (invalid_acl); no_node; admin permission (no_auth);
//             bad_version
//   check     path (bad_arguments); no_node; read permission (no_auth); bad_version
//
// A failed request changes nothing and consumes nothing: no zxid, no sequence number.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "replication/model/acl.hpp"
#include "replication/model/error_code.hpp"
#include "replication/model/ids.hpp"
#include "replication/pipeline/pending_changes.hpp"
#include "replication/protocol/requests.hpp"
#include "replication/protocol/responses.hpp"
#include "replication/tree/transaction.hpp"

namespace zabfs::replication::pipeline {

// On whose behalf.
struct Client {
  SessionId session{};
  IdentitiesView identities{};  // that it had when it asked
  bool knows_certificates{};    // this service does: ACLs may name them
};

// What the operator has decided.
struct Rules {
  bool has_ttl{true};     // znodes with a time to live may be created
  bool enforces_quota{};  // a write that would pass a hard limit fails
  bool is_alone{true};    // so that /zookeeper/config is a znode like another
};

// What to propose; or the error; or, for a multi that failed, the results that say which operation.
using Prepared = std::variant<tree::TransactionBody, ErrorCode, protocol::MultiResponse>;

// Prepares a create of any kind, delete, setData, setACL or multi on behalf of `client`. On success
// the changes are staged in `pending`, to be committed under the transaction's zxid; otherwise
// nothing is staged. The request's data is moved out of it.
Prepared prepare(protocol::Request& request, const Client& client, PendingChanges& pending,
                 const Rules& rules = {});

// The removal of a container or of a znode with a time to live, which was found to be due; nullopt
// if what is in flight lets it stay.
std::optional<tree::TransactionBody> prepare_removal(const std::string& path,
                                                     const tree::DataTree& tree,
                                                     const tree::RemovalTerms& terms,
                                                     PendingChanges& pending);

// The end of a session: stages the removal of every ephemeral znode it will own.
tree::CloseSession prepare_close(SessionId session, PendingChanges& pending);

}  // namespace zabfs::replication::pipeline
