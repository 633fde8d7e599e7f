// Watches that the cache set and does not need any more are not kept at the ensemble.
#include <gtest/gtest.h>

#include <string>

#include "fusefs/cache/coherence.hpp"
#include "replication/model/limits.hpp"
#include "tests/support/fake_ensemble.hpp"

namespace zabfs::test {
namespace {

using fusefs::cache::Coherence;
using fusefs::cache::Subscription;
using fusefs::cache::Underway;
using fusefs::client::SessionState;
using replication::protocol::GetChildren2Request;
using replication::protocol::GetDataRequest;
using replication::protocol::SetDataRequest;
namespace limits = replication::limits;

struct TakingBack : testing::Test {
  TakingBack() {
    ensemble.on_state([this](SessionState state) {
      state == SessionState::connected ? coherence.connected() : coherence.connection_lost();
    });
  }

  void read_with_watch(const std::string& path) {
    const GetDataRequest request{.path = path, .watch = true};
    Underway underway(coherence, request);
    ensemble.submit(request, [&](const auto& reply) { underway.answered(reply); });
    ensemble.deliver();
  }

  FakeEnsemble ensemble{};
  Coherence coherence{ensemble};
};

TEST_F(TakingBack, WhatIsDroppedFromMemoryIsNotWatchedAnyMore) {
  constexpr std::size_t more = 20;
  for (std::size_t i = 0; i < limits::cached_znodes_max + more; ++i) {
    const std::string path = "/" + std::to_string(i);
    ensemble.create(path, replication::Data{});
    read_with_watch(path);
  }
  EXPECT_EQ(coherence.known().size(), limits::cached_znodes_max);
  EXPECT_EQ(ensemble.watches(), limits::cached_znodes_max);
}

TEST_F(TakingBack, WhatSomebodyWaitsForStaysWatched) {
  ensemble.create("/awaited", replication::Data{});
  int told = 0;
  Subscription waiting(coherence.events(), "/awaited", [&told](const auto&) { ++told; });
  waiting.renew();
  read_with_watch("/awaited");
  ensemble.create("/large", replication::Bytes(limits::cached_bytes_max));
  read_with_watch("/large");
  EXPECT_EQ(coherence.known().size(), 0U) << "too large, and it has pushed out the other";
  EXPECT_EQ(ensemble.watches(), 1U);
  ensemble.set("/awaited", "1");
  ensemble.deliver();
  EXPECT_EQ(told, 1);
}

// Its watch goes with those of what was known before.
TEST_F(TakingBack, AReadBehindAWriteDoesNotEnterWhenItsWatchIsTakenBack) {
  ensemble.create("/f", replication::Data{});
  ensemble.create("/large", replication::Bytes(limits::cached_bytes_max));
  const GetChildren2Request names{.path = "/f", .watch = true};
  Underway listing(coherence, names);
  ensemble.submit(names, [&](const auto& reply) { listing.answered(reply); });
  ensemble.deliver();
  ensemble.hold("/f");
  const SetDataRequest write{.path = "/f", .data = replication::Data{}};
  const GetDataRequest read{.path = "/f", .watch = true};
  Underway writing(coherence, write);
  Underway reading(coherence, read);
  ensemble.submit(write, [&](const auto& reply) {
    writing.answered(reply);
    reading.write_answered();
  });
  ensemble.submit(read, [&](const auto& reply) { reading.answered(reply); });
  read_with_watch("/large");
  ensemble.release();
  ensemble.deliver();
  EXPECT_EQ(coherence.find("/f"), nullptr);
}

TEST_F(TakingBack, OnAnotherConnectionOnlyWhatIsAwaitedIsWatched) {
  for (const std::string path : {"/awaited", "/known"}) {
    ensemble.create(path, replication::Data{});
    read_with_watch(path);
  }
  int told = 0;
  Subscription waiting(coherence.events(), "/awaited", [&told](const auto&) { ++told; });
  waiting.renew();
  ensemble.disconnect();
  ensemble.set("/awaited", "missed");
  ensemble.reconnect();
  EXPECT_EQ(told, 1);
  EXPECT_EQ(ensemble.watches(), 0U);
}

}  // namespace
}  // namespace zabfs::test
