#include "tests/simulator/sim_network.hpp"

#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>

namespace zabfs::test {
namespace {

using replication::Bytes;
using replication::ByteView;
using replication::Random;
using replication::ServerId;

constexpr ServerId one{1};
constexpr ServerId two{2};

class SimNetworkTest : public testing::Test, public SimNetwork::Listener {
 protected:
  void begin(const NetworkOptions& options = {}, std::uint64_t seed = 1) {
    chance_ = Random(seed);
    network = std::make_unique<SimNetwork>(options, std::vector{one, two, ServerId{3}}, events,
                                           chance_, *this);
  }

  void connect_both() {
    network->start(one);
    network->start(two);
    run();
    heard.clear();
  }

  // A server that cannot be reached is tried again for ever.
  void run() {
    const Micros end = events.now() + 30 * second;
    while (events.now() < end && events.step()) {
    }
  }

  void send(ServerId from, ServerId to, const std::string& text, std::size_t size = 0) {
    Bytes bytes(text.begin(), text.end());
    bytes.resize(std::max(size, bytes.size()), '.');
    network->send(from, to, bytes);
  }

  EventQueue events;
  std::unique_ptr<SimNetwork> network;
  std::map<ServerId, std::string> heard;  // + up, - down, and the first letter of every frame

 private:
  void on_peer_up(ServerId at, ServerId) override { heard[at] += '+'; }
  void on_peer_frame(ServerId at, ServerId, ByteView payload) override {
    heard[at] += static_cast<char>(payload.front());
  }
  void on_peer_down(ServerId at, ServerId) override { heard[at] += '-'; }

  Random chance_{1};
};

TEST_F(SimNetworkTest, ServersThatRunAreConnected) {
  begin();
  network->start(one);
  run();
  EXPECT_EQ(heard[one], "");
  network->start(two);
  run();
  EXPECT_EQ(heard[one], "+");
  EXPECT_EQ(heard[two], "+");
  EXPECT_TRUE(network->is_up(one, two));
  EXPECT_FALSE(network->is_up(one, ServerId{3}));
}

TEST_F(SimNetworkTest, FramesArriveInOrderWhateverTheirDelays) {
  begin({.delay_min = 0, .delay_max = second});
  connect_both();
  for (const char* letter : {"a", "b", "c", "d", "e"}) {
    send(one, two, letter);
  }
  run();
  EXPECT_EQ(heard[two], "abcde");
}

TEST_F(SimNetworkTest, ABrokenConnectionDeliversABeginningAndIsMadeAnew) {
  bool lost_some = false;
  bool delivered_some = false;
  for (std::uint64_t seed = 1; seed < 30; ++seed) {
    heard.clear();
    begin({}, seed);
    connect_both();
    for (const char* letter : {"a", "b", "c"}) {
      send(one, two, letter);
    }
    network->break_connection(one, two);
    run();
    const std::string& at_two = heard[two];
    const std::string arrived = at_two.substr(0, at_two.find('-'));
    EXPECT_EQ(std::string("abc").substr(0, arrived.size()), arrived);
    EXPECT_EQ(at_two.substr(arrived.size()), "-+");
    EXPECT_EQ(heard[one], "-+");
    lost_some = lost_some || arrived.size() < 3;
    delivered_some = delivered_some || !arrived.empty();
  }
  EXPECT_TRUE(lost_some);
  EXPECT_TRUE(delivered_some);
}

TEST_F(SimNetworkTest, AReplacedConnectionIsDownAndUpAgainAtBothEnds) {
  begin();
  connect_both();
  network->replace_connection(one, two);
  run();
  EXPECT_EQ(heard[one], "-+");
  EXPECT_EQ(heard[two], "-+");
  send(one, two, "x");
  run();
  EXPECT_EQ(heard[two], "-+x");
}

TEST_F(SimNetworkTest, WhoDropsHearsNothingAndTheOtherHearsDown) {
  begin();
  connect_both();
  network->drop(one, two);
  EXPECT_FALSE(network->is_up(one, two));
  run();
  EXPECT_EQ(heard[one], "+");
  EXPECT_EQ(heard[two], "-+");
}

TEST_F(SimNetworkTest, ACutDirectionHoldsWhatIsSentUntilItHeals) {
  begin({.buffered_bytes = 100});
  connect_both();
  network->cut(one, two);
  send(one, two, "a", 300);
  send(two, one, "b");
  run();
  EXPECT_EQ(heard[two], "");
  EXPECT_EQ(heard[one], "b");
  EXPECT_EQ(network->unsent(one, two), 200U);
  network->heal(one, two);
  run();
  EXPECT_EQ(heard[two], "a");
  EXPECT_EQ(network->unsent(one, two), 0U);
}

TEST_F(SimNetworkTest, ASlowLinkShowsWhatHasNotLeft) {
  begin();
  connect_both();
  network->set_bytes_per_ms(one, two, 10);
  send(one, two, "a", 1000);
  EXPECT_EQ(network->unsent(one, two), 1000U);
  const Micros sent = events.now();
  run();
  EXPECT_EQ(heard[two], "a");
  EXPECT_GE(events.now() - sent, 100 * millisecond);
}

TEST_F(SimNetworkTest, AHeldServerTakesNothingInUntilItIsReleased) {
  begin();
  connect_both();
  network->hold(two);
  send(one, two, "a");
  send(one, two, "b");
  network->break_connection(one, two);
  run();
  EXPECT_EQ(heard[two], "");
  network->release(two);
  run();
  EXPECT_EQ(heard[two].back(), '+');
  EXPECT_NE(heard[two].find('-'), std::string::npos);
}

TEST_F(SimNetworkTest, AKilledServerIsMissedAndOneThatComesBackIsConnectedAnew) {
  for (const auto how : {SimNetwork::Stop::killed, SimNetwork::Stop::without_power}) {
    heard.clear();
    begin();
    connect_both();
    network->stop(two, how);
    network->start(two);
    run();
    EXPECT_EQ(heard[one], "-+");
    EXPECT_EQ(heard[two], "+");
  }
}

TEST_F(SimNetworkTest, NothingConnectsWhileADirectionIsCut) {
  begin();
  network->cut(two, one);
  network->start(one);
  network->start(two);
  run();
  EXPECT_EQ(heard[one] + heard[two], "");
  network->heal(two, one);
  run();
  EXPECT_EQ(heard[one] + heard[two], "++");
}

}  // namespace
}  // namespace zabfs::test
