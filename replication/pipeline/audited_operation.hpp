// What the audit will say about a request, noted before the request is moved on to be decided.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "replication/protocol/requests.hpp"
#include "replication/tree/transaction.hpp"

namespace zabfs::replication::pipeline {

// Conditions are not audited, and reads are not.
struct AuditedOperation {
  std::string_view name{};  // ZooKeeper's; good for ever, as the type is
  std::string znode{};
  std::string_view znode_type{};
  std::string acl{};

  bool operator==(const AuditedOperation&) const = default;
};

using AuditedOperations = std::vector<AuditedOperation>;

// The changes that `request` asks for, in order; none if it asks for none.
AuditedOperations audited_operations(const protocol::Request& request);

// What was `asked`, with the names that sequential znodes got when it was `done`.
AuditedOperations with_names(AuditedOperations asked, const tree::TransactionBody& done);

// An ACL as the audit has it, `scheme:id:cdrwa` one behind the other, and hashes left out.
std::string audited_acl(const Acl& acl);

}  // namespace zabfs::replication::pipeline
