// The schemes by which clients of this server may say who they are, with what only its operator
// knows: the superuser's digest.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/authentication/digest_credential.hpp"
#include "replication/ports/authenticator.hpp"

namespace zabfs::daemon::authentication {

struct SchemeOptions {
  std::string digest_algorithm{default_digest_algorithm};  // as digest_algorithm() returned it
  std::string super_digest{};  // of the superuser's credential; empty: there is none
};

class Schemes : public replication::Authenticator {
 public:
  explicit Schemes(SchemeOptions options) : options_(std::move(options)) {}

  // digest: any credential that is not null. ip and x509: a client that has shown its address, or
  // its certificate, may say so again.
  std::optional<replication::Identities> authenticate(
      std::string_view scheme, const replication::Data& credential,
      replication::IdentitiesView present) const override;

 private:
  const SchemeOptions options_;
};

}  // namespace zabfs::daemon::authentication
