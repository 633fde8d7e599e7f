#include "fusefs/client/delivery_queue.hpp"

#include <gtest/gtest.h>

namespace zabfs::fusefs::client {
namespace {

DeliveryQueue::Answer answer(std::uint64_t id, ReplyCallback callback) {
  return {.id = {id}, .callback = std::move(callback), .result = Reply{}};
}

TEST(DeliveryQueue, DeliversInTheOrderOfPushing) {
  DeliveryQueue queue;
  std::vector<std::string> heard;
  queue.on_event([&](const WatchNotice& notice) { heard.push_back(notice.path); });
  queue.on_state([&](SessionState) { heard.emplace_back("state"); });
  queue.push(WatchNotice{.path = "/a"});
  queue.push(answer(1, [&](const auto&) { heard.emplace_back("answer"); }));
  queue.push(SessionState::closed);
  queue.push(DeliveryQueue::Done{[&] { heard.emplace_back("done"); }});
  queue.run();
  EXPECT_EQ(heard, (std::vector<std::string>{"/a", "answer", "state", "done"}));
  EXPECT_TRUE(queue.empty());
}

TEST(DeliveryQueue, LeavesWhatACallbackCausesToTheNextRun) {
  DeliveryQueue queue;
  int calls = 0;
  ReplyCallback again = [&](const auto&) {
    ++calls;
    queue.push(answer(2, again));
  };
  queue.push(answer(1, again));
  queue.run();
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(queue.empty());
  queue.run();
  EXPECT_EQ(calls, 2);
}

TEST(DeliveryQueue, ForgetsEvenWhatTheSameRunWouldDeliver) {
  DeliveryQueue queue;
  bool called = false;
  queue.push(answer(1, [&](const auto&) { queue.forget({2}); }));
  queue.push(answer(2, [&](const auto&) { called = true; }));
  queue.run();
  EXPECT_FALSE(called);
  EXPECT_TRUE(queue.empty());
}

TEST(DeliveryQueue, CanBeClearedByACallback) {
  DeliveryQueue queue;
  bool called = false;
  queue.push(answer(1, [&](const auto&) { queue.clear(); }));
  queue.push(answer(2, [&](const auto&) { called = true; }));
  queue.run();
  EXPECT_FALSE(called);
  EXPECT_TRUE(queue.empty());
}

TEST(DeliveryQueue, NeedsNoCallbacks) {
  DeliveryQueue queue;
  queue.push(WatchNotice{});
  queue.push(SessionState::closed);
  queue.push(answer(1, {}));
  queue.push(DeliveryQueue::Done{});
  queue.run();
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace zabfs::fusefs::client
