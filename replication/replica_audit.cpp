#include <utility>

#include "replication/pipeline/access.hpp"
#include "replication/pipeline/audited_operation.hpp"
#include "replication/replica_state.hpp"

namespace zabfs::replication {

namespace {

std::string users_of(const Connection& connection) {
  std::string users;
  for (const Identity& identity : connection.identities) {
    const std::string user = pipeline::user_of(identity);
    users += (users.empty() || user.empty() ? "" : ",") + user;
  }
  return users;
}

}  // namespace

void Replica::State::note_for_audit(pipeline::PendingReply& reply,
                                    const protocol::Request& request) const {
  if (ports_.audit != nullptr) {
    reply.audited =
        std::make_shared<const pipeline::AuditedOperations>(pipeline::audited_operations(request));
  }
}

void Replica::State::audit(const Connection& connection,
                           const pipeline::AuditedOperation& operation, AuditResult result) {
  ports_.audit->record({.session = connection.session,
                        .users = users_of(connection),
                        .address = connection.address,
                        .operation = operation.name,
                        .znode = operation.znode,
                        .znode_type = operation.znode_type,
                        .acl = operation.acl,
                        .result = result});
}

// One line for each change of a multi, as ZooKeeper writes them.
void Replica::State::audit_success(const Connection& connection,
                                   const pipeline::PendingReply& reply,
                                   const tree::TransactionBody& done) {
  if (reply.audited) {
    for (const auto& operation : pipeline::with_names(*reply.audited, done)) {
      audit(connection, operation, AuditResult::success);
    }
  }
}

// A reconfig is answered like a read, once it is done.
void Replica::State::audit_local(const Connection& connection,
                                 const pipeline::PendingReply& reply) {
  if (reply.audited && !reply.audited->empty()) {
    audit(connection, reply.audited->front(), AuditResult::success);
  }
}

// A multi that failed is one line: nothing of it was done.
void Replica::State::audit_failure(const Connection& connection,
                                   const pipeline::PendingReply& reply) {
  if (!reply.audited) {
    return;
  }
  if (reply.op == protocol::OpCode::multi) {
    audit(connection, {.name = "multiOperation"}, AuditResult::failure);
  } else if (!reply.audited->empty()) {
    audit(connection, reply.audited->front(), AuditResult::failure);
  }
}

void Replica::State::audit_failed_authentication(const Connection& connection) {
  if (ports_.audit != nullptr) {
    audit(connection, {.name = "auth"}, AuditResult::failure);
  }
}

// The znodes that went with a session, on every server.
void Replica::State::audit_end(SessionId session) {
  if (ports_.audit != nullptr) {
    for (const auto& path : applied_.deleted_paths) {
      ports_.audit->record({.session = session,
                            .operation = "ephemeralZNodeDeletionOnSessionCloseOrExpire",
                            .znode = std::string(path)});
    }
  }
}

}  // namespace zabfs::replication
