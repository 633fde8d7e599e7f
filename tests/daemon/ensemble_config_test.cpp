#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "daemon/config.hpp"
#include "tests/support/hostile_bytes.hpp"
#include "tests/support/temporary_directory.hpp"

namespace zabfs::daemon {
namespace {

using replication::ServerId;

const std::string three =
    "server.1=127.0.0.1:2888:3888\nserver.2=127.0.0.1:2889\nserver.3=localhost:2890\n";

// What `text` says, which begins on line 2.
EnsembleConfig parsed(const std::string& text) {
  const auto result = parse_config("dataDir=/d\n" + text, "zoo.cfg");
  if (const auto* errors = std::get_if<ConfigErrors>(&result)) {
    ADD_FAILURE() << text << ": " << errors->front();
    return {};
  }
  return std::get<Config>(result).ensemble;
}

std::string only(const ConfigErrors& errors) {
  EXPECT_EQ(errors.size(), 1U);
  return errors.empty() ? "" : errors.front();
}

// The only error in `text`.
std::string error_in(const std::string& text) {
  const auto result = parse_config("dataDir=/d\n" + text, "zoo.cfg");
  const auto* errors = std::get_if<ConfigErrors>(&result);
  return errors == nullptr ? "none in " + text : only(*errors);
}

TEST(EnsembleConfig, WithoutServersThereIsNone) {
  EXPECT_TRUE(parsed("peerType=participant\nzabfs.allowUnauthenticatedPeers=true").members.empty());
}

TEST(EnsembleConfig, EveryFormOfAServerIsRead) {
  const std::pair<const char*, replication::Member> cases[] = {
      {"alpha:2888:3888", {.host = "alpha", .port = 2888, .election_port = 3888}},
      {"alpha:2888", {.host = "alpha", .port = 2888}},
      {"alpha:2888:3888:participant", {.host = "alpha", .port = 2888, .election_port = 3888}},
      {"alpha:2888:3888;0.0.0.0:2181",
       {.host = "alpha", .port = 2888, .election_port = 3888, .client_port = 2181}},
      {"alpha.example-1.org: 2888 : 3888 ; 10.0.0.1:2181",
       {.host = "alpha.example-1.org",
        .port = 2888,
        .election_port = 3888,
        .client_address = "10.0.0.1",
        .client_port = 2181}},
      {"[2001:db8::2]:2888:3888;[::1]:0",
       {.host = "2001:db8::2",
        .port = 2888,
        .election_port = 3888,
        .client_address = "::1",
        .client_port = 0}},
  };
  for (auto [text, expected] : cases) {
    expected.id = ServerId{7};
    const auto ensemble = parsed("server.7=" + std::string(text));
    ASSERT_TRUE(ensemble.members.contains(ServerId{7})) << text;
    EXPECT_EQ(ensemble.members.at(ServerId{7}), expected) << text;
  }
  for (const char* observer : {"b:2:3:OBSERVER", "b:2:observer", "b:2:3:observer;2181"}) {
    const auto ensemble = parsed(
        "zabfs.allowUnauthenticatedPeers=true\nzabfs.allowPlaintextPeers=true\n"
        "server.1=a:1\nserver.2=" +
        std::string(observer));
    EXPECT_TRUE(ensemble.members.at(ServerId{2}).is_observer) << observer;
    EXPECT_FALSE(ensemble.members.at(ServerId{1}).is_observer);
  }
}

TEST(EnsembleConfig, GroupsWeightsAndTimesArrive) {
  const auto ensemble =
      parsed(three +
             "group.1=1:2\ngroup.5= 3\nweight.2=0\nweight.3=7\n"
             "initLimit=3\nsyncLimit=2\ntickTime=100\nzabfs.peerTimeout=50\n"
             "electionAlg=3\nzabfs.peerSecretFile=/s\nzabfs.allowPlaintextPeers=true\n"
             "quorumListenOnAllIPs=True");
  EXPECT_EQ(ensemble.groups, (std::map<std::int64_t, std::vector<ServerId>>{
                                 {1, {ServerId{1}, ServerId{2}}}, {5, {ServerId{3}}}}));
  EXPECT_EQ(ensemble.members.at(ServerId{1}).weight, 1U);
  EXPECT_EQ(ensemble.members.at(ServerId{2}).weight, 0U);
  EXPECT_EQ(ensemble.members.at(ServerId{3}).weight, 7U);
  EXPECT_EQ(ensemble.init_ms, 300);
  EXPECT_EQ(ensemble.sync_ms, 200);
  EXPECT_EQ(ensemble.peer_timeout_ms, 50);
  EXPECT_EQ(ensemble.secret_file, "/s");
  EXPECT_TRUE(ensemble.listens_on_all_addresses);
}

TEST(EnsembleConfig, AMistakeInALineIsNamed) {
  const std::string form = "host:port[:electionPort][:participant|observer][;[address:]clientPort]";
  const std::pair<std::string, std::string> cases[] = {
      {"server.255=h:1", "'server.255' is not 'server.' and a number from 1 to 254"},
      {"server.x=h:1", "'server.x' is not 'server.' and a number from 1 to 254"},
      {"server.=h:1", "'server.' is not 'server.' and a number from 1 to 254"},
      {"server.1=h:1:2|i:1:2",
       "server.1: several addresses for one server ('|') are not supported (give the one that "
       "every other server can reach)"},
      {"server.1=h",
       "server.1: 'h' is not of the form " + form + " (an IPv6 address stands in brackets)"},
      {"server.1=::1:2888",
       "server.1: '::1:2888' is not of the form " + form + " (an IPv6 address stands in brackets)"},
      {"server.1=[::1]",
       "server.1: '[::1]' is not of the form " + form + " (an IPv6 address stands in brackets)"},
      {"server.1=[h]:1",
       "server.1: '[h]:1' is not of the form " + form + " (an IPv6 address stands in brackets)"},
      {"server.1=h:observer", "server.1: the address is not of the form " + form},
      {"server.1=h:1:2:3", "server.1: the address is not of the form " + form},
      {"server.1=h:0", "server.1: '0' is not a port from 1 to 65535 (the form is " + form + ")"},
      {"server.1=h:1:70000",
       "server.1: '70000' is not a port from 1 to 65535 (the form is " + form + ")"},
      {"server.1=h:1:2:leader", "server.1: the address is not of the form " + form},
      {"server.1=h:1;x", "server.1: 'x' is not a number from 0 to 65535"},
      {"server.1=h:1;:5", "server.1: ':5' is not of the form [address:]clientPort"},
      {"group.1=1:x",
       "group.1: 'x' is not a number from 1 to 254 (write the servers' numbers with colons between "
       "them)"},
      {"weight.1=-1", "weight.1: '-1' is not a number from 0 to 1000000000"},
      {"electionAlg=1",
       "electionAlg: '1' is no algorithm of this version (3 is the only one; "
       "remove the line)"},
      {"peerType=leader",
       "peerType: 'leader' is no type of server (write participant or observer)"},
      {"peerType=observer",
       "peerType: without a line server.N there is nothing to observe (add the ensemble's lines, "
       "or remove this one)"},
      {"quorumListenOnAllIPs=1", "quorumListenOnAllIPs: '1' is neither true nor false"},
      {"zabfs.peerTimeout=49", "zabfs.peerTimeout: '49' is not a number from 50 to 2147483647"},
      {"zabfs.peerSecretFile=",
       "zabfs.peerSecretFile: the file's name is missing (write the path behind the '=')"},
  };
  for (const auto& [text, message] : cases) {
    EXPECT_EQ(error_in(text), "zoo.cfg:2: " + message);
  }
  EXPECT_EQ(error_in("server.1=h:1\nserver.01=h:2"),
            "zoo.cfg:3: server.1 is given a second time, after line 2 (remove one of the two)");
}

TEST(EnsembleConfig, LinesThatContradictEachOtherAreNamed) {
  const std::pair<std::string, std::string> cases[] = {
      {"group.1=1:2:4\ngroup.2=3", "5: group.1: there is no server.4"},
      {"group.1=1:2\ngroup.2=2:3",
       "6: group.2: server.2 is in group.1 already (a server is in one group)"},
      {"group.1=1:2",
       "4: server.3: is in no group (where there are groups, every voter is in one)"},
      {"weight.4=1", "5: weight.4: there is no server.4"},
      {"weight.1=0\nweight.2=0\nweight.3=0",
       "2: server.1: no server has a vote (an ensemble needs a participant whose weight is not "
       "0)"},
      {"server.4=LOCALHOST:2890",
       "5: server.4: has the address of server.3, line 4 (every server needs its own)"},
  };
  for (const auto& [text, message] : cases) {
    EXPECT_EQ(error_in(three + text), "zoo.cfg:" + message);
  }
}

TEST(EnsembleConfig, WithoutASecretOnlyThisMachineIsTrusted) {
  const std::string remedy =
      "without a secret anybody who can connect could change the data (write a secret into a file "
      "and give it with zabfs.peerSecretFile, or say zabfs.allowUnauthenticatedPeers=true)";
  EXPECT_EQ(error_in("server.1=[::1]:1\nserver.2=10.0.0.1:1"),
            "zoo.cfg:3: server.2: '10.0.0.1' is no loopback address, and " + remedy);
  EXPECT_EQ(error_in("server.1=[::1]:1\nserver.2=alpha:1"),
            "zoo.cfg:3: server.2: 'alpha' is no loopback address, and " + remedy);
  EXPECT_EQ(error_in(three + "quorumListenOnAllIPs=true"),
            "zoo.cfg:5: quorumListenOnAllIPs: " + remedy);
  EXPECT_EQ(error_in(three + "reconfigEnabled=true"),
            "zoo.cfg:5: reconfigEnabled: servers on other machines can be added, and " + remedy);
  for (const char* permission :
       {"zabfs.allowUnauthenticatedPeers=true\n", "zabfs.peerSecretFile=/s\n"}) {
    const std::string text = permission + std::string("server.1=a:1\nserver.2=b:1");
    EXPECT_EQ(parsed("zabfs.allowPlaintextPeers=true\n" + text).members.size(), 2U);
    EXPECT_EQ(error_in(text),
              "zoo.cfg:3: server.1: 'a' is no loopback address, and without TLS anybody on the way "
              "could read and change what the servers say (say sslQuorum=true and with which "
              "certificates, or, on a network of their own, zabfs.allowPlaintextPeers=true)");
  }
  EXPECT_EQ(parsed("server.1=alone:1").members.size(), 1U);
}

// Certificates say who the servers are, too.
TEST(EnsembleConfig, WithTlsTheServersNeedNothingElse) {
  const std::string encrypted =
      "sslQuorum=true\nssl.quorum.keyStore.location=k.pem\nssl.quorum.trustStore.location=t.pem\n";
  const std::string servers = "server.1=a:1\nserver.2=b:1\n";
  EXPECT_EQ(parsed(encrypted + servers).members.size(), 2U);
  EXPECT_NE(error_in(encrypted + "ssl.quorum.clientAuth=want\n" + servers).find("without a secret"),
            std::string::npos);
}

// A configuration in a file, beside the files that it leads to.
class EnsembleFiles : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(directory_.at(name)) << text;
    std::filesystem::permissions(directory_.at(name), std::filesystem::perms::owner_read |
                                                          std::filesystem::perms::owner_write);
    return directory_.at(name);
  }

