#include "fusefs/operation.hpp"

#include <string>

#include "fusefs/client/watch_book.hpp"

namespace zabfs::fusefs {

using replication::protocol::Request;
using replication::protocol::Response;

void OperationTable::interrupt(const void* request) {
  const auto found = operations_.find(request);
  if (found != operations_.end()) {
    found->second->interrupt();
  }
}

void OperationTable::interrupt_all() {
  while (!operations_.empty()) {
    operations_.begin()->second->interrupt();
  }
}

Operation::Operation(OperationTable& table, Ticket ticket)
    : table_(table), request_(ticket.request), number_(ticket.number) {
  table_.operations_.emplace(request_, this);
}

Operation::~Operation() {
  table_.operations_.erase(request_);
  table_.changing_ -= has_begun_change_ ? 1 : 0;
}

void Operation::begin_change() {
  if (has_begun_change_) {
    return;
  }
  has_begun_change_ = true;
  ++table_.changing_;
  if (number_ != 0 && table_.tell_of_change_) {
    table_.tell_of_change_(number_);
  }
}

void Operation::interrupt() {
  interrupted_ = true;
  if (awaited_ != nullptr) {
    awaited_->resume();  // The coroutine runs on, and may end this operation.
  }
}

void Awaited::await_suspend(std::coroutine_handle<> waiting) {
  waiting_ = waiting;
  operation_.awaited_ = this;
}

void Awaited::resume() {
  operation_.awaited_ = nullptr;
  std::exchange(waiting_, {}).resume();
}

Outcome<Done> Wake::await_resume() const {
  return has_rung_ ? Outcome<Done>(Done{}) : Failure::of(EINTR);
}

void Wake::ring() {
  has_rung_ = true;
  if (is_awaited()) {
    resume();
  }
}

Question::Question(cache::Coherence& ensemble, Operation& operation, Request request,
                   bool is_patient)
    : Awaited(operation),
      client_(ensemble.client()),
      underway_(ensemble, request, !operation.changes_unseen()) {
  if (replication::protocol::is_write(op_of(request))) {
    operation.begin_change();
  }
  const auto* watched = client::watched_path(request);
  const std::string watched_path = watched == nullptr ? std::string() : *watched;
  const auto answered = [this](replication::Result<client::Reply> outcome) {
    underway_.answered(outcome);
    outcome_.emplace(std::move(outcome));
    if (is_awaited()) {
      resume();
    }
  };
  id_ = is_patient ? client_.submit_patiently(std::move(request), answered)
                   : client_.submit(std::move(request), answered);
  if (!watched_path.empty()) {
    ensemble.sent_one_shot(watched_path);
  }
}

Question::~Question() {
  if (!outcome_) {
    client_.forget(id_);
  }
}

Outcome<Response> Question::take() {
  if (!outcome_) {
    return Failure::of(EINTR);
  }
  if (!*outcome_) {
    return Failure::of(outcome_->error());
  }
  return std::move((*outcome_)->body);
}

}  // namespace zabfs::fusefs
