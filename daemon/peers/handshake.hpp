// The first bytes on a connection between two servers: who they are, that they are of one ensemble,
// and that both know its secret. Bytes only; knows no socket.
//
//   the higher server (it connects)            the lower server
//     hello   ------------------------------->
//             <-------------------------------   hello
//     proof   ------------------------------->   it trusts the higher one from here on
//             <-------------------------------   proof
//     it trusts the lower one from here on; behind the proof are frames
//
//   hello   magic 8, version 4, from 8, to 8, membership 32, nonce 32; integers big-endian
//   proof   32: HMAC-SHA256, with the secret as its key, of the side's name and both hellos
//
// Both hellos are in a proof, so it is worth nothing on another connection (the nonces), between
// other servers (from, to), or in the other direction (the side's name). The lower server proves
// nothing to a stranger who has not done so himself. Without a secret the key is empty, and the
// proof only shows that neither server was given one.
//
// Where the ensemble can change, servers know different ones for a while, and one that is to join
// is known to nobody: the membership is all zeros there, which is compared with nothing, and the
// secret alone says who belongs to the ensemble.
//
// The proofs say who is at the other end. They hide nothing, and they do not keep somebody who can
// change what is on the way from doing so later.
//
// A hello begins alike in all versions up to and including its version.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"

namespace zabfs::daemon::peers {

inline constexpr std::uint32_t protocol_version = 1;

using Digest = std::array<std::uint8_t, 32>;
using Nonce = std::array<std::uint8_t, 32>;

// SHA-256.
Digest digest_of(std::string_view text);

// What a server says and knows of itself.
struct Identity {
  replication::ServerId self{};
  std::set<replication::ServerId> others{};
  Digest membership{};          // of a text that is the same on every server of the ensemble
  bool admits_joiners{};        // servers may come that are not among the others
  replication::Bytes secret{};  // empty: there is none
  std::uint32_t version{protocol_version};
};

class Handshake {
 public:
  enum class State {
    waiting,  // for more from the other side
    done,     // both trust each other
    refused,  // refusal() says why; send what there is to send, then close
  };

  // The side that connected, to reach `peer`. `identity` outlives the handshake; `nonce` was never
  // used before.
  static Handshake to(const Identity& identity, replication::ServerId peer, const Nonce& nonce);

  // The side that was connected to, by nobody knows whom.
  static Handshake from_stranger(const Identity& identity, const Nonce& nonce);

  // Appends what this side says first.
  void begin(replication::Bytes& out);

  // Looks at what the other side said and appends the answer to `out`. Returns how many bytes from
  // the front of `received` are done with; the others must be given again, with more behind them.
  // Safe on any bytes.
  std::size_t take(replication::ByteView received, replication::Bytes& out);

  State state() const { return state_; }
  const std::string& refusal() const { return refusal_; }

  // Who the other side is; once done.
  replication::ServerId peer() const { return peer_; }

  // What it means if the other side closes the connection now.
  std::string meaning_of_the_end() const;

 private:
  Handshake(const Identity& identity, bool is_dialer, replication::ServerId peer,
            const Nonce& nonce);

  std::size_t take_hello(replication::ByteView received, replication::Bytes& out);
  std::size_t take_proof(replication::ByteView received, replication::Bytes& out);
  std::string objection_to(replication::ServerId from, replication::ServerId to,
                           replication::ByteView membership) const;
  std::size_t refuse(std::string why);

  replication::Bytes hello_to(replication::ServerId peer) const;
  Digest proof_of(bool dialer) const;

  const Identity* identity_;
  bool is_dialer_;
  replication::ServerId peer_;
  Nonce nonce_;
  State state_{State::waiting};
  replication::Bytes own_hello_;
  replication::Bytes other_hello_;  // empty until it has come
  std::string refusal_;
};

}  // namespace zabfs::daemon::peers
