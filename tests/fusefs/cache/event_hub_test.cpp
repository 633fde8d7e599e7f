#include "fusefs/cache/event_hub.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace zabfs::fusefs::cache {
namespace {

using client::WatchNotice;
using replication::protocol::EventType;

WatchNotice changed(const std::string& path) {
  return {.type = EventType::data_changed, .path = path};
}

TEST(EventHub, TellsOnceUntilRenewed) {
  EventHub hub;
  int told = 0;
  Subscription subscription(hub, "/a", [&](const auto&) { ++told; });
  hub.tell(changed("/a"));
  EXPECT_EQ(told, 0);
  subscription.renew();
  subscription.renew();
  hub.tell(changed("/b"));
  hub.tell(changed("/a"));
  hub.tell(changed("/a"));
  EXPECT_EQ(told, 1);
  subscription.renew();
  hub.tell(changed("/a"));
  EXPECT_EQ(told, 2);
  EXPECT_EQ(hub.size(), 0U);
}

TEST(EventHub, WhatIsToldMayEndItselfAndOthers) {
  EventHub hub;
  int told = 0;
  std::unique_ptr<Subscription> first;
  std::unique_ptr<Subscription> second;
  const auto end_both = [&](const auto&) {
    ++told;
    first.reset();
    second.reset();
  };
  first = std::make_unique<Subscription>(hub, "/a", end_both);
  second = std::make_unique<Subscription>(hub, "/a", end_both);
  first->renew();
  second->renew();
  hub.tell(changed("/a"));
  EXPECT_EQ(told, 1);
  EXPECT_EQ(hub.size(), 0U);
}

TEST(EventHub, WhatIsToldMayRenewAtOnceAndIsNotToldTheSameAgain) {
  EventHub hub;
  int told = 0;
  std::unique_ptr<Subscription> subscription;
  subscription = std::make_unique<Subscription>(hub, "/a", [&](const auto&) {
    ++told;
    subscription->renew();
  });
  subscription->renew();
  hub.tell(changed("/a"));
  EXPECT_EQ(told, 1);
  EXPECT_EQ(hub.size(), 1U);
}

TEST(EventHub, AllAreToldThatNothingIsKnown) {
  EventHub hub;
  int told = 0;
  const auto count = [&](const std::optional<WatchNotice>& notice) { told += notice ? 0 : 1; };
  Subscription a(hub, "/a", count);
  Subscription b(hub, "/b", count);
  a.renew();
  b.renew();
  hub.tell_all();
  EXPECT_EQ(told, 2);
}

}  // namespace
}  // namespace zabfs::fusefs::cache
