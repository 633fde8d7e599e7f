#include "fusefs/client/delivery_queue.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace zabfs::fusefs::client {

void DeliveryQueue::forget(RequestId id) {
  for (auto& delivery : waiting_) {
    if (auto* answer = std::get_if<Answer>(&delivery); answer != nullptr && answer->id == id) {
      answer->callback = nullptr;
      return;
    }
  }
}

void DeliveryQueue::run() {
  const auto count = waiting_.size();
  for (std::size_t i = 0; i < std::min(count, waiting_.size()); ++i) {
    // Moved out first: the callback may push, which moves the others.
    auto delivery = std::move(waiting_[i]);
    std::visit([this](auto& what) { call(what); }, delivery);
  }
  const auto run = static_cast<std::ptrdiff_t>(std::min(count, waiting_.size()));
  waiting_.erase(waiting_.begin(), waiting_.begin() + run);
}

void DeliveryQueue::clear() {
  waiting_.clear();
  on_event_ = nullptr;
  on_state_ = nullptr;
}

void DeliveryQueue::call(Answer& answer) const {
  if (answer.callback) {
    answer.callback(std::move(answer.result));
  }
}

void DeliveryQueue::call(const WatchNotice& notice) const {
  if (on_event_) {
    on_event_(notice);
  }
}

void DeliveryQueue::call(SessionState state) const {
  if (on_state_) {
    on_state_(state);
  }
}

void DeliveryQueue::call(const Done& done) const {
  if (done) {
    done();
  }
}

}  // namespace zabfs::fusefs::client
