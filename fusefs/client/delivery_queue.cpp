#include "fusefs/client/delivery_queue.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "fusefs/client/limits.hpp"

namespace zabfs::fusefs::client {

void DeliveryQueue::forget(RequestId id) {
  for (auto& delivery : waiting_) {
    if (auto* answer = std::get_if<Answer>(&delivery); answer != nullptr && answer->id == id) {
      answer->callback = nullptr;
      return;
    }
  }
}

void DeliveryQueue::push(WatchNotice notice) {
  auto* last = waiting_.empty() ? nullptr : std::get_if<Notices>(&waiting_.back());
  if (last != nullptr && last->size() < limits::notices_together_max) {
    last->push_back(std::move(notice));
  } else {
    waiting_.emplace_back(Notices{std::move(notice)});
  }
}

std::size_t DeliveryQueue::due() const {
  const bool waits_for_next =
      is_notice_coming_ && !waiting_.empty() && std::holds_alternative<Notices>(waiting_.back()) &&
      std::get<Notices>(waiting_.back()).size() < limits::notices_together_max;
  return waiting_.size() - (waits_for_next ? 1 : 0);
}

void DeliveryQueue::run() {
  const auto count = due();
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

void DeliveryQueue::call(const Notices& notices) const {
  if (on_event_) {
    on_event_(notices);
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
