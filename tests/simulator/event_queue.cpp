#include "tests/simulator/event_queue.hpp"

#include <algorithm>
#include <utility>

#include "replication/model/check.hpp"

namespace zabfs::test {

bool EventQueue::is_later(const Event& one, const Event& other) {
  return one.when != other.when ? one.when > other.when : one.sequence > other.sequence;
}

void EventQueue::after(Micros delay, std::function<void()> what) {
  CHECK(delay >= 0, "an event cannot be planned for the past");
  heap_.push_back({.when = now_ + delay, .sequence = ++sequence_, .what = std::move(what)});
  std::ranges::push_heap(heap_, is_later);
}

bool EventQueue::step() {
  if (heap_.empty()) {
    return false;
  }
  std::ranges::pop_heap(heap_, is_later);
  const Event event = std::move(heap_.back());
  heap_.pop_back();
  now_ = event.when;
  ++handled_;
  event.what();
  return true;
}

}  // namespace zabfs::test
