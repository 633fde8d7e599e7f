// What becomes of held znodes when another process takes over: what it may have inherited without
// anybody to hold it is found and deleted.
#include <utility>

#include "fusefs/creation.hpp"

namespace zabfs::fusefs {

using replication::protocol::PathResponse;
using replication::protocol::SyncRequest;

void Creator::is_gone(const std::string& path) {
  if (ledger_ != nullptr) {
    ledger_->add(continuity::ZnodeLetGo{path});  // Whoever deletes it again finds nothing.
  }
}

void Creator::resume(const continuity::State& state) {
  for (const auto& [number, begun] : state.creations) {
    last_attempt_ = number;
    const auto attempt = std::make_shared<Attempt>();
    attempt->plan.path = begun.path;
    attempt->plan.creation = {.ephemeral = true, .sequential = begun.is_sequential, .held = true};
    attempt->session = {begun.session};
    attempt->since = begun.since;
    attempt->others = state.created_meanwhile;
    for (const auto& [path, held] : state.held) {
      attempt->others.insert(path);
    }
    attempt->number = number;
    carry_off(attempt);
  }
}

// Behind a sync: what the predecessor asked for last may be decided, and not yet known to the
// server that answers.
Detached Creator::carry_off(std::shared_ptr<Attempt> attempt) {
  Operation operation(operations_, {.request = attempt.get()});
  operation.change_unseen();
  attempts_.insert(attempt.get());
  for (bool is_reached = false; !is_reached && !is_over(attempt->session);) {
    Ask<PathResponse> sync(ensemble_, operation, SyncRequest{.path = attempt->plan.path});
    const auto reached = co_await sync;
    if (operation.is_interrupted()) {
      attempts_.erase(attempt.get());
      co_return;
    }
    is_reached = reached.has_value() || !is_passing(reached.error());
  }
  co_await remove_ghost(operation, attempt);
  attempts_.erase(attempt.get());
  if (ledger_ != nullptr) {
    ledger_->write(continuity::CreationEnded{attempt->number});
  }
}

void Creator::let_go_of_unclaimed(const continuity::State& state,
                                  const std::set<std::string>& claimed) {
  for (const auto& [path, held] : state.held) {
    if (!claimed.contains(path) && held.session == state.session.id) {
      let_go_of(std::make_shared<continuity::ZnodeHeld>(held));
    }
  }
}

Detached Creator::let_go_of(std::shared_ptr<continuity::ZnodeHeld> held) {
  Operation operation(operations_, {.request = held.get()});
  operation.change_unseen();
  static_cast<void>(co_await let_go(operation, held->path, held->czxid));
}

}  // namespace zabfs::fusefs
