// reconfigured(): what operators may ask for, and what they get.
#include "replication/pipeline/reconfiguration.hpp"

#include <gtest/gtest.h>

#include <variant>

#include "replication/model/ensemble_text.hpp"

namespace zabfs::replication::pipeline {
namespace {

constexpr const char* trio =
    "server.1=a:1:2:participant;0.0.0.0:3\nserver.2=b:1:2:participant;0.0.0.0:3\n"
    "server.3=c:1:2:participant;0.0.0.0:3\n";

Ensemble ensemble_of(const std::string& text) { return std::get<Ensemble>(parse_ensemble(text)); }

// The text without its version, or the error's number.
std::string outcome(const WantedServers& wanted, const std::string& from = trio,
                    std::size_t voters_min = 2) {
  const auto next = reconfigured(ensemble_of(from + "version=100000001"), wanted, voters_min);
  if (!next) {
    return std::to_string(static_cast<int>(next.error()));
  }
  const std::string text = to_text(*next);
  return text.substr(0, text.rfind("version=0"));
}

TEST(Reconfiguration, AddsChangesAndRemoves) {
  EXPECT_EQ(outcome({.joining = "server.4=d:1:2;3"}),
            std::string(trio) + "server.4=d:1:2:participant;0.0.0.0:3\n");
  EXPECT_EQ(outcome({.leaving = "3"}),
            std::string(trio).substr(0, std::string(trio).find("server.3")));
  EXPECT_EQ(outcome({.joining = "server.3=x:7:8:observer;9", .leaving = "1"}, trio, 1),
            "server.2=b:1:2:participant;0.0.0.0:3\nserver.3=x:7:8:observer;0.0.0.0:9\n");
}

TEST(Reconfiguration, ReplacesAll) {
  EXPECT_EQ(outcome({.joining = "nonsense", .new_members = "server.1=x:1:2;3,server.9=y:1:2;3"}),
            "server.1=x:1:2:participant;0.0.0.0:3\nserver.9=y:1:2:participant;0.0.0.0:3\n");
  EXPECT_EQ(outcome({.new_members = "server.1=x:1:2;3\nserver.9=y:1:2;3\nversion=77"}),
            "server.1=x:1:2:participant;0.0.0.0:3\nserver.9=y:1:2:participant;0.0.0.0:3\n");
}

TEST(Reconfiguration, NobodyNeedsToBeThereToLeave) {
  EXPECT_EQ(outcome({.leaving = "77"}), trio);
  EXPECT_EQ(outcome({}), trio);
}

TEST(Reconfiguration, RefusesWhatCannotBe) {
  for (const WantedServers& wanted : std::vector<WantedServers>{
           {.joining = "server.4=d:1"},    // two ports are missing
           {.joining = "server.4=d:1:2"},  // the clients' port is
           {.joining = "4=d:1:2;3"},
           {.joining = "server.4=d:1:1;3"},  // one port twice
           {.joining = "server.4=a:1:9;3"},  // server 1 is there
           {.joining = "server.4=a:9:2;3"},
           {.joining = "server.300=d:1:2;3"},
           {.leaving = "x"},
           {.leaving = "server.1"},
           {.leaving = "1,2"},  // too few voters are left
           {.leaving = "1,2,3"},
           {.new_members = "server.1=x:1:2;3"},
           {.new_members = "server.1=x:1:2:observer;3,server.2=y:1:2:observer;3"},
           {.new_members = "nonsense"}}) {
    EXPECT_EQ(outcome(wanted), "-8") << wanted.joining << '|' << wanted.leaving;
  }
  EXPECT_NE(outcome({.leaving = "1,2"}, trio, 1), "-8");
}

TEST(Reconfiguration, ChangesGroupsOnlyAsAWhole) {
  const std::string grouped = std::string(trio) + "group.1=1:2:3\n";
  EXPECT_EQ(outcome({.leaving = "3"}, grouped), "-8");
  EXPECT_EQ(outcome({.new_members = trio}, grouped), trio);
}

}  // namespace
}  // namespace zabfs::replication::pipeline
