#include "fusefs/client/delivery_queue.hpp"

#include <gtest/gtest.h>

#include "fusefs/client/limits.hpp"

namespace zabfs::fusefs::client {
namespace {

DeliveryQueue::Answer answer(std::uint64_t id, ReplyCallback callback) {
  return {.id = {id}, .callback = std::move(callback), .result = Reply{}};
}

TEST(DeliveryQueue, DeliversInTheOrderOfPushing) {
  DeliveryQueue queue;
  std::vector<std::string> heard;
  queue.on_event([&](auto notices) { heard.push_back(notices.front().path); });
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

TEST(DeliveryQueue, TellsNoticesTogetherAndWaitsForTheRestOfTheLastOnes) {
  DeliveryQueue queue;
  std::vector<std::size_t> heard;
  queue.on_event([&](auto notices) { heard.push_back(notices.size()); });
  queue.push(WatchNotice{.path = "/a"});
  queue.push(WatchNotice{.path = "/b"});
  queue.push(SessionState::connected);
  queue.push(WatchNotice{.path = "/c"});
  queue.await_notice(true);
  queue.run();
  EXPECT_EQ(heard, std::vector<std::size_t>{2});
  EXPECT_TRUE(queue.empty()) << "what waits would keep the loop busy";
  queue.push(WatchNotice{.path = "/d"});
  queue.run();
  EXPECT_EQ(heard, std::vector<std::size_t>{2}) << "and one more is on its way";
  queue.await_notice(false);
  EXPECT_FALSE(queue.empty());
  queue.run();
  EXPECT_EQ(heard, (std::vector<std::size_t>{2, 2}));
}

TEST(DeliveryQueue, DoesNotWaitForMoreNoticesThanItTellsTogether) {
  DeliveryQueue queue;
  std::size_t heard = 0;
  queue.on_event([&](auto notices) { heard += notices.size(); });
  queue.await_notice(true);
  for (std::size_t i = 0; i <= limits::notices_together_max; ++i) {
    queue.push(WatchNotice{.path = "/a"});
  }
  queue.run();
  EXPECT_EQ(heard, limits::notices_together_max);
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
