#include "fusefs/handles/feed.hpp"

#include <algorithm>
#include <utility>

namespace zabfs::fusefs::handles {

void Feed::begin() {
  has_begun_ = true;
  if (const auto call = std::exchange(when_begun_, {})) {
    call();
  }
}

void Feed::when_begun(std::function<void()> call) {
  when_begun_ = std::move(call);
  if (has_begun_) {
    begin();
  }
}

void Feed::add(std::string_view text) {
  if (!has_ended_ && error_ == 0) {
    unread_ += text;
    fed_ += text.size();
    wake();
  }
}

void Feed::end() {
  has_ended_ = true;
  begin();
  wake();
}

void Feed::fail(int errno_value) {
  if (!has_ended_) {
    error_ = errno_value;
    begin();
    wake();
  }
}

std::string Feed::take(std::size_t size) {
  std::string taken = unread_.substr(0, size);
  unread_.erase(0, taken.size());
  taken_ += taken.size();
  if (unread_.empty()) {
    if (const auto call = std::exchange(when_drained_, {})) {
      call();
    }
  }
  return taken;
}

std::uint64_t Feed::when_ready(std::function<void()> call) {
  const std::uint64_t number = ++last_number_;
  waiting_.emplace(number, std::move(call));
  if (is_ready()) {
    wake();
  }
  return number;
}

void Feed::wake() {
  while (!waiting_.empty()) {
    const auto call = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    call();
  }
}

}  // namespace zabfs::fusefs::handles