  std::variant<Config, ConfigErrors> read(const std::string& text) {
    return read_config(write("zoo.cfg", "dataDir=" + directory_.path().string() + "\n" + text));
  }

  // What is wrong with `text`, without the directory's name.
  std::string error(const std::string& text) {
    const auto result = read(text);
    const auto* errors = std::get_if<ConfigErrors>(&result);
    std::string shown = errors == nullptr ? "none" : only(*errors);
    const std::string path = directory_.path().string() + "/";
    for (auto at = shown.find(path); at != shown.npos; at = shown.find(path)) {
      shown.erase(at, path.size());
    }
    return shown;
  }

  test::TemporaryDirectory directory_;
};

TEST_F(EnsembleFiles, MyidSaysWhichServerThisIs) {
  EXPECT_EQ(error(three),
            "myid: cannot be read: No such file or directory (write into it which "
            "server this is: 1 if it is server.1)");
  write("myid", " 2 \r\n");
  const auto result = read(three);
  ASSERT_TRUE(std::holds_alternative<Config>(result));
  EXPECT_EQ(std::get<Config>(result).ensemble.self, ServerId{2});
  write("myid", "4\n");
  EXPECT_EQ(error(three), "myid:1: there is no server.4 in zoo.cfg (change one of the two)");
  for (const char* garbage : {"", "two", "0", "255", "1 2", "1\n2"}) {
    write("myid", garbage);
    EXPECT_TRUE(error(three).ends_with(
        "is not a number from 1 to 254 (it says which server this is: 1 if it is server.1)"))
        << error(three);
  }
  write("myid", std::string(100, '1'));
  EXPECT_TRUE(error(three).starts_with("myid: is longer than 64 bytes")) << error(three);
}

