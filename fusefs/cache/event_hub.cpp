#include "fusefs/cache/event_hub.hpp"

#include <algorithm>
#include <utility>

namespace zabfs::fusefs::cache {

EventHub::Subscribers EventHub::take(const std::string& path) {
  const auto found = subscribers_.find(path);
  if (found == subscribers_.end()) {
    return {};
  }
  Subscribers subscribers = std::move(found->second);
  subscribers_.erase(found);
  return subscribers;
}

void EventHub::tell(const client::WatchNotice& notice) { tell_these(take(notice.path), notice); }

void EventHub::tell_nothing(const std::string& path) { tell_these(take(path), std::nullopt); }

void EventHub::tell_all() {
  Subscribers all;
  for (const auto& [path, subscribers] : std::exchange(subscribers_, {})) {
    all.insert(all.end(), subscribers.begin(), subscribers.end());
  }
  tell_these(std::move(all), std::nullopt);
}

void EventHub::tell_these(Subscribers subscribers,
                          const std::optional<client::WatchNotice>& notice) {
  size_ -= subscribers.size();
  for (Subscription* subscription : subscribers) {
    subscription->is_listed_ = false;
  }
  being_told_.push_back(&subscribers);
  for (std::size_t i = 0; i < subscribers.size(); ++i) {
    if (Subscription* subscription = std::exchange(subscribers[i], nullptr)) {
      const auto callback = subscription->callback_;  // The subscription may end in the call.
      callback(notice);
    }
  }
  being_told_.pop_back();
}

void Subscription::renew() {
  if (!std::exchange(is_listed_, true)) {
    hub_.subscribers_[path_].push_back(this);
    ++hub_.size_;
  }
}

void Subscription::end() {
  for (auto* subscribers : hub_.being_told_) {
    std::ranges::replace(*subscribers, this, static_cast<Subscription*>(nullptr));
  }
  if (!std::exchange(is_listed_, false)) {
    return;
  }
  const auto found = hub_.subscribers_.find(path_);
  std::erase(found->second, this);
  if (found->second.empty()) {
    hub_.subscribers_.erase(found);
  }
  --hub_.size_;
}

}  // namespace zabfs::fusefs::cache
