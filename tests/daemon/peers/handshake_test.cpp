#include "daemon/peers/handshake.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/hostile_bytes.hpp"

namespace zabfs::daemon::peers {
namespace {

using replication::Bytes;
using replication::bytes_of;
using replication::ByteView;
using replication::ServerId;
using State = Handshake::State;

constexpr std::size_t hello_bytes = 92;

Identity server(std::int64_t id, std::string_view secret = "secret of the servers") {
  Identity identity{.self = {id}, .membership = digest_of("servers 1, 2 and 3")};
  for (const std::int64_t other : {1, 2, 3}) {
    if (other != id) {
      identity.others.insert({other});
    }
  }
  identity.secret.assign(bytes_of(secret).begin(), bytes_of(secret).end());
  return identity;
}

Nonce nonce(std::uint8_t fill) {
  Nonce nonce{};
  nonce.fill(fill);
  return nonce;
}

// Both sides of a connection, which `dialer` makes to reach `wanted`, and what each has said.
struct Conversation {
  Conversation(const Identity& dialer_identity, const Identity& acceptor_identity,
               ServerId wanted = {1}, std::uint8_t fill = 1)
      : dialer(Handshake::to(dialer_identity, wanted, nonce(fill))),
        acceptor(Handshake::from_stranger(acceptor_identity,
                                          nonce(static_cast<std::uint8_t>(fill + 1)))) {
    dialer.begin(from_dialer);
    acceptor.begin(from_acceptor);
    for (int i = 0; i < 3; ++i) {
      at_acceptor += acceptor.take(ByteView(from_dialer).subspan(at_acceptor), from_acceptor);
      at_dialer += dialer.take(ByteView(from_acceptor).subspan(at_dialer), from_dialer);
    }
  }