TEST_F(EnsembleFiles, OneReplicaNeedsNoMyid) {
  EXPECT_TRUE(std::holds_alternative<Config>(read("")));
  const auto result = read("server.9=alone:2888:3888");
  ASSERT_TRUE(std::holds_alternative<Config>(result));
  EXPECT_EQ(std::get<Config>(result).ensemble.self, ServerId{9});
}

TEST_F(EnsembleFiles, TheServersMayStandInAFileOfTheirOwn) {
  write("myid", "1");
  const std::string path = write("zoo.cfg.dynamic.100000003",
                                 "server.1=127.0.0.1:2:3:participant;0.0.0.0:2181\r\n"
                                 "# and another\n"
                                 "server.2=127.0.0.2:2:3:observer;2182\nversion=100000003\n");
  const auto result = read(
      "reconfigEnabled=true\nzabfs.allowUnauthenticatedPeers=true\n"
      "zabfs.allowPlaintextPeers=true\ndynamicConfigFile=" +
      path);
  ASSERT_TRUE(std::holds_alternative<Config>(result));
  const auto& config = std::get<Config>(result);
  EXPECT_EQ(config.ensemble.members.size(), 2U);
  EXPECT_TRUE(config.ensemble.members.at(ServerId{2}).is_observer);
  EXPECT_EQ(config.client_port, 2181);
}

