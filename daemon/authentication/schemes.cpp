#include "daemon/authentication/schemes.hpp"

#include <openssl/crypto.h>

#include <algorithm>

namespace zabfs::daemon::authentication {

using replication::Identities;
using replication::Identity;

namespace {

bool is_same_secret(std::string_view one, std::string_view other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

}  // namespace

std::optional<Identities> Schemes::authenticate(std::string_view scheme,
                                                const replication::Data& credential,
                                                replication::IdentitiesView present) const {
  if (scheme == "ip" || scheme == "x509") {
    return std::ranges::find(present, scheme, &Identity::scheme) == present.end()
               ? std::nullopt
               : std::optional(Identities{});
  }
  if (scheme != "digest" || !credential) {
    return std::nullopt;
  }
  Identities gained;
  std::string id = digest_id(*credential, options_.digest_algorithm);
  if (!options_.super_digest.empty() && is_same_secret(id, options_.super_digest)) {
    gained.push_back({.scheme = replication::super_scheme, .id = ""});
  }
  gained.push_back({.scheme = "digest", .id = std::move(id)});
  return gained;
}

}  // namespace zabfs::daemon::authentication
