#include "tests/simulator/event_queue.hpp"

#include <gtest/gtest.h>

#include <string>

namespace zabfs::test {
namespace {

TEST(EventQueue, EventsHappenInOrderOfTimeAndThenOfPlanning) {
  EventQueue events;
  std::string order;
  events.after(20, [&] { order += 'c'; });
  events.after(10, [&] {
    order += 'a';
    events.after(0, [&] { order += 'b'; });
  });
  events.after(20, [&] { order += 'd'; });
  while (events.step()) {
  }
  EXPECT_EQ(order, "abcd");
  EXPECT_EQ(events.now(), 20);
  EXPECT_EQ(events.handled(), 4U);
}

}  // namespace
}  // namespace zabfs::test
