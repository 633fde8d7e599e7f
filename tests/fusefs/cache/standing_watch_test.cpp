// Watches that stay: set once for all who need them, reported to each, taken back behind the last.
#include "fusefs/cache/standing_watch.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "fusefs/cache/coherence.hpp"
#include "tests/support/fake_ensemble.hpp"

namespace zabfs::test {
namespace {

using fusefs::cache::Coherence;
using fusefs::cache::Scope;
using fusefs::cache::StandingNews;
using fusefs::cache::StandingWatch;
using fusefs::client::SessionState;
using Kind = StandingNews::Kind;

struct StandingWatchTest : testing::Test {
  StandingWatchTest() {
    ensemble.on_state([this](SessionState state) {
      state == SessionState::connected ? coherence.connected() : coherence.connection_lost();
    });
    ensemble.create("/a", replication::Data{});
  }

  std::unique_ptr<StandingWatch> watch(const std::string& path, Scope scope,
                                       std::vector<std::string>& heard) {
    auto made =
        std::make_unique<StandingWatch>(coherence, path, scope, [&heard](const StandingNews& news) {
          static const std::vector<std::string> names{"set",          "refused",   "event",
                                                      "disconnected", "connected", "expired"};
          const std::string name = names[static_cast<std::size_t>(news.kind)];
          heard.push_back(news.kind == Kind::event ? news.notice->path : name);
        });
    ensemble.deliver();
    return made;
  }

  void change(const std::string& path) {
    ensemble.create(path, replication::Data{});
    ensemble.deliver();
  }

  FakeEnsemble ensemble{};
  FakeEnsemble next{};
  Coherence coherence{ensemble};
  std::vector<std::string> first{};
  std::vector<std::string> second{};
};

TEST_F(StandingWatchTest, OfAZnodeReportsItAndItsChildren) {
  const auto watched = watch("/a", Scope::znode, first);
  change("/a/b");
  change("/a/b/c");
  ensemble.set("/a", "1");
  ensemble.set("/a", "2");
  ensemble.deliver();
  EXPECT_EQ(first, (std::vector<std::string>{"set", "/a", "/a", "/a"}));
}

TEST_F(StandingWatchTest, OfASubtreeReportsAllBelow) {
  const auto watched = watch("/a", Scope::subtree, first);
  change("/a/b");
  change("/a/b/c");
  change("/other");
  EXPECT_EQ(first, (std::vector<std::string>{"set", "/a/b", "/a/b/c"}));
}

TEST_F(StandingWatchTest, OfTheRootReportsEverything) {
  const auto watched = watch("/", Scope::subtree, first);
  change("/a/b");
  EXPECT_EQ(first, (std::vector<std::string>{"set", "/a/b"}));
}

TEST_F(StandingWatchTest, IsSetOnceForTwoAndGoesWithTheLast) {
  auto one = watch("/a", Scope::subtree, first);
  const auto before = ensemble.request_count();
  auto two = watch("/a", Scope::subtree, second);
  EXPECT_TRUE(two->is_set());
  EXPECT_EQ(ensemble.request_count(), before);
  one.reset();
  EXPECT_EQ(ensemble.watches(), 1U);
  change("/a/b");
  EXPECT_EQ(second, (std::vector<std::string>{"/a/b"}));
  two.reset();
  ensemble.deliver();
  EXPECT_EQ(ensemble.watches(), 0U);
}

TEST_F(StandingWatchTest, OfOneScopeOutlivesThatOfTheOther) {
  auto subtree = watch("/a", Scope::subtree, first);
  auto znode = watch("/a", Scope::znode, second);
  subtree.reset();
  ensemble.deliver();
  change("/a/b");
  EXPECT_EQ(second, (std::vector<std::string>{"set", "/a"}));
}

TEST_F(StandingWatchTest, SaysWhenSomethingMayHaveBeenMissed) {
  const auto watched = watch("/a", Scope::znode, first);
  ensemble.disconnect();
  ensemble.set("/a", "missed");
  ensemble.reconnect();
  ensemble.set("/a", "heard");
  ensemble.deliver();
  EXPECT_EQ(first, (std::vector<std::string>{"set", "disconnected", "connected", "/a"}));
}

TEST_F(StandingWatchTest, IsSetAnewInTheNextSession) {
  const auto watched = watch("/a", Scope::znode, first);
  next.create("/a", replication::Data{});
  coherence.use(next);
  next.deliver();
  next.set("/a", "1");
  next.deliver();
  EXPECT_EQ(first, (std::vector<std::string>{"set", "expired", "set", "/a"}));
}

TEST_F(StandingWatchTest, IsRefusedByServersWithoutAddWatch) {
  ensemble.refuse_standing_watches();
  const auto watched = watch("/a", Scope::znode, first);
  EXPECT_FALSE(watched->is_set());
  EXPECT_EQ(first, (std::vector<std::string>{"refused"}));
  const auto before = ensemble.request_count();
  const auto another = watch("/a", Scope::znode, second);
  EXPECT_TRUE(another->is_refused());
  coherence.connected();
  EXPECT_EQ(ensemble.request_count(), before) << "asking could cost the connection each time";
}

TEST_F(StandingWatchTest, IsAskedForAgainIfNoServerWasReached) {
  ensemble.fail(replication::ErrorCode::operation_timeout);
  const auto watched = watch("/a", Scope::znode, first);
  EXPECT_EQ(first, (std::vector<std::string>{}));
  ensemble.fail(replication::ErrorCode::ok);
  coherence.connected();
  ensemble.deliver();
  EXPECT_EQ(first, (std::vector<std::string>{"connected", "set"}));
}

TEST_F(StandingWatchTest, MayEndAnotherWhileItIsTold) {
  auto victim = watch("/a", Scope::znode, second);
  second.clear();
  std::unique_ptr<StandingWatch> killer = std::make_unique<StandingWatch>(
      coherence, "/a", Scope::subtree, [&](const StandingNews& news) {
        if (news.kind == Kind::event) {
          victim.reset();
          killer.reset();
        }
      });
  ensemble.deliver();
  change("/a/b");
  ensemble.set("/a", "1");
  ensemble.deliver();
  EXPECT_EQ(ensemble.watches(), 0U);
}

// Servers before 3.9 let a one-shot watch replace one that stays.
TEST_F(StandingWatchTest, IsSetAgainBehindAnEventWithoutZxid) {
  ensemble.hide_zxids();
  const auto watched = watch("/a", Scope::znode, first);
  const auto before = ensemble.request_count();
  ensemble.set("/a", "1");
  ensemble.deliver();
  EXPECT_EQ(ensemble.request_count(), before + 1);
  EXPECT_EQ(first, (std::vector<std::string>{"set", "/a"}));
}

}  // namespace
}  // namespace zabfs::test
