#include "fusefs/client/request_queue.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "fusefs/client/limits.hpp"

namespace zabfs::fusefs::client {

using replication::protocol::OpCode;

bool PendingRequest::is_repeatable() const {
  return !is_write(op()) || op() == OpCode::close_session;
}

const PendingRequest* RequestQueue::first_unsent() const {
  return sent_count_ < requests_.size() ? &requests_[sent_count_] : nullptr;
}

bool RequestQueue::is_due() const {
  return std::any_of(requests_.begin() + static_cast<std::ptrdiff_t>(sent_count_), requests_.end(),
                     [](const PendingRequest& request) { return !request.is_patient; });
}

void RequestQueue::end_patience(std::int64_t now_ms) {
  for (std::size_t i = sent_count_; i < requests_.size() && requests_[i].is_patient; ++i) {
    requests_[i].is_patient = now_ms < requests_[i].submitted_ms + limits::patient_request_ms;
  }
}

PendingRequest RequestQueue::take_first_unsent() {
  const auto at = requests_.begin() + static_cast<std::ptrdiff_t>(sent_count_);
  auto taken = std::move(*at);
  requests_.erase(at);
  return taken;
}

const PendingRequest* RequestQueue::first_sent() const {
  return sent_count_ > 0 ? &requests_.front() : nullptr;
}

PendingRequest RequestQueue::take_first_sent() {
  auto taken = std::move(requests_.front());
  requests_.pop_front();
  --sent_count_;
  return taken;
}

bool RequestQueue::forget(RequestId id) {
  const auto value_of = [](const PendingRequest& request) { return request.id.value; };
  const auto found = std::ranges::lower_bound(requests_, id.value, {}, value_of);
  if (found == requests_.end() || found->id != id) {
    return false;
  }
  if (static_cast<std::size_t>(std::distance(requests_.begin(), found)) < sent_count_) {
    found->callback = nullptr;
  } else {
    requests_.erase(found);
  }
  return true;
}

std::vector<PendingRequest> RequestQueue::connection_lost() {
  std::vector<PendingRequest> lost;
  std::vector<PendingRequest> again;
  for (; sent_count_ > 0; --sent_count_) {
    auto& request = requests_.front();
    if (!request.is_repeatable()) {
      lost.push_back(std::move(request));
    } else if (request.callback || request.op() == OpCode::close_session) {
      again.push_back(std::move(request));
    }
    requests_.pop_front();
  }
  requests_.insert(requests_.begin(), std::make_move_iterator(again.begin()),
                   std::make_move_iterator(again.end()));
  return lost;
}

std::vector<PendingRequest> RequestQueue::take_all() {
  std::vector<PendingRequest> all{std::make_move_iterator(requests_.begin()),
                                  std::make_move_iterator(requests_.end())};
  requests_.clear();
  sent_count_ = 0;
  return all;
}

}  // namespace zabfs::fusefs::client
