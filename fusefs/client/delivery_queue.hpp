// What the client has to say to its user, in the order it happened: answers, watch notices, changes
// of state. It waits here so that no callback runs inside a call of the user's.
#pragma once

#include <cstddef>
#include <functional>
#include <variant>
#include <vector>

#include "fusefs/client/client.hpp"

namespace zabfs::fusefs::client {

class DeliveryQueue {
 public:
  struct Answer {
    RequestId id{};
    ReplyCallback callback{};
    replication::Result<Reply> result;
  };
  using Done = std::function<void()>;
  using Delivery = std::variant<Answer, WatchNotice, SessionState, Done>;

  void on_event(std::function<void(const WatchNotice&)> callback) {
    on_event_ = std::move(callback);
  }
  void on_state(std::function<void(SessionState)> callback) { on_state_ = std::move(callback); }

  void push(Delivery delivery) { waiting_.push_back(std::move(delivery)); }
  bool empty() const { return waiting_.empty(); }

  // The answer to `id` will not be delivered.
  void forget(RequestId id);

  // Calls back for everything that waits now. What the callbacks cause waits for the next run, so
  // that a callback which tries again at once does not keep the loop from everything else.
  void run();

  // Nothing that waits will be delivered; may be called by a callback.
  void clear();

 private:
  void call(Answer& answer) const;
  void call(const WatchNotice& notice) const;
  void call(SessionState state) const;
  void call(const Done& done) const;

  std::vector<Delivery> waiting_;
  std::function<void(const WatchNotice&)> on_event_;
  std::function<void(SessionState)> on_state_;
};

}  // namespace zabfs::fusefs::client