TEST_F(EnsembleFiles, AFileOfServersThatIsWrongIsRefused) {
  write("myid", "1");
  const std::string path = write("servers", "server.1=127.0.0.1:1\nclientPort=2181\n");
  const std::string text = "dynamicConfigFile=" + path;
  const auto place = [&](const std::string& what) { return what.substr(0, what.find(": ")); };
  EXPECT_TRUE(error(text).starts_with("servers:2: 'clientPort' is not about servers"))
      << error(text);
  write("servers", "server.1=127.0.0.1\n");
  EXPECT_EQ(place(error(text)), "servers:1");
  write("servers", "server.1=127.0.0.1:1\nserver.1=127.0.0.2:1\n");
  EXPECT_EQ(place(error(text)), "servers:2");
  write("servers", "server.1=127.0.0.1:1\n");
  EXPECT_EQ(error(text), "none");
  EXPECT_TRUE(error("server.2=127.0.0.1:2\n" + text).find("let all servers stand in one") !=
              std::string::npos);
  write("servers", std::string(300 << 10, '#'));
  EXPECT_TRUE(error(text).find("is longer than") != std::string::npos) << error(text);
  EXPECT_TRUE(error("dynamicConfigFile=/dev/null").find("is not a file") != std::string::npos);
}

TEST_F(EnsembleFiles, TheSecretIsReadWithoutItsLineEnd) {
  write("myid", "1");
  const std::string path = write("secret", "0123456789abcdef\n");
  const auto result = read(three + "zabfs.peerSecretFile=" + path);
  ASSERT_TRUE(std::holds_alternative<Config>(result));
  EXPECT_EQ(replication::text_of(std::get<Config>(result).ensemble.secret), "0123456789abcdef");
}

