// Authentication for worlds without cryptography: who says digest `user:password` is that, as it
// stands. With `super:secret` one is the superuser too.
#pragma once

#include <string>

#include "replication/ports/authenticator.hpp"

namespace zabfs::test {

class TrustingAuthenticator : public replication::Authenticator {
 public:
  std::optional<replication::Identities> authenticate(
      std::string_view scheme, const replication::Data& credential,
      replication::IdentitiesView /*present*/) const override {
    if (scheme != "digest" || !credential) {
      return std::nullopt;
    }
    const std::string id(replication::text_of(*credential));
    replication::Identities gained;
    if (id == "super:secret") {
      gained.push_back({.scheme = replication::super_scheme, .id = ""});
    }
    gained.push_back({.scheme = "digest", .id = id});
    return gained;
  }
};

}  // namespace zabfs::test
