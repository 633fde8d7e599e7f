// The door to authentication: which identities a credential gives to the client that shows it.
//
// What a credential is worth depends on secrets of the operator and on cryptography, which this
// library has none of. Whoever answers here must never let a credential, or what is computed from
// it, into a log.
#pragma once

#include <optional>
#include <string_view>

#include "replication/model/acl.hpp"
#include "replication/model/bytes.hpp"

namespace zabfs::replication {

class Authenticator {
 public:
  virtual ~Authenticator() = default;

  // What a client that is `present` already gains with `credential` under `scheme`, which may be
  // nothing; nullopt if the scheme is not known or the credential is not one.
  virtual std::optional<Identities> authenticate(std::string_view scheme, const Data& credential,
                                                 IdentitiesView present) const = 0;
};

}  // namespace zabfs::replication
