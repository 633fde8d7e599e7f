// What a credential makes of its bearer.
#include "daemon/authentication/schemes.hpp"

#include <gtest/gtest.h>

namespace zabfs::daemon::authentication {
namespace {

using replication::Bytes;
using replication::bytes_of;
using replication::Data;
using replication::Identities;

Data data(std::string_view text) {
  const auto bytes = bytes_of(text);
  return Bytes(bytes.begin(), bytes.end());
}

const Identities stranger{{"ip", "10.0.0.7"}};

// The hashes are ZooKeeper's: DigestAuthenticationProvider.generateDigest of each algorithm.
TEST(Digest, IsTheUserAndTheHashOfUserAndPassword) {
  EXPECT_EQ(digest_id(bytes_of("bob:pw"), *digest_algorithm("SHA1")),
            "bob:ikIaKsbtGweaHnb/jKn7OHqbunM=");
  EXPECT_EQ(digest_id(bytes_of("super:test"), *digest_algorithm("sha-1")),
            "super:D/InIHSb7yEEbrWz8b9l71RjZJU=");
  EXPECT_EQ(digest_id(bytes_of("bob:pw:with:colons"), *digest_algorithm("SHA1")).substr(0, 4),
            "bob:");
  EXPECT_EQ(digest_id(bytes_of("no colon"), *digest_algorithm("SHA1")).substr(0, 9), "no colon:");
  EXPECT_EQ(digest_id({}, *digest_algorithm("SHA1")), ":2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
}

TEST(Digest, KnowsTheAlgorithmsOfJavaThatAreNotBroken) {
  EXPECT_EQ(digest_id({}, *digest_algorithm("SHA-256")),
            ":47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  for (const char* name : {"SHA-224", "SHA-384", "SHA-512", "SHA3-224", "SHA3-256", "SHA3-384",
                           "SHA3-512", "sha256", "Sha-512"}) {
    ASSERT_TRUE(digest_algorithm(name)) << name;
    EXPECT_TRUE(
        is_digest_id(digest_id(bytes_of("a:b"), *digest_algorithm(name)), *digest_algorithm(name)))
        << name;
  }
  for (const char* name : {"", "MD5", "SHA", "SHA-2", "rot13"}) {
    EXPECT_FALSE(digest_algorithm(name)) << name;
  }
}

TEST(Digest, OfAnotherAlgorithmIsNone) {
  const auto sha1 = *digest_algorithm("SHA1");
  EXPECT_TRUE(is_digest_id("super:D/InIHSb7yEEbrWz8b9l71RjZJU=", sha1));
  EXPECT_FALSE(is_digest_id("super:D/InIHSb7yEEbrWz8b9l71RjZJU=", *digest_algorithm("SHA-256")));
  EXPECT_FALSE(is_digest_id("super:password", sha1));
  EXPECT_FALSE(is_digest_id("super:D/InIHSb7yEEbrWz8b9l71Rj JU=", sha1));
  EXPECT_FALSE(is_digest_id(":D/InIHSb7yEEbrWz8b9l71RjZJU=", sha1));
  EXPECT_FALSE(is_digest_id("", sha1));
}

TEST(Schemes, DigestGivesTheIdentityOfTheCredential) {
  const Schemes schemes{{}};
  EXPECT_EQ(schemes.authenticate("digest", data("bob:pw"), stranger),
            (Identities{{"digest", "bob:ikIaKsbtGweaHnb/jKn7OHqbunM="}}));
  EXPECT_TRUE(schemes.authenticate("digest", data(""), stranger));
  EXPECT_TRUE(schemes.authenticate("digest", data("\xff\xfe"), stranger));
  EXPECT_FALSE(schemes.authenticate("digest", Data{}, stranger)) << "null is no credential";
}

TEST(Schemes, TheSuperusersCredentialGivesBoth) {
  const Schemes schemes{{.super_digest = "super:D/InIHSb7yEEbrWz8b9l71RjZJU="}};
  EXPECT_EQ(schemes.authenticate("digest", data("super:test"), stranger),
            (Identities{{"super", ""}, {"digest", "super:D/InIHSb7yEEbrWz8b9l71RjZJU="}}));
  EXPECT_EQ(schemes.authenticate("digest", data("super:tesT"), stranger)->size(), 1U);
  EXPECT_EQ(Schemes{{}}.authenticate("digest", data("super:test"), stranger)->size(), 1U);
}

TEST(Schemes, WhatWasShownMayBeSaidAgain) {
  const Schemes schemes{{}};
  EXPECT_EQ(schemes.authenticate("ip", data("anything"), stranger), Identities{});
  EXPECT_FALSE(schemes.authenticate("x509", data(""), stranger)) << "no certificate was shown";
  EXPECT_EQ(schemes.authenticate("x509", data(""), Identities{{"x509", "CN=alice"}}), Identities{});
}

TEST(Schemes, OthersAreNotKnown) {
  const Schemes schemes{{}};
  for (const char* scheme : {"", "world", "auth", "super", "sasl", "DIGEST", "digest "}) {
    EXPECT_FALSE(schemes.authenticate(scheme, data("a:b"), stranger)) << scheme;
  }
}

}  // namespace
}  // namespace zabfs::daemon::authentication
