// What the client has to say to its user, in the order it happened: answers, watch notices, changes
// of state. It waits here so that no callback runs inside a call of the user's.
//
// Notices that were pushed one right behind the other are one delivery. The last one waits while
// the next may belong to it (await_notice).
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
  using Notices = std::vector<WatchNotice>;
  using Delivery = std::variant<Answer, Notices, SessionState, Done>;

  void on_event(EventCallback callback) { on_event_ = std::move(callback); }
  void on_state(std::function<void(SessionState)> callback) { on_state_ = std::move(callback); }

  void push(Delivery delivery) { waiting_.push_back(std::move(delivery)); }
  void push(WatchNotice notice);

  // True if a notice is about to be pushed, of which the beginning has come. Without one in front
  // of it that changes nothing.
  void await_notice(bool is_coming) { is_notice_coming_ = is_coming; }

  // Nothing is to be delivered now.
  bool empty() const { return due() == 0; }

  // The answer to `id` will not be delivered.
  void forget(RequestId id);

  // Calls back for everything that waits now. What the callbacks cause waits for the next run, so
  // that a callback which tries again at once does not keep the loop from everything else.
  void run();

  // Nothing that waits will be delivered; may be called by a callback.
  void clear();

 private:
  std::size_t due() const;
  void call(Answer& answer) const;
  void call(const Notices& notices) const;
  void call(SessionState state) const;
  void call(const Done& done) const;

  std::vector<Delivery> waiting_;
  bool is_notice_coming_{};
  EventCallback on_event_;
  std::function<void(SessionState)> on_state_;
};

}  // namespace zabfs::fusefs::client
