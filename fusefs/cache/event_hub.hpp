// Tells whoever waits for it that a watch fired at a path.
//
//   Subscription told(hub, "/a", [&](const client::WatchNotice& notice) { ... });
//
// A subscription is told once, as a watch fires once; after that it does nothing until renew().
// What is told may end this and other subscriptions and make new ones. Everything happens on one
// thread.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "fusefs/client/client.hpp"

namespace zabfs::fusefs::cache {

class Subscription;

class EventHub {
 public:
  EventHub() = default;
  EventHub(const EventHub&) = delete;
  EventHub& operator=(const EventHub&) = delete;

  // A watch fired.
  void tell(const client::WatchNotice& notice);

  // No watch of `path` that was set before will fire: whoever waits for it is told nothing, and
  // looks anew.
  void tell_nothing(const std::string& path);

  // True if anybody waits for a watch of `path`.
  bool is_awaited(const std::string& path) const { return subscribers_.contains(path); }

  // No watch that was set before will fire: everybody is told nothing at all, so that they look
  // anew.
  void tell_all();

  std::size_t size() const { return size_; }

 private:
  friend class Subscription;

  using Subscribers = std::vector<Subscription*>;

  Subscribers take(const std::string& path);
  void tell_these(Subscribers subscribers, const std::optional<client::WatchNotice>& notice);

  std::unordered_map<std::string, Subscribers> subscribers_{};
  std::vector<Subscribers*> being_told_{};
  std::size_t size_{};
};

class Subscription {
 public:
  // nullopt if it is not known what happened.
  using Callback = std::function<void(const std::optional<client::WatchNotice>&)>;

  // The hub outlives it. It begins with renew().
  Subscription(EventHub& hub, std::string path, Callback callback)
      : hub_(hub), path_(std::move(path)), callback_(std::move(callback)) {}
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;
  ~Subscription() { end(); }

  void renew();
  void end();

 private:
  friend class EventHub;

  EventHub& hub_;
  std::string path_;
  Callback callback_;
  bool is_listed_{};
};

}  // namespace zabfs::fusefs::cache
