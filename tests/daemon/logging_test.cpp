#include "daemon/logging.hpp"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <sstream>

namespace zabfs::daemon {
namespace {

class FakeClock : public replication::Clock {
 public:
  std::int64_t monotonic_ms() const override { return now_ms; }
  std::int64_t wall_ms() const override { return now_ms; }

  std::int64_t now_ms{1'000'000};
};

class LoggingTest : public testing::Test {
 protected:
  LoggingTest() { logger_->set_pattern("%l %v"); }

  std::string lines() { return std::exchange(text_, std::ostringstream()).str(); }

  void refuse(std::uint64_t times) {
    for (std::uint64_t i = 0; i < times; ++i) {
      log_.record(replication::ClientRefused{.connection = {i}, .why = "nonsense"});
    }
  }

  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> logger_ = std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_));
  FakeClock clock_;
  TraceLog log_{logger_, clock_};
};

TEST_F(LoggingTest, AnEventIsALineWithItsLevel) {
  log_.record(replication::LeadershipBegan{.epoch = {3}, .history_end = replication::Zxid::at({2}, 7)});
  EXPECT_EQ(lines(), "info epoch 3 began behind 2.7\n");
  log_.record(replication::Recovered{.note = "a torn tail was cut off"});
  EXPECT_EQ(lines().substr(0, 8), "warning ");
}

TEST_F(LoggingTest, TheDailyBusinessOfClientsIsForDebugging) {
  log_.record(replication::SessionOpened{.session = {1}, .timeout_ms = 2});
  log_.record(replication::SessionClosed{.session = {1}, .expired = false});
  EXPECT_EQ(lines(), "");
  log_.record(replication::SessionClosed{.session = {1}, .expired = true});
  EXPECT_EQ(lines(), "info session 0x1 expired, 0 ephemeral znodes deleted\n");
}

TEST_F(LoggingTest, AFloodIsHeldBackAndCounted) {
  refuse(lines_per_second_max + 5);
  const std::string flood = lines();
  EXPECT_EQ(static_cast<std::uint64_t>(std::ranges::count(flood, '\n')), lines_per_second_max);
  log_.on_tick();
  EXPECT_EQ(lines(), "");
  clock_.now_ms += 1000;
  log_.on_tick();
  EXPECT_EQ(lines(), "warning 5 more like this: connection 24 refused: nonsense\n");
  log_.on_tick();
  EXPECT_EQ(lines(), "");
}

TEST_F(LoggingTest, AFloodOfOneKindHidesNoOther) {
  refuse(lines_per_second_max + 5);
  lines();
  log_.record(replication::LeadershipBegan{.epoch = {3}, .history_end = replication::Zxid::at({2}, 7)});
  EXPECT_EQ(lines(), "info epoch 3 began behind 2.7\n");
}

TEST_F(LoggingTest, AfterASecondThereIsRoomAgain) {
  refuse(lines_per_second_max + 5);
  lines();
  clock_.now_ms += 1000;
  refuse(1);
  EXPECT_EQ(lines(), "warning connection 0 refused: nonsense\n");
  EXPECT_EQ(lines(), "");
}

}  // namespace
}  // namespace zabfs::daemon
