#include "daemon/peers/handshake.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <utility>

#include "replication/model/check.hpp"

namespace zabfs::daemon::peers {

using replication::Bytes;
using replication::ByteView;
using replication::ServerId;

namespace {

constexpr std::array<std::uint8_t, 8> magic{'z', 'a', 'b', 'f', 's', 'p', 'r', 0};

constexpr std::size_t version_at = 8;
constexpr std::size_t from_at = 12;
constexpr std::size_t to_at = 20;
constexpr std::size_t membership_at = 28;
constexpr std::size_t nonce_at = 60;
constexpr std::size_t hello_bytes = 92;
static_assert(nonce_at + std::tuple_size_v<Nonce> == hello_bytes);

template <class T>
void append(Bytes& out, T value) {
  for (std::size_t i = sizeof(T); i-- > 0;) {
    out.push_back(static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> (8 * i)));
  }
}

void append_bytes(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

template <class T>
T get(ByteView bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (const auto byte : bytes.subspan(at, sizeof(T))) {
    value = value << 8 | byte;
  }
  return static_cast<T>(value);
}

std::string name_of(ServerId id) { return "server " + std::to_string(id.value); }

}  // namespace

Digest digest_of(std::string_view text) {
  Digest digest{};
  SHA256(replication::bytes_of(text).data(), text.size(), digest.data());
  return digest;
}

Handshake::Handshake(const Identity& identity, bool is_dialer, ServerId peer, const Nonce& nonce)
    : identity_(&identity), is_dialer_(is_dialer), peer_(peer), nonce_(nonce) {}

Handshake Handshake::to(const Identity& identity, ServerId peer, const Nonce& nonce) {
  return {identity, true, peer, nonce};
}

Handshake Handshake::from_stranger(const Identity& identity, const Nonce& nonce) {
  return {identity, false, {}, nonce};
}

Bytes Handshake::hello_to(ServerId peer) const {
  Bytes hello(magic.begin(), magic.end());
  append(hello, identity_->version);
  append(hello, identity_->self.value);
  append(hello, peer.value);
  append_bytes(hello, identity_->membership);
  append_bytes(hello, nonce_);
  return hello;
}

void Handshake::begin(Bytes& out) {
  if (is_dialer_) {
    own_hello_ = hello_to(peer_);
    append_bytes(out, own_hello_);
  }
}

std::size_t Handshake::take(ByteView received, Bytes& out) {
  std::size_t consumed = 0;
  while (state_ == State::waiting) {
    const ByteView rest = received.subspan(consumed);
    const auto step = other_hello_.empty() ? take_hello(rest, out) : take_proof(rest, out);
    if (step == 0) {
      break;
    }
    consumed += step;
  }
  return consumed;
}

std::size_t Handshake::take_hello(ByteView received, Bytes& out) {
  const auto known = std::min(received.size(), magic.size());
  if (!std::equal(magic.begin(), magic.begin() + known, received.begin())) {
    return refuse("does not speak the protocol between servers");
  }
  if (received.size() < from_at) {
    return 0;
  }
  if (const auto version = get<std::uint32_t>(received, version_at);
      version != identity_->version) {
    if (!is_dialer_) {
      append_bytes(out, hello_to({}));  // so that the other side can say the same
    }
    return refuse("speaks version " + std::to_string(version) +
                  " of the protocol between servers, and this server version " +
                  std::to_string(identity_->version) + " (run the same zabd on all of them)");
  }
  if (received.size() < hello_bytes) {
    return 0;
  }
  const ServerId from{get<std::int64_t>(received, from_at)};
  if (!is_dialer_) {
    own_hello_ = hello_to(from);
    append_bytes(out, own_hello_);
  }
  auto objection = objection_to(from, {get<std::int64_t>(received, to_at)},
                                received.subspan(membership_at, std::tuple_size_v<Digest>));
  if (!objection.empty()) {
    return refuse(std::move(objection));
  }
  peer_ = from;
  other_hello_.assign(received.begin(), received.begin() + hello_bytes);
  if (is_dialer_) {
    append_bytes(out, proof_of(true));
  }
  return hello_bytes;
}

std::string Handshake::objection_to(ServerId from, ServerId to, ByteView membership) const {
  const ServerId self = identity_->self;
  if (from == self) {
    return "says that it is " + name_of(self) +
           ", as this one (give each server its own number in myid)";
  }
  const auto is_open = [](const auto& digest) {
    return std::ranges::all_of(digest, [](auto byte) { return byte == 0; });
  };
  if (!std::ranges::equal(membership, identity_->membership) && !is_open(membership) &&
      !is_open(identity_->membership)) {
    return "says that it is " + name_of(from) +
           " and was given another ensemble (make the lines server.N, group.N and weight.N the "
           "same on every server)";
  }
  if (!identity_->admits_joiners && !identity_->others.contains(from)) {
    return "says that it is " + name_of(from) + ", which is not in the configuration";
  }
  if (is_dialer_ && from != peer_) {
    return "is " + name_of(from) + " and not " + name_of(peer_) +
           " (compare its line server.N with its myid)";
  }
  if (to != self) {
    return "is " + name_of(from) + " and wants " + name_of(to) + " (compare the line server." +
           std::to_string(to.value) + " with the address and the myid of this server)";
  }
  if (!is_dialer_ && !identity_->admits_joiners && from < self) {
    return "is " + name_of(from) + " and connects to a higher one, which no server does";
  }
  return "";
}

std::size_t Handshake::take_proof(ByteView received, Bytes& out) {
  const Digest expected = proof_of(!is_dialer_);
  if (received.size() < expected.size()) {
    return 0;
  }
  if (CRYPTO_memcmp(received.data(), expected.data(), expected.size()) != 0) {
    return refuse("says that it is " + name_of(peer_) +
                  " and does not know the secret (zabfs.peerSecretFile must be the same on every "
                  "server)");
  }
  if (!is_dialer_) {
    append_bytes(out, proof_of(false));
  }
  state_ = State::done;
  return expected.size();
}

Digest Handshake::proof_of(bool dialer) const {
  Bytes text;
  append_bytes(text, replication::bytes_of(dialer ? "zabfs: the side that connected\n"
                                                  : "zabfs: the side that was connected to\n"));
  append_bytes(text, is_dialer_ ? own_hello_ : other_hello_);
  append_bytes(text, is_dialer_ ? other_hello_ : own_hello_);
  const Bytes& secret = identity_->secret;
  const std::uint8_t nothing = 0;
  Digest proof{};
  const auto* made =
      HMAC(EVP_sha256(), secret.empty() ? &nothing : secret.data(), static_cast<int>(secret.size()),
           text.data(), text.size(), proof.data(), nullptr);
  CHECK(made != nullptr, "no HMAC-SHA256");
  return proof;
}

std::size_t Handshake::refuse(std::string why) {
  state_ = State::refused;
  refusal_ = std::move(why);
  return 0;
}

std::string Handshake::meaning_of_the_end() const {
  return is_dialer_ && !other_hello_.empty()
             ? "ended the handshake (its log says why; perhaps it has another secret)"
             : "ended the connection in the handshake";
}

}  // namespace zabfs::daemon::peers