  Handshake dialer;
  Handshake acceptor;
  Bytes from_dialer;
  Bytes from_acceptor;
  std::size_t at_dialer{};
  std::size_t at_acceptor{};
};

TEST(PeerHandshake, TwoServersOfAnEnsembleTrustEachOther) {
  const auto two = server(2);
  const auto one = server(1);
  const Conversation conversation(two, one);
  EXPECT_EQ(conversation.dialer.state(), State::done);
  EXPECT_EQ(conversation.acceptor.state(), State::done);
  EXPECT_EQ(conversation.dialer.peer(), ServerId{1});
  EXPECT_EQ(conversation.acceptor.peer(), ServerId{2});
  EXPECT_EQ(conversation.from_dialer.size(), hello_bytes + 32);
  EXPECT_EQ(conversation.at_acceptor, conversation.from_dialer.size());
}

TEST(PeerHandshake, WithoutASecretOnBothSidesTheyDoToo) {
  const auto two = server(2, "");
  const auto one = server(1, "");
  EXPECT_EQ(Conversation(two, one).dialer.state(), State::done);
  const auto with = server(1);
  EXPECT_EQ(Conversation(two, with).acceptor.state(), State::refused);
}

TEST(PeerHandshake, ItComesByteByByteAndLeavesWhatIsBehindIt) {
  const auto two = server(2);
  const auto one = server(1);
  const Conversation whole(two, one);
  auto dialer = Handshake::to(two, {1}, nonce(1));
  Bytes out;
  dialer.begin(out);
  Bytes received;
  for (const auto byte : whole.from_acceptor) {
    ASSERT_EQ(dialer.state(), State::waiting);
    received.push_back(byte);
    received.erase(received.begin(),
                   received.begin() + static_cast<long>(dialer.take(received, out)));
  }
  EXPECT_EQ(dialer.state(), State::done);
  EXPECT_EQ(out, whole.from_dialer);

  auto again = Handshake::to(two, {1}, nonce(1));
  Bytes ignored;
  again.begin(ignored);
  Bytes with_frames = whole.from_acceptor;
  with_frames.resize(with_frames.size() + 500);
  EXPECT_EQ(again.take(with_frames, ignored), whole.from_acceptor.size());
}

TEST(PeerHandshake, AStrangerWithoutTheSecretIsRefusedAndLearnsNoProof) {
  const auto two = server(2, "what somebody guessed");
  const auto one = server(1);
  const Conversation conversation(two, one);
  EXPECT_EQ(conversation.acceptor.state(), State::refused);
  EXPECT_EQ(conversation.acceptor.refusal(),
            "says that it is server 2 and does not know the secret (zabfs.peerSecretFile must be "
            "the same on every server)");
  EXPECT_EQ(conversation.from_acceptor.size(), hello_bytes);
  EXPECT_EQ(conversation.dialer.state(), State::waiting);
  EXPECT_EQ(conversation.dialer.meaning_of_the_end(),
            "ended the handshake (its log says why; perhaps it has another secret)");
}

// The other direction: a server that answers at the address of server 1 and does not know the
// secret. What it would have to say comes from a conversation under its own secret.
TEST(PeerHandshake, AnAcceptorWithoutTheSecretIsRefused) {
  const auto twin = server(2, "what somebody guessed");
  const auto impostor = server(1, "what somebody guessed");
  const Conversation theirs(twin, impostor);
  ASSERT_EQ(theirs.acceptor.state(), State::done);
  const auto two = server(2);
  auto dialer = Handshake::to(two, {1}, nonce(1));
  Bytes out;
  dialer.begin(out);
  dialer.take(theirs.from_acceptor, out);
  EXPECT_EQ(dialer.state(), State::refused);
  EXPECT_TRUE(dialer.refusal().starts_with("says that it is server 1 and does not know"));
}

TEST(PeerHandshake, ARecordingIsWorthNothing) {
  const auto two = server(2);
  const auto one = server(1);
  const Conversation recorded(two, one);
  Bytes out;
  auto acceptor = Handshake::from_stranger(one, nonce(77));
  acceptor.take(recorded.from_dialer, out);
  EXPECT_EQ(acceptor.state(), State::refused);
  auto dialer = Handshake::to(two, {1}, nonce(78));
  dialer.begin(out);
  dialer.take(recorded.from_acceptor, out);
  EXPECT_EQ(dialer.state(), State::refused);
}

// A stranger can have each side's own words, and no more.
TEST(PeerHandshake, WhatASideSaidItselfIsWorthNothing) {
  const auto two = server(2);
  const auto one = server(1);
  const Conversation recorded(two, one);
  auto acceptor = Handshake::from_stranger(one, nonce(2));
  Bytes out;
  const auto hello = ByteView(recorded.from_dialer).first(hello_bytes);
  acceptor.take(hello, out);
  ASSERT_EQ(acceptor.state(), State::waiting);
  const auto own_proof = ByteView(recorded.from_acceptor).subspan(hello_bytes);
  acceptor.take(own_proof, out);
  EXPECT_EQ(acceptor.state(), State::refused);
}

TEST(PeerHandshake, AnotherVersionIsNamedOnBothSides) {
  auto two = server(2);
  two.version = 7;
  const auto one = server(1);
  const Conversation conversation(two, one);
  EXPECT_EQ(conversation.acceptor.refusal(),
            "speaks version 7 of the protocol between servers, and this server version 1 (run the "
            "same zabd on all of them)");
  EXPECT_EQ(conversation.dialer.refusal(),
            "speaks version 1 of the protocol between servers, and this server version 7 (run the "
            "same zabd on all of them)");
}

TEST(PeerHandshake, AnotherEnsembleIsNamedOnBothSides) {
  auto two = server(2);
  two.membership = digest_of("servers 1, 2, 3 and 4");
  const auto one = server(1);
  const Conversation conversation(two, one);
  const std::string remedy =
      " and was given another ensemble (make the lines server.N, group.N and weight.N the same on "
      "every server)";
  EXPECT_EQ(conversation.acceptor.refusal(), "says that it is server 2" + remedy);
  EXPECT_EQ(conversation.dialer.refusal(), "says that it is server 1" + remedy);
}

TEST(PeerHandshake, AWrongNumberIsNamed) {
  const auto one = server(1);
  const auto two = server(2);
  const auto three = server(3);
  const auto four = server(4);
  const auto refusal = [](const Identity& dialer, const Identity& acceptor, ServerId wanted) {
    return Conversation(dialer, acceptor, wanted).acceptor.refusal();
  };
  EXPECT_EQ(refusal(two, two, {2}),
            "says that it is server 2, as this one (give each server its own number in myid)");
  EXPECT_EQ(refusal(four, one, {1}), "says that it is server 4, which is not in the configuration");
  EXPECT_EQ(refusal(three, two, {1}),
            "is server 3 and wants server 1 (compare the line server.1 with the address and the "
            "myid of this server)");
  EXPECT_EQ(refusal(one, two, {2}),
            "is server 1 and connects to a higher one, which no server does");
  EXPECT_EQ(Conversation(three, two, {1}).dialer.refusal(),
            "is server 2 and not server 1 (compare its line server.N with its myid)");
}

TEST(PeerHandshake, WhoSpeaksSomethingElseIsRefusedByItsFirstByte) {
  const auto one = server(1);
  auto acceptor = Handshake::from_stranger(one, nonce(1));
  Bytes out;
  acceptor.take(bytes_of("GET / HTTP/1.1"), out);
  EXPECT_EQ(acceptor.refusal(), "does not speak the protocol between servers");
  EXPECT_TRUE(out.empty());
}

TEST(PeerHandshake, NothingButTheExactBytesIsTrusted) {
  const auto two = server(2);
  const auto one = server(1);
  const Conversation valid(two, one);
  auto inputs = test::random_runs(3, 2000, 200);
  for (const auto* said : {&valid.from_dialer, &valid.from_acceptor}) {
    std::ranges::move(test::truncations_of(*said), std::back_inserter(inputs));
    std::ranges::move(test::mutations_of(*said, 11, 2000), std::back_inserter(inputs));
  }
  for (const auto& input : inputs) {
    Bytes out;
    auto acceptor = Handshake::from_stranger(one, nonce(2));
    EXPECT_LE(acceptor.take(input, out), input.size());
    auto dialer = Handshake::to(two, {1}, nonce(1));
    dialer.begin(out);
    EXPECT_LE(dialer.take(input, out), input.size());
    EXPECT_EQ(acceptor.state() == State::done, std::ranges::equal(input, valid.from_dialer));
    EXPECT_EQ(dialer.state() == State::done, std::ranges::equal(input, valid.from_acceptor));
  }
}

}  // namespace
}  // namespace zabfs::daemon::peers
