#include "daemon/peers/mesh.hpp"

#include "replication/model/limits.hpp"
#include "tests/daemon/peers/mesh_world.hpp"

namespace zabfs::daemon::peers {
namespace {

using replication::Bytes;
using replication::ServerId;
using test::LoopbackClient;
using test::MeshNode;
using test::RawListener;
using test::RawPeer;
namespace limits = replication::limits;

constexpr ServerId one{1};
constexpr ServerId two{2};
constexpr ServerId three{3};

Bytes frame(std::string_view payload) {
  Bytes out;
  const auto start = replication::protocol::begin_peer_frame(out);
  out.insert(out.end(), payload.begin(), payload.end());
  replication::protocol::end_peer_frame(out, start);
  return out;
}

class PeerMesh : public test::MeshTest {};

TEST_F(PeerMesh, EveryPairHasOneLink) {
  for (const int id : {1, 2, 3}) {
    add(id);
  }
  ASSERT_TRUE(until([&] { return are_linked(1, 2) && are_linked(1, 3) && are_linked(2, 3); }));
  for (const auto& [id, node] : nodes_) {
    for (const auto& [peer, ups] : node->ups) {
      EXPECT_EQ(ups, 1) << id << " " << peer;
      EXPECT_TRUE(node->mesh.is_up(peer));
    }
    EXPECT_TRUE(node->downs.empty());
  }
}

TEST_F(PeerMesh, FramesArriveInOrderAndBothWays) {
  add(1);
  add(2);
  ASSERT_TRUE(until([&] { return are_linked(1, 2); }));
  std::vector<std::string> sent;
  for (std::size_t i = 0; i < 2000; ++i) {
    sent.push_back(std::string(i * i % 3000, static_cast<char>('a' + i % 26)));
  }
  sent.push_back(std::string(limits::peer_frame_bytes_max, 'z'));
  sent.emplace_back("the end");
  for (const auto& payload : sent) {
    node(1).send(two, payload);
    node(2).send(one, payload);
  }
  ASSERT_TRUE(until([&] {
    return node(1).frames[two].size() == sent.size() && node(2).frames[one].size() == sent.size();
  }));
  EXPECT_EQ(node(1).frames[two], sent);
  EXPECT_EQ(node(2).frames[one], sent);
  EXPECT_EQ(node(1).mesh.unsent(two), 0U);
}

TEST_F(PeerMesh, ADroppedLinkComesBackWhoeverDropsIt) {
  add(1);
  add(2);
  ASSERT_TRUE(until([&] { return are_linked(1, 2); }));
  for (const int dropper : {1, 2}) {
    const int other = 3 - dropper;
    const ServerId peer{other};
    const ServerId self{dropper};
    node(dropper).send(peer, "never sent");
    node(dropper).drop(peer);
    EXPECT_EQ(node(dropper).mesh.unsent(peer), 0U);
    const auto downs = node(other).downs[self];
    const auto own_downs = node(dropper).downs[peer];
    ASSERT_TRUE(until([&] { return node(other).downs[self] == downs + 1; }));
    ASSERT_TRUE(until([&] { return are_linked(1, 2); }));
    EXPECT_EQ(node(dropper).downs[peer], own_downs);
  }
  EXPECT_EQ(node(1).ups[two], 3);
  node(1).send(two, "again");
  ASSERT_TRUE(until([&] { return !node(2).frames[one].empty(); }));
  EXPECT_EQ(node(2).frames[one], std::vector<std::string>{"again"});
}

TEST_F(PeerMesh, WhoDropsALinkHearsNothingMoreOfIt) {
  add(1);
  RawPeer raw(context_, ports_[1], options(3));
  ASSERT_TRUE(raw.shakes_hands_with(one));
  Bytes burst = frame("drop me");
  const Bytes unheard = frame("unheard");
  burst.insert(burst.end(), unheard.begin(), unheard.end());
  ASSERT_TRUE(raw.client.send(burst));
  EXPECT_TRUE(raw.client.sees_the_end());
  EXPECT_EQ(node(1).frames[three], std::vector<std::string>{"drop me"});
  EXPECT_EQ(node(1).downs[three], 0);
}

TEST_F(PeerMesh, AServerThatReturnsIsLinkedAgain) {
  add(1);
  add(2);
  add(3);
  ASSERT_TRUE(until([&] { return are_linked(1, 2) && are_linked(1, 3); }));
  node(1).mesh.stop();
  EXPECT_TRUE(node(1).downs.empty()) << "whoever stops is told nothing";
  ASSERT_TRUE(until([&] { return node(2).downs[one] == 1 && node(3).downs[one] == 1; }));
  context_.restart();
  context_.poll();
  auto again = options(1);
  again.listen.port = ports_[1];
  add(again);
  EXPECT_TRUE(until([&] { return are_linked(1, 2) && are_linked(1, 3); }));
  EXPECT_TRUE(are_linked(2, 3));
}

TEST_F(PeerMesh, ANameIsLookedUp) {
  add(1);
  auto named = options(2);
  named.others[one].host = "localhost";
  add(named);
  EXPECT_TRUE(until([&] { return are_linked(1, 2); }));
}

TEST_F(PeerMesh, AnotherSecretIsRefusedOnBothSides) {
  add(1);
  auto other = options(2);
  other.secret = Bytes(16, 'x');
  add(other);
  EXPECT_TRUE(until([&] {
    return node(1).has_logged("says that it is server 2 and does not know the secret") &&
           node(2).has_logged("ended the handshake (its log says why");
  }));
  EXPECT_TRUE(node(1).ups.empty() && node(2).ups.empty());
}

TEST_F(PeerMesh, AnotherVersionOrEnsembleIsNamedOnBothSides) {
  add(1);
  auto newer = options(2);
  newer.version = 2;
  add(newer);
  auto larger = options(3);
  larger.membership = "servers 1, 2, 3 and 4";
  add(larger);
  EXPECT_TRUE(until([&] {
    return node(1).has_logged("speaks version 2 of the protocol between servers") &&
           node(2).has_logged("speaks version 1 of the protocol between servers");
  }));
  EXPECT_TRUE(until([&] {
    return node(3).has_logged("says that it is server 1 and was given another ensemble");
  }));
  EXPECT_TRUE(node(1).ups.empty() && node(2).ups.empty() && node(3).ups.empty());
}

TEST_F(PeerMesh, AnUnknownServerIsRefused) {
  add(1);
  auto stranger = options(3);
  stranger.self = {4};
  RawPeer raw(context_, ports_[1], stranger);
  EXPECT_FALSE(raw.shakes_hands_with(one));
  EXPECT_TRUE(node(1).has_logged("says that it is server 4, which is not in the configuration"));
}

TEST_F(PeerMesh, ADamagedOrEndlessFrameEndsTheLink) {
  add(1);
  Bytes damaged = frame("payload");
  damaged.back() ^= 1U;
  int downs = 0;
  for (const auto& bytes : {damaged, Bytes{0xff, 0xff, 0xff, 0xff}}) {
    RawPeer raw(context_, ports_[1], options(3));
    ASSERT_TRUE(raw.shakes_hands_with(one));
    ASSERT_TRUE(raw.client.send(frame("whole")));
    raw.client.send(bytes);
    EXPECT_TRUE(raw.client.sees_the_end());
    EXPECT_EQ(node(1).downs[three], ++downs);
  }
  EXPECT_EQ(node(1).frames[three], (std::vector<std::string>{"whole", "whole"}));
  EXPECT_TRUE(node(1).has_logged("link to server 3 lost: it sent a damaged frame"));
  EXPECT_TRUE(node(1).has_logged("link to server 3 lost: it sent a frame longer than"));
}

TEST_F(PeerMesh, APeerThatTakesTooLittleLosesItsLink) {
  add(1);
  RawPeer raw(context_, ports_[1], options(3));
  ASSERT_TRUE(raw.shakes_hands_with(one));
  ASSERT_TRUE(until([&] { return node(1).up[three]; }));
  const std::string payload(limits::peer_frame_bytes_max, 'x');
  const std::size_t bound = limits::peer_outbox_bytes_max;
  while (node(1).up[three]) {
    ASSERT_LE(node(1).mesh.unsent(three), bound);
    node(1).send(three, payload);
    context_.restart();
    context_.poll();
  }
  EXPECT_EQ(node(1).downs[three], 1);
  EXPECT_TRUE(node(1).has_logged("link to server 3 lost: it takes too little"));
}

TEST_F(PeerMesh, ANewerLinkReplacesTheOlder) {
  add(1);
  RawPeer older(context_, ports_[1], options(3));
  ASSERT_TRUE(older.shakes_hands_with(one));
  RawPeer newer(context_, ports_[1], options(3));
  ASSERT_TRUE(newer.shakes_hands_with(one));
  EXPECT_TRUE(older.client.sees_the_end());
  EXPECT_EQ(node(1).ups[three], 2);
  EXPECT_EQ(node(1).downs[three], 1);
  ASSERT_TRUE(newer.client.send(frame("from the newer")));
  EXPECT_TRUE(until([&] { return node(1).frames[three].size() == 1; }));
}

TEST_F(PeerMesh, AnImpostorDisturbsNoLink) {
  add(1);
  RawPeer genuine(context_, ports_[1], options(3));
  ASSERT_TRUE(genuine.shakes_hands_with(one));
  auto guess = options(3);
  guess.secret = Bytes(16, 'x');
  RawPeer impostor(context_, ports_[1], guess);
  EXPECT_FALSE(impostor.shakes_hands_with(one));
  ASSERT_TRUE(genuine.client.send(frame("still here")));
  EXPECT_TRUE(until([&] { return node(1).frames[three].size() == 1; }));
  EXPECT_EQ(node(1).ups[three], 1);
}

TEST_F(PeerMesh, AStrangerWhoNeverSpeaksIsClosed) {
  add(1);
  LoopbackClient silent(context_, ports_[1]);
  EXPECT_TRUE(silent.sees_the_end());
  EXPECT_TRUE(node(1).has_logged("as a server: it did not finish the handshake in time"));
}

TEST_F(PeerMesh, AServerThatNeverAnswersIsTriedAgain) {
  RawListener silent(context_);
  ports_[1] = silent.port();
  add(2);
  auto first = silent.accept();
  EXPECT_TRUE(first.sees_the_end());
  EXPECT_TRUE(node(2).has_logged("did not finish the handshake in time"));
  auto second = silent.accept();
  EXPECT_EQ(second.take(92).size(), 92U);
}

TEST_F(PeerMesh, TheSameFailureIsToldOnce) {
  RawListener refusing(context_);
  ports_[1] = refusing.port();
  add(2);
  for (int i = 0; i < 6; ++i) {
    refusing.accept().close();
  }
  const std::string log = node(2).log.str();
  const auto told = log.find("no link to server 1 yet");
  EXPECT_NE(told, std::string::npos);
  EXPECT_EQ(log.find("no link to server 1 yet", told + 1), std::string::npos) << log;
}

TEST_F(PeerMesh, ManyStrangersKeepNoServerOut) {
  add(1);
  std::vector<std::unique_ptr<LoopbackClient>> strangers;
  for (std::size_t i = 0; i < limits::peer_strangers_max + 1; ++i) {
    strangers.push_back(std::make_unique<LoopbackClient>(context_, ports_[1]));
    context_.restart();
    context_.poll();
  }
  RawPeer raw(context_, ports_[1], options(3));
  EXPECT_TRUE(raw.shakes_hands_with(one));
  EXPECT_TRUE(strangers.front()->sees_the_end());
  EXPECT_TRUE(node(1).has_logged("too many strangers connect as servers"));
}

TEST_F(PeerMesh, OnePeerIsReadOnlySoMuchInATurn) {
  add(1);
  RawPeer raw(context_, ports_[1], options(3));
  ASSERT_TRUE(raw.shakes_hands_with(one));
  const std::string payload(1000, 'p');
  const Bytes unit = frame(payload);
  Bytes flood;
  for (int i = 0; i < 20'000; ++i) {
    flood.insert(flood.end(), unit.begin(), unit.end());
  }
  ASSERT_TRUE(raw.client.send(flood));
  ASSERT_TRUE(until([&] { return node(1).frames[three].size() == 20'000; }));
  EXPECT_LE(node(1).bytes_of_turn_max, limits::peer_read_bytes_max + payload.size());
}

TEST_F(PeerMesh, APortThatIsTakenIsNamed) {
  add(1);
  auto second = options(1);
  second.listen.port = ports_[1];
  MachineClock clock;
  MachineEntropy entropy;
  replication::Random random{1};
  Mesh mesh(context_, second,
            {.clock = clock,
             .entropy = entropy,
             .random = random,
             .logger = std::make_shared<spdlog::logger>("test")},
            node(1));
  EXPECT_EQ(mesh.listen(), "cannot listen for the other servers on 127.0.0.1 port " +
                               std::to_string(ports_[1]) +
                               ": Address already in use (stop the program that has this port, or "
                               "change this server's line server.N everywhere)");
}

}  // namespace
}  // namespace zabfs::daemon::peers
