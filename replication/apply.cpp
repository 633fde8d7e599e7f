#include "replication/apply.hpp"

#include <utility>
#include <variant>

#include "replication/model/check.hpp"

namespace zabfs::replication {

void apply(const tree::Transaction& transaction, tree::DataTree& tree,
           session::SessionTable& sessions, tree::Applied& applied) {
  tree.apply(transaction, applied);
  const SessionId session = transaction.header.session;
  if (const auto* open = std::get_if<tree::OpenSession>(&transaction.body)) {
    sessions.open(session, {.timeout_ms = open->timeout_ms, .password = open->password});
  } else if (std::holds_alternative<tree::CloseSession>(transaction.body)) {
    sessions.close(session);
  } else if (applied.restored) {
    auto restored = session::SessionTable::from_bytes(applied.restored->sessions);
    CHECK(restored.has_value(), "the sessions of transaction ", transaction.header.zxid,
          " cannot be read");
    sessions = std::move(*restored);
  }
}

}  // namespace zabfs::replication
