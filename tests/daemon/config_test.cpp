#include "daemon/config.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/hostile_bytes.hpp"
#include "tests/support/temporary_directory.hpp"

namespace zabfs::daemon {
namespace {

// What `text` says beside a data directory.
Config parsed(const std::string& text) {
  const auto result = parse_config("dataDir=/d\n" + text, "zoo.cfg");
  if (const auto* errors = std::get_if<ConfigErrors>(&result)) {
    ADD_FAILURE() << text << ": " << errors->front();
    return {};
  }
  return std::get<Config>(result);
}

// The only error in `text`, which begins on line 2.
std::string error_in(const std::string& text) {
  const auto result = parse_config("dataDir=/d\n" + text, "zoo.cfg");
  const auto* errors = std::get_if<ConfigErrors>(&result);
  if (errors == nullptr || errors->size() != 1) {
    ADD_FAILURE() << text << ": " << (errors == nullptr ? 0 : errors->size()) << " errors";
    return "";
  }
  return errors->front();
}

TEST(Config, TheDataDirectoryIsAllThatMustBeGiven) {
  Config expected;
  expected.data_directory = expected.log_directory = "/d";
  expected.ensemble.init_ms = 20'000;
  expected.ensemble.sync_ms = 10'000;
  EXPECT_EQ(parsed(""), expected);
  const auto without = parse_config("clientPort=2181\n", "zoo.cfg");
  EXPECT_EQ(std::get<ConfigErrors>(without),
            ConfigErrors{"zoo.cfg: dataDir is missing (add a line such as dataDir=/var/lib/zabd)"});
}

TEST(Config, EveryKeyArrivesWhereItBelongs) {
  const Config config = parsed(
      "dataLogDir=/l\nclientPort=0\nclientPortAddress=::1\nclientPortListenBacklog=7\n"
      "tickTime=100\nminSessionTimeout=300\nmaxSessionTimeout=900\nmaxClientCnxns=0\n"
      "maxCnxns=5\nglobalOutstandingLimit=11\nsnapCount=12\nsnapSizeLimitInKb=3\nautopurge."
      "snapRetainCount=13\n"
      "autopurge.purgeInterval=1\ninitLimit=20\nsyncLimit=8\n"
      "4lw.commands.whitelist=ruok, srvr,*\nlog.level=debug\n");
  const Config expected{
      .data_directory = "/d",
      .log_directory = "/l",
      .client_address = "::1",
      .client_port = 0,
      .listen_backlog = 7,
      .tick_ms = 100,
      .session_timeout_min_ms = 300,
      .session_timeout_max_ms = 900,
      .clients = {.connections_per_address_max = 0, .connections_max = 5, .requests_max = 11},
      .snapshot_every = 12,
      .snapshot_log_bytes = 3072,
      .snapshots_kept = 13,
      .four_letter_words = {"ruok", "srvr", "*"},
      .log_level = LogLevel::debug,
      .ensemble = {.init_ms = 2000, .sync_ms = 800}};
  EXPECT_EQ(config, expected);
}

TEST(Config, TheLogBetweenSnapshotsMayBeUnbounded) {
  EXPECT_EQ(parsed("").snapshot_log_bytes, std::uint64_t{4} << 30);
  EXPECT_EQ(parsed("snapSizeLimitInKb=0\n").snapshot_log_bytes, 0U);
  EXPECT_EQ(parsed("snapSizeLimitInKb=-1\n").snapshot_log_bytes, 0U);
}

TEST(Config, OperatorsAreLetInOnlyWhereTheLinesSaySo) {
  EXPECT_EQ(parsed("").admin, AdminConfig{});
  EXPECT_FALSE(AdminConfig{}.is_enabled);
  EXPECT_EQ(AdminConfig{}.address, "127.0.0.1");
  const Config config = parsed(
      "admin.enableServer=true\nadmin.serverAddress=0.0.0.0\nadmin.serverPort=1\n"
      "admin.commandURL=/c\nadmin.idleTimeout=200\nadmin.snapshot.enabled=true\n"
      "admin.restore.enabled=true\nzookeeper.admin.rateLimiterIntervalInMS=0\n"
      "metricsProvider.className="
      "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider\n"
      "metricsProvider.httpHost=::1\nmetricsProvider.httpPort=2\n"
      "metricsProvider.exportJvmInfo=true\n");
  const AdminConfig expected{.is_enabled = true,
                             .address = "",
                             .port = 1,
                             .url = "/c",
                             .idle_ms = 200,
                             .gives_snapshots = true,
                             .takes_restores = true,
                             .transfer_interval_ms = 0,
                             .exports_metrics = true,
                             .metrics_address = "::1",
                             .metrics_port = 2};
  EXPECT_EQ(config.admin, expected);
  EXPECT_FALSE(parsed("metricsProvider.className="
                      "org.apache.zookeeper.metrics.impl.DefaultMetricsProvider\n")
                   .admin.exports_metrics);
  EXPECT_NE(error_in("metricsProvider.className=x\n").find("'x' is no provider"),
            std::string::npos);
  EXPECT_NE(error_in("admin.commandURL=c/\n").find("is no path"), std::string::npos);
  EXPECT_NE(error_in("admin.serverPrt=1\n").find("did you mean 'admin.serverPort'?"),
            std::string::npos);
}

TEST(Config, ABlankAWindowsLineEndAndACommentMeanNothing) {
  const Config config = parsed("\r\n  # clientPort=1\r\n\t clientPort \t= 2182 \r\n#x\n\n");
  EXPECT_EQ(config.client_port, 2182);
}

TEST(Config, SessionTimeoutsFollowTheTickUnlessTheyAreGiven) {
  EXPECT_EQ(parsed("tickTime=100").session_timeout_min_ms, 200);
  EXPECT_EQ(parsed("tickTime=100").session_timeout_max_ms, 2000);
  EXPECT_EQ(parsed("minSessionTimeout=-1\ntickTime=100").session_timeout_min_ms, 200);
  EXPECT_EQ(parsed("minSessionTimeout=5").session_timeout_min_ms, 5);
}

TEST(Config, AMistakeIsNamedWithItsLineAndARemedy) {
  const std::pair<const char*, const char*> cases[] = {
      {"clientport=1", "zoo.cfg:2: unknown key 'clientport' (did you mean 'clientPort'?)"},
      {"snapcont=5", "zoo.cfg:2: unknown key 'snapcont' (did you mean 'snapCount'?)"},
      {"colour=red",
       "zoo.cfg:2: unknown key 'colour' (remove the line; the manual page zabd(8) lists every "
       "key)"},
      {"tickTime=10\ntickTime=10",
       "zoo.cfg:3: tickTime is given a second time, after line 2 (remove one of the two)"},
      {"dataDir=/e",
       "zoo.cfg:2: dataDir is given a second time, after line 1 (remove one of the two)"},
      {"clientPort=65536", "zoo.cfg:2: clientPort: '65536' is not a number from 0 to 65535"},
      {"clientPort=", "zoo.cfg:2: clientPort: '' is not a number from 0 to 65535"},
      {"clientPort=2 1", "zoo.cfg:2: clientPort: '2 1' is not a number from 0 to 65535"},
      {"tickTime=99999999999999999999",
       "zoo.cfg:2: tickTime: '99999999999999999999' is not a number from 10 to 3600000"},
      {"autopurge.snapRetainCount=2",
       "zoo.cfg:2: autopurge.snapRetainCount: '2' is not a number from 3 to 1000000"},
      {"nonsense", "zoo.cfg:2: 'nonsense' is not of the form key=value"},
      {"dataLogDir=",
       "zoo.cfg:2: dataLogDir: the directory's name is missing (write the path behind the '=')"},
      {"log.level=loud",
       "zoo.cfg:2: log.level: 'loud' is not a level (write debug, info, warn or error)"},
      {"4lw.commands.whitelist=ruok,statistics",
       "zoo.cfg:2: 4lw.commands.whitelist: 'statistics' is no four-letter word (write for example "
       "'srvr, ruok', or '*')"},
      {"minSessionTimeout=900\nmaxSessionTimeout=300",
       "zoo.cfg:3: the shortest session timeout, 900 ms, is above the longest, 300 ms (change "
       "minSessionTimeout or maxSessionTimeout)"},
  };
  for (const auto& [text, message] : cases) {
    EXPECT_EQ(error_in(text), message);
  }
}

TEST(Config, AllMistakesAreToldAtOnce) {
  const auto result = parse_config("dataDir=/d\na=1\nb=2\n", "zoo.cfg");
  EXPECT_EQ(std::get<ConfigErrors>(result).size(), 2U);
}

TEST(Config, AMessageShowsNoControlCharactersAndNoEndlessLine) {
  EXPECT_EQ(error_in("\x1b[2J=1").find('\x1b'), std::string::npos);
  EXPECT_LT(error_in(std::string(4000, 'x') + "=1").size(), 200U);
  EXPECT_LT(error_in(std::string(100'000, 'x')).size(), 200U);
}

TEST(Config, SurvivesWhateverAFileMayHold) {
  const std::string valid = "dataDir=/d\nclientPort=2181\ntickTime=2000\nmaxClientCnxns=60\n";
  for (const auto& text : test::mutations_of(replication::bytes_of(valid), 7, 5000)) {
    const auto result = parse_config(replication::text_of(text), "f");
    if (const auto* errors = std::get_if<ConfigErrors>(&result)) {
      EXPECT_FALSE(errors->empty());
    } else {
      EXPECT_FALSE(std::get<Config>(result).data_directory.empty());
    }
  }
}

TEST(Config, AFileThatCannotBeReadIsNamed) {
  const test::TemporaryDirectory directory;
  const auto absent = read_config(directory.at("zoo.cfg"));
  EXPECT_EQ(std::get<ConfigErrors>(absent).front(),
            directory.at("zoo.cfg") +
                ": cannot be read: No such file or directory (give the path of a configuration "
                "file)");
  EXPECT_TRUE(std::holds_alternative<ConfigErrors>(read_config(directory.path())));
}

TEST(Config, AFileIsReadAsItsText) {
  const test::TemporaryDirectory directory;
  std::ofstream(directory.at("zoo.cfg")) << "dataDir=/d\nclientPort=3";
  const auto result = read_config(directory.at("zoo.cfg"));
  ASSERT_TRUE(std::holds_alternative<Config>(result));
  EXPECT_EQ(std::get<Config>(result).client_port, 3);
  EXPECT_EQ(std::get<Config>(result).text, "dataDir=/d\nclientPort=3");
}

}  // namespace
}  // namespace zabfs::daemon