TEST_F(EnsembleFiles, ASecretThatIsNoneIsRefused) {
  write("myid", "1");
  const std::string path = write("secret", "0123456789abcde\n");
  const std::string text = three + "zabfs.peerSecretFile=" + path;
  EXPECT_EQ(error(text),
            "secret: the secret has 15 bytes, and needs 16 (make one with: openssl rand -base64 "
            "32)");
  write("secret", std::string(5000, 's'));
  EXPECT_EQ(error(text),
            "secret: is longer than 4096 bytes (zabfs.peerSecretFile names a file with "
            "a secret)");
  EXPECT_EQ(error(three + "zabfs.peerSecretFile=" + directory_.at("absent")),
            "absent: cannot be read: No such file or directory (zabfs.peerSecretFile names a file "
            "with a secret)");
  EXPECT_EQ(error(three + "zabfs.peerSecretFile=/dev/null"),
            "/dev/null: is not a file (zabfs.peerSecretFile names a file with a secret)");
}

TEST_F(EnsembleFiles, ASecretThatOthersMayReadIsRefused) {
  using std::filesystem::perms;
  write("myid", "1");
  const std::string path = write("secret", "0123456789abcdef");
  const std::string text = three + "zabfs.peerSecretFile=" + path;
  for (const auto given : {perms::others_read, perms::others_write, perms::group_write}) {
    std::filesystem::permissions(path, perms::owner_read | given);
    EXPECT_EQ(error(text),
              "secret: others may read or change this secret (chmod 600 secret, and write a new "
              "secret into it on every server)");
  }
  std::filesystem::permissions(path, perms::owner_read | perms::group_read);
  EXPECT_EQ(error(text), "none");
}

TEST_F(EnsembleFiles, AClientPortIsTakenFromEitherPlaceButNotFromBoth) {
  write("myid", "2");
  const auto port_of = [&](const std::string& text) {
    const auto result = read(text);
    const auto* config = std::get_if<Config>(&result);
    return config == nullptr ? -1 : config->client_port;
  };
  const std::string own = "server.1=[::1]:1;5\nserver.2=[::1]:2;[::1]:7\n";
  EXPECT_EQ(port_of(own), 7);
  EXPECT_EQ(port_of("clientPort=7\nclientPortAddress=::1\n" + own), 7);
  EXPECT_EQ(port_of("clientPort=6\nserver.1=[::1]:1;5\nserver.2=[::1]:2\n"), 6);
  EXPECT_EQ(error("clientPort=6\n" + own),
            "zoo.cfg:4: clientPort on line 2 contradicts server.2 on line 4 (remove one of the "
            "two)");
  EXPECT_EQ(error(own + "clientPortAddress=127.0.0.1\n"),
            "zoo.cfg:4: clientPortAddress on line 4 contradicts server.2 on line 3 (remove one of "
            "the two)");
}

TEST_F(EnsembleFiles, PeerTypeMustAgreeWithTheServersOwnLine) {
  write("myid", "2");
  const std::string observer = "server.1=[::1]:1\nserver.2=[::1]:2:3:observer\n";
  EXPECT_EQ(error(observer + "peerType=observer"), "none");
  EXPECT_EQ(error(observer + "peerType=participant"),
            "zoo.cfg:4: peerType on line 4 contradicts server.2 on line 3 (every server must read "
            "the same: let the line of the server say whether it is an observer)");
}

TEST(EnsembleConfig, SurvivesWhateverALineMayHold) {
  const std::string valid =
      "dataDir=/d\nserver.1=[::1]:2888:3888:observer;[::1]:2181\nserver.2=localhost:1\n"
      "group.1=2\nweight.2=3\nzabfs.peerTimeout=100\n";
  for (const auto& text : test::mutations_of(replication::bytes_of(valid), 7, 5000)) {
    const auto result = parse_config(replication::text_of(text), "f");
    if (const auto* errors = std::get_if<ConfigErrors>(&result)) {
      EXPECT_FALSE(errors->empty());
    }
  }
}

}  // namespace
}  // namespace zabfs::daemon
