#include "replication/apply.hpp"

#include <variant>

namespace zabfs::replication {

void apply(const tree::Transaction& transaction, tree::DataTree& tree,
           session::SessionTable& sessions, tree::Applied& applied) {
  tree.apply(transaction, applied);
  const SessionId session = transaction.header.session;
  if (const auto* open = std::get_if<tree::OpenSession>(&transaction.body)) {
    sessions.open(session, {.timeout_ms = open->timeout_ms, .password = open->password});
  } else if (std::holds_alternative<tree::CloseSession>(transaction.body)) {
    sessions.close(session);
  }
}

}  // namespace zabfs::replication
