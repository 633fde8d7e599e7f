// The text of a configuration: what ZooKeeper writes and reads, and what is none.
#include "replication/model/ensemble_text.hpp"

#include <gtest/gtest.h>

#include "replication/ports/random.hpp"

namespace zabfs::replication {
namespace {

std::string printed(std::string_view text) {
  const auto parsed = parse_ensemble(text);
  const auto* ensemble = std::get_if<Ensemble>(&parsed);
  return ensemble != nullptr ? to_text(*ensemble) : "none: " + std::get<std::string>(parsed);
}

TEST(EnsembleText, IsZooKeepers) {
  constexpr std::string_view text =
      "server.1=alpha:2888:3888:participant;0.0.0.0:2181\n"
      "server.2=10.0.0.2:2888:3888:observer;10.0.0.2:2182\n"
      "server.3=[2001:db8::3]:2888:3888:participant;[::1]:2181\n"
      "version=100000001";
  EXPECT_EQ(printed(text), text);
}

TEST(EnsembleText, IsCompletedAndSorted) {
  EXPECT_EQ(printed("server.10=b:1,server.9=a:2:OBSERVER;2181"),
            "server.9=a:2:observer;0.0.0.0:2181\nserver.10=b:1:participant\nversion=0");
  EXPECT_EQ(printed(""), "version=0");
  EXPECT_EQ(printed("# of no importance\n server.1 = a : 1 : 2 ; 3 \r\n"),
            "none: 'a : 1 : 2 ; 3' is not of the form "
            "host:port[:electionPort][:participant|observer][;[address:]clientPort] (an IPv6 "
            "address stands in brackets)");
}

TEST(EnsembleText, HasGroupsAndWeights) {
  constexpr std::string_view text =
      "server.1=a:1:2:participant\nserver.2=b:1:2:participant\nserver.3=c:1:2:participant\n"
      "group.1=1:2\ngroup.2=3\nweight.2=0\nweight.3=7\nversion=0";
  EXPECT_EQ(printed(text), text);
}

TEST(EnsembleText, SaysWhatIsWrong) {
  for (const std::string_view text : {"server.0=a:1",
                                      "server.255=a:1",
                                      "server.x=a:1",
                                      "server.1",
                                      "server.1=",
                                      "server.1=a",
                                      "server.1=a:0",
                                      "server.1=a:65536",
                                      "server.1=a:1:2:3",
                                      "server.1=a:1:leader",
                                      "server.1=a:1;",
                                      "server.1=a:1;b",
                                      "server.1=a:1;65536",
                                      "server.1=:1",
                                      "server.1=a b:1",
                                      "server.1=[::1:1",
                                      "server.1=[x]:1",
                                      "server.1=[1:2:3]:1",
                                      "server.1=[1::2::3]:1",
                                      "server.1=[1:2:3:4:5:6:7:8:9]:1",
                                      "server.1=[::1.2.3.256]:1",
                                      "server.1=a:1|b:2",
                                      "server.1=a:1\nserver.1=b:1",
                                      "server.1=a:1\nserver.01=b:1",
                                      "server.1=a:1\ngroup.1=2",
                                      "server.1=a:1\ngroup.1=1:1",
                                      "server.1=a:1\nserver.2=b:1\ngroup.1=1",
                                      "server.1=a:1\nweight.2=1",
                                      "server.1=a:1\nweight.1=-1",
                                      "version=x",
                                      "version=",
                                      "clientPort=2181",
                                      "="}) {
    EXPECT_TRUE(std::holds_alternative<std::string>(parse_ensemble(text))) << text;
  }
}

TEST(EnsembleText, IsSafeOnAnything) {
  constexpr std::string_view letters = "server.123=ab:[];,:\nversionweightgroup=|";
  Random chance(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string text = chance.below(2) == 0 ? "server.1=a:1;" : "";
    for (auto length = chance.below(40); length > 0; --length) {
      text += letters[chance.below(letters.size())];
    }
    const auto parsed = parse_ensemble(text);
    if (const auto* ensemble = std::get_if<Ensemble>(&parsed)) {
      EXPECT_EQ(printed(to_text(*ensemble)), to_text(*ensemble)) << text;
    }
  }
}

}  // namespace
}  // namespace zabfs::replication
