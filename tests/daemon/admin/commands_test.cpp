#include "daemon/admin/commands.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "daemon/admin/figures.hpp"
#include "daemon/admin/prometheus_text.hpp"
#include "replication/model/limits.hpp"
#include "tests/daemon/admin/fake_subject.hpp"

namespace zabfs::daemon::admin {
namespace {

namespace json = boost::json;

class CommandsTest : public testing::Test {
 protected:
  HttpReply answer(const HttpRequest& request) {
    std::optional<HttpReply> answered;
    commands_.answer(request, subject_, [&](HttpReply reply) { answered = std::move(reply); });
    return answered.value_or(HttpReply{.status = 0});
  }

  json::object ask(const std::string& command,
                   std::vector<std::pair<std::string, std::string>> parameters = {}) {
    const auto reply =
        answer({.path = "/commands/" + command, .parameters = std::move(parameters)});
    EXPECT_EQ(reply.status, 200U);
    EXPECT_EQ(reply.type, "application/json");
    return json::parse(reply.body).as_object();
  }

  FakeSubject subject_;
  Commands commands_{"/commands"};
};

TEST_F(CommandsTest, EveryAnswerNamesItsCommandAndItsError) {
  subject_.add_client({1}, {0x10}, "/a");
  for (const auto& [asked, name] :
       std::map<std::string, std::string>{{"conf", "configuration"},
                                          {"config", "configuration"},
                                          {"cons", "connections"},
                                          {"dirs", "dirs"},
                                          {"dump", "dump"},
                                          {"envi", "environment"},
                                          {"env", "environment"},
                                          {"gtmk", "get_trace_mask"},
                                          {"hash", "hash"},
                                          {"icfg", "initial_configuration"},
                                          {"isro", "is_read_only"},
                                          {"lsnp", "last_snapshot"},
                                          {"mntr", "monitor"},
                                          {"obsr", "observers"},
                                          {"orst", "observer_connection_stat_reset"},
                                          {"ruok", "ruok"},
                                          {"srvr", "server_stats"},
                                          {"stat", "stats"},
                                          {"srst", "stat_reset"},
                                          {"crst", "connection_stat_reset"},
                                          {"sysp", "system_properties"},
                                          {"voting_view", "voting_view"},
                                          {"wchs", "watch_summary"},
                                          {"wchc", "watches"},
                                          {"wchp", "watches_by_path"},
                                          {"zabstate", "zabstate"}}) {
    const auto answer = ask(asked);
    EXPECT_EQ(answer.at("command").as_string(), name) << asked;
    EXPECT_TRUE(answer.at("error").is_null()) << asked;
  }
}

TEST_F(CommandsTest, MistakesAreSaid) {
  EXPECT_EQ(ask("nonsense").at("error").as_string(), "Unknown command: nonsense");
  EXPECT_EQ(ask("leader").at("error").as_string(), "server is not initialized");
  EXPECT_EQ(ask("stmk").at("error").as_string(), "setTraceMask requires long traceMask argument");
  EXPECT_EQ(ask("stmk", {{"traceMask", "7x"}}).at("command").as_string(), "set_trace_mask");
  EXPECT_EQ(ask("stmk", {{"traceMask", "7"}}).at("tracemask").as_int64(), 7);
  EXPECT_EQ(ask("gtmk").at("tracemask").as_int64(), 7);
  subject_.facts_.replica.serving = false;
  EXPECT_EQ(ask("stats").at("error").as_string(),
            "This ZooKeeper instance is not currently serving requests");
  EXPECT_TRUE(ask("ruok").at("error").is_null());
}

TEST_F(CommandsTest, TheIndexLeadsToEachCommand) {
  const auto page = answer({.path = "/commands"});
  EXPECT_NE(page.body.find("<a href=\"/commands/monitor\">monitor</a>"), std::string::npos);
  EXPECT_NE(page.body.find("/commands/snapshot\">snapshot</a>"), std::string::npos);
  EXPECT_EQ(answer({.path = "/elsewhere"}).status, 404U);
}

TEST_F(CommandsTest, WatchesAreFoundBySessionAndByPath) {
  subject_.add_client({1}, {0x10}, "/a");
  EXPECT_EQ(json::serialize(ask("wchc").at("session_id_to_watched_paths")), R"({"16":["/a"]})");
  EXPECT_EQ(json::serialize(ask("wchp").at("path_to_session_ids")), R"({"/a":[16]})");
}

TEST_F(CommandsTest, ALongListIsRefused) {
  subject_.add_client({1}, {0x10}, "/a");
  for (std::size_t i = 0; i < replication::limits::operator_entries_max; ++i) {
    subject_.watches_.add(replication::tree::WatchKind::data, {1}, "/n" + std::to_string(i));
  }
  EXPECT_TRUE(ask("wchc").at("error").as_string().starts_with("There are 20001 watches"));
}

TEST(Query, PairsAreDecoded) {
  const auto pairs = parse_query("a=1&b=%2Fx+y&&c&=d&e=%zz%4");
  ASSERT_EQ(pairs.size(), 5U);
  EXPECT_EQ(pairs[1], std::pair(std::string("b"), std::string("/x y")));
  EXPECT_EQ(pairs[2], std::pair(std::string("c"), std::string()));
  EXPECT_EQ(pairs[3], std::pair(std::string(), std::string("d")));
  EXPECT_EQ(pairs[4], std::pair(std::string("e"), std::string("%zz%4")));
}

TEST(PrometheusText, HasEveryMetricOnce) {
  FakeSubject subject;
  subject.metrics_.readlatency.add(1'500);
  const std::string text = prometheus_text(subject);
  EXPECT_NE(text.find("# TYPE znode_count gauge\nznode_count 5\n"), std::string::npos) << text;
  EXPECT_NE(text.find("# TYPE looking_count counter\nlooking_count 0\n"), std::string::npos);
  EXPECT_NE(text.find("# TYPE readlatency summary\nreadlatency_count 1\nreadlatency_sum 1.5\n"
                      "readlatency{quantile=\"0.5\"} 1.5\n"),
            std::string::npos)
      << text;
}

TEST(OperatingManual, NamesEveryMetric) {
  std::ifstream file(std::string(SOURCE_ROOT) + "/docs/operating.md");
  const std::string manual(std::istreambuf_iterator<char>(file), {});
  FakeSubject subject;
  subject.facts_.is_standalone = false;
  const auto expect_named = [&](std::string_view name) {
    EXPECT_NE(manual.find("`" + std::string(name) + "`"), std::string::npos) << name;
  };
  for (const Gauge& gauge : gauges(subject)) {
    expect_named(gauge.name);
  }
  for (const auto* counter : subject.metrics_.counters()) {
    expect_named(counter->name());
  }
  for (const auto* one : subject.metrics_.distributions()) {
    expect_named(one->name());
  }
}

}  // namespace
}  // namespace zabfs::daemon::admin
