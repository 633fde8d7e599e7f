#include "daemon/limit_lines.hpp"

#include <gtest/gtest.h>

#include "daemon/config.hpp"

namespace zabfs::daemon {
namespace {

namespace limits = replication::limits;

ClientLimits parsed(const std::string& text) {
  auto result = parse_config("dataDir=/d\n" + text, "zoo.cfg");
  const auto* config = std::get_if<Config>(&result);
  return config != nullptr ? config->clients : ClientLimits{.connections_max = 0};
}

bool is_refused(const std::string& text) {
  return std::holds_alternative<ConfigErrors>(parse_config("dataDir=/d\n" + text, "zoo.cfg"));
}

TEST(LimitLines, EveryKeyArrivesWhereItBelongs) {
  EXPECT_EQ(parsed("maxClientCnxns=0\nmaxCnxns=5\njute.maxbuffer=4096\n"
                   "globalOutstandingLimit=11\nlargeRequestMaxBytes=2000000\n"
                   "nio.sessionlessCnxnTimeout=7000\nclientTcpKeepAlive=true\n"),
            (ClientLimits{.connections_per_address_max = 0,
                          .connections_max = 5,
                          .frame_bytes_max = 4096,
                          .requests_max = 11,
                          .request_bytes_max = 2'000'000,
                          .sessionless_ms = 7000,
                          .keeps_alive = true}));
  EXPECT_EQ(parsed(""), ClientLimits{});
}

TEST(LimitLines, WhatHasNoMeaningHereIsTakenAsItIs) {
  EXPECT_EQ(parsed("jute.maxbuffer.extrasize=1000\nrequestThrottleStallTime=100\n"
                   "requestThrottleDropStale=true\nrequestStaleLatencyCheck=false\n"
                   "requestStaleConnectionCheck=true\nthrottledOpWaitTime=0\n"
                   "largeRequestThreshold=-1\n"),
            ClientLimits{});
}

TEST(LimitLines, ABufferMayBeGivenInHexadecimal) {
  EXPECT_EQ(parsed("jute.maxbuffer=0xfffff").frame_bytes_max, limits::client_frame_bytes_max);
  EXPECT_TRUE(is_refused("jute.maxbuffer=0x"));
  EXPECT_TRUE(is_refused("jute.maxbuffer=0xfffffffff"));
  EXPECT_TRUE(is_refused("jute.maxbuffer=0x1g"));
}

TEST(LimitLines, OfTwoLimitsOnTheSameTheSmallerCounts) {
  EXPECT_EQ(parsed("globalOutstandingLimit=11\nrequestThrottleLimit=7").requests_max, 7U);
  EXPECT_EQ(parsed("requestThrottleLimit=12\nglobalOutstandingLimit=11").requests_max, 11U);
  EXPECT_EQ(parsed("requestThrottleLimit=0\nglobalOutstandingLimit=11").requests_max, 11U);
}

TEST(LimitLines, ZeroMeansNoBoundOnConnectionsButTheServicesOwn) {
  EXPECT_EQ(parsed("maxCnxns=0").connections_max, limits::connections_max);
  EXPECT_EQ(parsed("maxClientCnxns=0").connections_per_address_max, 0U);
}

TEST(LimitLines, WhatIsOutOfBoundsIsRefused) {
  for (const char* line :
       {"jute.maxbuffer=10", "jute.maxbuffer=1048576", "jute.maxbuffer=", "maxCnxns=-1",
        "globalOutstandingLimit=0", "nio.sessionlessCnxnTimeout=0", "clientTcpKeepAlive=maybe",
        "largeRequestMaxBytes=5", "requestThrottleLimit=-1"}) {
    EXPECT_TRUE(is_refused(line)) << line;
  }
}

}  // namespace
}  // namespace zabfs::daemon
